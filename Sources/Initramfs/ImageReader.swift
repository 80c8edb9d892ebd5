// SPDX-License-Identifier: GPL-2.0-or-later

internal import Archives
public import DKMSModel
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
