// SPDX-License-Identifier: GPL-2.0-or-later

internal import Archives
internal import DKMSModel
internal import Host
internal import SystemPackage

/// A file system in a file, in which dracut can keep what kernels would otherwise unpack.
struct NestedFileSystem: Hashable, Sendable {
  /// The name of the file.
  let name: String
  private static let kinds: [String: (program: String, options: [String])] = [
    "squashfs-root.img": ("unsquashfs", ["-no-progress", "-no-xattrs", "-quiet", "-dest"]),
    "squash-root.img": ("unsquashfs", ["-no-progress", "-no-xattrs", "-quiet", "-dest"]),
    "erofs-root.img": ("fsck.erofs", ["--no-preserve"]),
  ]

  /// Recognizes one by its name; nil for every other file.
  init?(_ path: FilePath) {
    guard let name = path.lastComponent?.string, Self.kinds[name] != nil else { return nil }
    self.name = name
  }

  /// The program that unpacks it.
  var program: String { Self.kinds[name]?.program ?? "" }

  /// What unpacks it into a directory that does not exist.
  func command(_ file: FilePath, into directory: FilePath, on host: Host) -> Command {
    let options = Self.kinds[name]?.options ?? []
    let arguments =
      program == "fsck.erofs"
      ? options + ["--extract=\(directory)", file.string] : options + [directory.string, file.string]
    return Command(program, arguments, environment: host.environment)
  }

  /// Unpacks those of an image below a directory.
  ///
  /// - Returns: A directory for each.
  /// - Throws: `ImageError`, which says that nothing is known where there is no program that unpacks them.
  static func unpack(
    _ image: FilePath, _ form: InitramfsImage.Form, with reader: ImageReader, into directory: FilePath,
    on host: Host
  ) async throws(ImageError) -> [FilePath] {
    let found = try reader.unpackFileSystems(in: image, form: form, into: directory)
    var trees: [FilePath] = []
    for (nested, file) in found {
      let tree = directory.appending("\(trees.count)")
      let result: CommandResult
      do { result = try await host.launcher.run(nested.command(file, into: tree, on: host)) } catch {
        guard error.errno == .noSuchFileOrDirectory else {
          throw ImageError(path: image.string, reason: "\(error)", isFailedLook: true)
        }
        throw ImageError(
          path: image.string,
          reason:
            "its modules are in \(nested.name), and \(nested.program), which reads that, is not installed",
          isFailedLook: true)
      }
      guard result.isSuccess else {
        throw ImageError(
          path: image.string, reason: "\(nested.program) cannot unpack \(nested.name) in it",
          isFailedLook: true
        )
      }
      trees.append(tree)
    }
    return trees
  }
}

extension ByteSource {
  /// Writes all bytes that are left into a new file.
  ///
  /// - Throws: `ArchiveError` where they cannot be read, or the file cannot be written.
  func write(to file: FilePath) throws(ArchiveError) {
    do {
      let descriptor = try FileDescriptor.open(
        file, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec], permissions: [.ownerReadWrite])
      try descriptor.closeAfter {
        while case let chunk = try nextChunk(), !chunk.isEmpty { try descriptor.writeAll(chunk) }
      }
    } catch {
      throw error as? ArchiveError ?? ArchiveError(.read, file, .system(error as? Errno ?? .ioError, file))
    }
  }
}
