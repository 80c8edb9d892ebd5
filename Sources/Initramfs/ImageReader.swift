// SPDX-License-Identifier: GPL-2.0-or-later

internal import Archives
internal import DKMSModel
internal import Host
public import SystemPackage

/// Looks into images without trusting their contents, and keeps little of them in memory.
public struct ImageReader: Sendable {
  let limits: ImageLimits
  /// Where dracut notes what it was called with.
  private static let buildParameters = "lib/dracut/build-parameter.txt"
  /// The most that this file may hold, in bytes.
  private static let parametersLimit: Int64 = 1 << 16
  /// What the file systems in an image hold, unpacked; nil while nobody has unpacked them.
  var trees: [FilePath]?

  /// Makes a reader.
  public init(limits: ImageLimits = ImageLimits()) { self.limits = limits }

  /// Reads an image to its end.
  ///
  /// - Throws: `ImageError` where it is missing, damaged, of an unknown kind, or more than the limits allow.
  public func contents(of image: FilePath, form: InitramfsImage.Form) throws(ImageError) -> ImageContents {
    var digests = ModuleDigest(limits)
    var found: [String: (digest: String?, damage: String?)] = [:]
    var contents = try read(image, form: form) { modules, bytes throws(ArchiveError) in
      let digest = try digests.digest(bytes, in: image)
      // What a later archive brings takes the place of what was there before.
      for module in modules { found[module.path] = digest }
    }
    for index in contents.modules.indices {
      let known = found[contents.modules[index].path]
      (contents.modules[index].digest, contents.modules[index].damage) = (known?.digest, known?.damage)
    }
    return contents
  }

  /// Reads an image to its end, and lets somebody look at each of its modules.
  ///
  /// The body gets all names of a module's file at once, with its contents.
  private func read(
    _ image: FilePath, form: InitramfsImage.Form,
    _ body: ([ImageModule], any ByteSource) throws(ArchiveError) -> Void
  ) throws(ImageError) -> ImageContents {
    var nested: NestedFileSystem?
    reading: do throws(ArchiveError) {
      let (file, unified, archive) = try Self.parts(of: image, form)
      var modules: Set<ImageModule> = []
      var parameters: String?
      var programs: Set<String> = []
      var maker: ImageGenerator?
      // Of a file with several names only the last one has the contents.
      var waiting: [NewcEntry.LinkKey: [ImageModule]] = [:]
      try InitramfsArchive(limits: archiveLimits).read(archive) { entry, contents throws(ArchiveError) in
        if Self.isProgram(entry) { programs.insert(entry.path.string) }
        guard entry.isFile else { return }
        maker = maker ?? Self.maker(of: entry.path)
        if let fileSystem = NestedFileSystem(entry.path) {
          nested = fileSystem
          return
        }
        if entry.path.string.hasSuffix(Self.buildParameters), entry.size <= Self.parametersLimit {
          parameters = String(decoding: try ByteReader(contents).take(Int(entry.size)), as: UTF8.self)
          return
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
      if nested != nil, trees == nil { break reading }
      for tree in trees ?? [] {
        for path in try Self.files(below: tree, image) {
          let file = tree.appending(path.components)
          maker = maker ?? Self.maker(of: path)
          if path.string.hasSuffix(Self.buildParameters) {
            let text = ByteReader(try FileRange(of: file))
            parameters = String(decoding: try text.take(Int(Self.parametersLimit)), as: UTF8.self)
          } else if let module = ImageModule(path) {
            modules.insert(module)
            try body([module], try FileRange(of: file))
          }
        }
      }
      var found = ImageContents(
        size: file.end, modules: modules.sorted { $0.path < $1.path }, buildParameters: parameters)
      found.release = try unified?.release()
      found.programs = programs
      found.maker = maker
      return found
    } catch {
      throw ImageError(error)
    }
    throw ImageError(notUnpacked: nested, in: image)
  }
}

extension ImageReader {
  private var archiveLimits: InitramfsArchive.Limits {
    var archiveLimits = InitramfsArchive.Limits()
    archiveLimits.entries = limits.entries
    archiveLimits.bytes = limits.bytes
    archiveLimits.dictionary = limits.dictionary
    return archiveLimits
  }

  /// The generator that puts such a file into its images; nil where none does, or several do.
  private static func maker(of path: FilePath) -> ImageGenerator? {
    switch path.components.filter({ $0.kind == .regular }).map(\.string).joined(separator: "/") {
    case "buildconfig", "init_functions": .mkinitcpio
    case "etc/booster.init.yaml": .booster
    case let name where name.hasSuffix(buildParameters): .dracut
    default: nil
    }
  }

  /// The file, what it is besides an archive, and the archive in it.
  private static func parts(
    of image: FilePath, _ form: InitramfsImage.Form
  ) throws(ArchiveError) -> (FileRange, UnifiedKernelImage?, FileRange) {
    let file = try FileRange(of: image)
    let unified = form == .unifiedKernelImage ? UnifiedKernelImage(file) : nil
    return (file, unified, try unified?.initrd() ?? file)
  }

  /// Writes the file systems in an image into a directory, under numbers.
  ///
  /// - Throws: `ImageError` where the image is damaged, or a file system cannot be written.
  func unpackFileSystems(
    in image: FilePath, form: InitramfsImage.Form, into directory: FilePath
  ) throws(ImageError) -> [(fileSystem: NestedFileSystem, file: FilePath)] {
    do throws(ArchiveError) {
      var found: [(NestedFileSystem, FilePath)] = []
      let (_, _, archive) = try Self.parts(of: image, form)
      try InitramfsArchive(limits: archiveLimits).read(archive) { entry, contents throws(ArchiveError) in
        guard entry.isFile, let fileSystem = NestedFileSystem(entry.path) else { return }
        let file = directory.appending("\(found.count).img")
        try contents.write(to: file)
        found.append((fileSystem, file))
      }
      return found
    } catch {
      throw ImageError(error)
    }
  }

  /// The paths of the regular files below a directory, links not followed.
  private static func files(below directory: FilePath, _ image: FilePath) throws(ArchiveError) -> [FilePath] {
    do throws(HostError) { return try files(in: directory, below: "") } catch {
      throw ArchiveError(.read, image, error)
    }
  }

  private static func files(in tree: FilePath, below path: FilePath) throws(HostError) -> [FilePath] {
    var files: [FilePath] = []
    for (name, kind) in try Files.listing(tree.appending(path.components)) {
      let inside = path.appending(name)
      if kind == .directory { files += try Self.files(in: tree, below: inside) }
      if kind == .file { files.append(inside) }
    }
    return files
  }

  /// What an image that was made of the same configuration has again, whatever was upgraded in between.
  private static func isProgram(_ entry: NewcEntry) -> Bool {
    let isLink = entry.mode & 0o170000 == 0o120000
    let parts = entry.path.components.filter { $0.kind == .regular }.map(\.string)
    let inside = parts.first == "usr" ? parts.dropFirst() : parts[...]
    guard entry.isFile || isLink, let first = inside.first, inside.count > 1 else { return false }
    return !["lib", "lib64", "share"].contains(first)
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

  /// Makes the default limits, which are far above what images need.
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
  /// The file system in it that is to be unpacked first, where that is what is wrong.
  var nested: NestedFileSystem?

  /// Names an image and what is wrong with it.
  public init(path: String, reason: String, isFailedLook: Bool = false) {
    self.path = path
    self.reason = reason
    self.isFailedLook = isFailedLook
  }

  /// That modules are in a file system which nobody has unpacked.
  init(notUnpacked nested: NestedFileSystem?, in image: FilePath) {
    self.init(
      path: image.string, reason: "its modules are in \(nested?.name ?? ""), which is not read here",
      isFailedLook: true)
    self.nested = nested
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
