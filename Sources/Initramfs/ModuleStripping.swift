// SPDX-License-Identifier: GPL-2.0-or-later

internal import Archives
internal import DKMSModel
public import Host
public import SystemPackage

/// How a generator may change modules on their way into an image: it strips what is not needed for loading
/// them.
struct ModuleStripping {
  /// The calls it may make, without the files.
  let calls: [[String]]
  let leavesSignedModules: Bool
  private static let signatureMark = Array("~Module signature appended~\n".utf8)

  /// Makes copies of modules as the generator may have put them into an image, all that are possible of each.
  ///
  /// - Throws: `HostError` where they cannot be read or copied, or are more than the limits allow.
  func copies(
    of modules: [String: FilePath], in directory: FilePath, limits: ImageLimits, host: Host
  ) async throws(HostError) -> [String: [FilePath]] {
    var copies: [String: [FilePath]] = [:]
    for (number, call) in calls.enumerated() {
      let place = directory.appending("\(number)")
      try Files.makeDirectories(place)
      let made = try unpack(modules, into: place, limits)
      guard !made.isEmpty else { continue }
      let command = Command(
        call[0], Array(call.dropFirst()) + made.values.map(\.string), environment: host.environment)
      let result: CommandResult
      do { result = try await host.launcher.run(command) } catch {
        // A program that is not installed was not used by the generator either.
        if error.errno == .noSuchFileOrDirectory { continue }
        throw error
      }
      // It ends with 1 where it cannot strip one of them; any other end says nothing of them.
      guard [.exited(0), .exited(1)].contains(result.termination) else {
        let first = made.keys.min().flatMap { modules[$0] } ?? place
        throw HostError("strip a copy of", first, .unanswered(program: call[0]))
      }
      guard result.isSuccess else { continue }
      for (name, copy) in made { copies[name, default: []].append(copy) }
    }
    return copies
  }

  /// The copies of those that the generator would strip.
  private func unpack(
    _ modules: [String: FilePath], into place: FilePath, _ limits: ImageLimits
  ) throws(HostError) -> [String: FilePath] {
    var made: [String: FilePath] = [:]
    var left = limits.allModuleBytes
    for (name, file) in modules {
      let copy = place.appending("\(name).ko")
      if try unpack(file, to: copy, limits, &left) { made[name] = copy }
    }
    return made
  }

  /// Whether there is a copy of a module that the generator would strip; of a damaged one there is none.
  private func unpack(
    _ file: FilePath, to copy: FilePath, _ limits: ImageLimits, _ left: inout Int64
  ) throws(HostError) -> Bool {
    do {
      let bytes = try Decompressor.plainBytes(
        of: try FileRange(of: file), in: file, limit: limits.moduleBytes)
      let descriptor = try FileDescriptor.open(
        copy, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec], permissions: [.ownerReadWrite])
      var end: [UInt8] = []
      try descriptor.closeAfter {
        while case let chunk = try bytes.nextChunk(), !chunk.isEmpty {
          left -= Int64(chunk.count)
          guard left >= 0 else {
            throw HostError("copy the modules up to", file, .tooLarge(limit: Int(limits.allModuleBytes)))
          }
          try descriptor.writeAll(chunk)
          end = (end + chunk).suffix(Self.signatureMark.count)
        }
      }
      return !(leavesSignedModules && end == Self.signatureMark)
    } catch let error as ArchiveError {
      guard case .system(let errno, let path) = error.reason else { return false }
      throw HostError("read", path, errno)
    } catch {
      throw error as? HostError ?? HostError("write", copy, error as? Errno ?? .ioError)
    }
  }
}

/// The modules that modprobe finds for a kernel: one file for each name.
public struct InstalledModules: Sendable {
  private let directory: FilePath
  private let paths: [String: FilePath]

  /// The most that modules.dep may hold, in bytes; that of a large kernel has a few million.
  private static let sizeLimit = 64 << 20

  /// Reads modules.dep in a kernel's module directory; where there is none there are no modules.
  ///
  /// - Throws: `HostError` where it cannot be read.
  public init(in directory: FilePath) throws(HostError) {
    self.directory = directory
    let list = try Files.contents(directory.appending("modules.dep"), Self.sizeLimit) ?? []
    paths = Self.entries(of: list).reduce(into: [:]) { paths, entry in
      if let file = entry.lastComponent?.string, let name = ModuleFileName(file) {
        paths[name.module] = entry
      }
    }
  }

  /// The file of a module, whichever way its name is written; nil where there is none.
  ///
  /// - Throws: `HostError` where the look failed.
  public func file(of module: String) throws(HostError) -> FilePath? {
    guard let path = paths[module.asKernelModuleName] else { return nil }
    // depmod can write absolute paths.
    let file = path.isAbsolute ? path : directory.appending(path.components)
    return try Files.isFile(file) ? file : nil
  }

  /// Where the file of a module is below the kernel's directory; nil where there is none.
  ///
  /// - Throws: `HostError` where the look failed.
  func place(of module: String) throws(HostError) -> FilePath? {
    guard let file = try file(of: module) else { return nil }
    var place = file
    return place.removePrefix(directory) ? place : file
  }

  private static func entries(of list: [UInt8]) -> [FilePath] {
    list.split(separator: UInt8(ascii: "\n")).map { line in
      FilePath(String(decoding: line.prefix { $0 != UInt8(ascii: ":") }, as: UTF8.self))
    }
  }
}
