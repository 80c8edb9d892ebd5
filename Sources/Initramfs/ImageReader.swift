// SPDX-License-Identifier: GPL-2.0-or-later

internal import Archives
public import DKMSModel
internal import Host
public import SystemPackage

/// Looks into images without trusting their contents, and keeps little of them in memory.
public struct ImageReader: Sendable {
  let limits: ImageLimits
  /// File systems in a file, in which dracut can keep what kernels would else unpack.
  private static let nestedFileSystems = ["squashfs-root.img", "squash-root.img", "erofs-root.img"]

  /// Makes a reader.
  public init(limits: ImageLimits = ImageLimits()) { self.limits = limits }

  /// Reads an image to its end.
  ///
  /// - Throws: `ImageError` where it is missing, damaged, of an unknown kind, or more than the limits allow.
  public func contents(of image: FilePath, form: InitramfsImage.Form) throws(ImageError) -> ImageContents {
    try read(image, form: form) { _, _ in }
  }

  /// Reads an image to its end, and lets somebody look at each of its modules.
  ///
  /// The body gets all names of a module's file at once, with its contents.
  func read(
    _ image: FilePath, form: InitramfsImage.Form,
    _ body: ([ImageModule], any ByteSource) throws(ArchiveError) -> Void
  ) throws(ImageError) -> ImageContents {
    do throws(ArchiveError) {
      let file = try FileRange(of: image)
      let archive =
        switch form {
        case .archive: file
        case .unifiedKernelImage: try UnifiedKernelImage(file).initrd()
        }
      var archiveLimits = InitramfsArchive.Limits()
      archiveLimits.entries = limits.entries
      archiveLimits.bytes = limits.bytes
      archiveLimits.dictionary = limits.dictionary
      var modules: Set<ImageModule> = []
      // Of a file with several names only the last one has the contents.
      var waiting: [NewcEntry.LinkKey: [ImageModule]] = [:]
      try InitramfsArchive(limits: archiveLimits).read(archive) { entry, contents throws(ArchiveError) in
        guard entry.isFile else { return }
        if let name = entry.path.lastComponent?.string, Self.nestedFileSystems.contains(name) {
          throw ArchiveError(.read, image, .damaged("its modules are in \(name), which is not read here"))
        }
        let module = ImageModule(entry.path)
        if let module { modules.insert(module) }
        guard modules.count <= limits.modules else {
          throw ArchiveError(.read, image, .damaged("it has more than \(limits.modules) modules"))
        }
        if let key = entry.linkKey, entry.size == 0 {
          if let module { waiting[key, default: []].append(module) }
          return
        }
        let linked = entry.linkKey.flatMap { waiting.removeValue(forKey: $0) } ?? []
        let names = linked + (module.map { [$0] } ?? [])
        if !names.isEmpty { try body(names, contents) }
      }
      return ImageContents(size: file.end, modules: modules.sorted { $0.path < $1.path })
    } catch {
      throw ImageError(error)
    }
  }
}

/// How much an image may hold.
public struct ImageLimits: Hashable, Sendable {
  /// Entries of its archives.
  public var entries = 1_000_000
  /// Bytes that come out of what is compressed in it.
  public var bytes: Int64 = 4 << 30
  /// Bytes of a dictionary that decompression keeps in memory.
  public var dictionary: Int64 = 128 << 20
  /// Modules in it, whose names are all that is kept of it.
  public var modules = 50_000
  /// Bytes that come out of one compressed module.
  public var moduleBytes: Int64 = 512 << 20
  /// Bytes that come out of all its modules together.
  public var allModuleBytes: Int64 = 4 << 30

  /// Makes the limits for images, which are far below them.
  public init() {}
}

/// Why an image could not be read.
public struct ImageError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The image.
  public let path: String
  /// What is wrong with it.
  public let reason: String
  /// Whether a look failed, so that nothing is known about the image; otherwise it is damaged.
  public let isFailedLook: Bool

  /// Names an image and what is wrong with it.
  public init(path: String, reason: String, isFailedLook: Bool = false) {
    self.path = path
    self.reason = reason
    self.isFailedLook = isFailedLook
  }

  init(_ error: ArchiveError) {
    self.init(
      path: error.archive.string, reason: "\(error.reason)", isFailedLook: error.reason.isFailedLook)
  }

  init(_ image: InitramfsImage, _ failedLook: HostError) {
    self.init(path: image.path, reason: "\(failedLook)", isFailedLook: true)
  }

  /// The image and what is wrong with it.
  public var description: String { "\(path) cannot be read as an initramfs image: \(reason)" }
}

extension ArchiveError.Reason {
  /// Whether it says nothing about the bytes: the system could not read them, or unpack them.
  var isFailedLook: Bool {
    switch self {
    case .noLibrary, .system: true
    case .library(let code, _): code.rawValue == Errno.noMemory.rawValue
    case .damaged, .refused: false
    }
  }
}
