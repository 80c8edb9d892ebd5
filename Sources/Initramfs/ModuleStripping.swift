// SPDX-License-Identifier: GPL-2.0-or-later

internal import Archives
internal import DKMSModel
internal import Glibc
internal import Host
internal import SystemPackage

/// How a generator may change modules on their way into an image: it strips them of what is no use for loading.
struct ModuleStripping {
  /// The calls it may make, without the files.
  private let calls: [[String]]
  private let leavesSignedModules: Bool
  private static let signatureMark = Array("~Module signature appended~\n".utf8)

  /// The stripping of a generator; nil for one that puts modules in as they are.
  init?(_ generator: ImageGenerator) {
    switch generator {
    case .mkinitcpio: return nil
    case .dracut:
      calls = [["eu-strip", "-g", "-p"], ["strip", "-g", "-p"], ["eu-strip", "-p"], ["strip", "-p"]]
      leavesSignedModules = true
    case .booster:
      calls = [["strip", "--strip-unneeded"]]
      leavesSignedModules = false
    }
  }

  /// Makes copies of modules as the generator may have put them into an image, all that are possible of each.
  func copies(
    of modules: [String: FilePath], in directory: FilePath, limits: ImageLimits, host: Host
  ) async -> [String: [FilePath]] {
    var copies: [String: [FilePath]] = [:]
    for (number, call) in calls.enumerated() {
      let place = directory.appending("\(number)")
      guard (try? Files.makeDirectories(place)) != nil else { continue }
      let made = modules.compactMap { name, file in
        let copy = place.appending("\(name).ko")
        return decompress(file, to: copy, limit: limits.moduleBytes) ? (name, copy) : nil
      }
      guard !made.isEmpty else { continue }
      let command = Command(
        call[0], Array(call.dropFirst()) + made.map(\.1.string), environment: host.environment)
      guard let result = try? await host.launcher.run(command), result.status == 0 else { continue }
      for (name, copy) in made { copies[name, default: []].append(copy) }
    }
    return copies
  }

  /// Whether there is a copy of a module that the generator would strip.
  private func decompress(_ file: FilePath, to copy: FilePath, limit: Int64) -> Bool {
    do {
      let bytes = try Decompressor.plainBytes(of: try FileRange(of: file), in: file, limit: limit)
      let descriptor = try FileDescriptor.open(
        copy, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec], permissions: [.ownerReadWrite])
      var end: [UInt8] = []
      try descriptor.closeAfter {
        while case let chunk = try bytes.nextChunk(), !chunk.isEmpty {
          try descriptor.writeAll(chunk)
          end = (end + chunk).suffix(Self.signatureMark.count)
        }
      }
      return !(leavesSignedModules && end == Self.signatureMark)
    } catch {
      return false
    }
  }
}
