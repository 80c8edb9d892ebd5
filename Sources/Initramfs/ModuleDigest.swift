// SPDX-License-Identifier: GPL-2.0-or-later

internal import Archives
internal import Host
internal import SystemPackage

/// Digests of modules, decompressed, by which those in images are compared with those that are installed.
struct ModuleDigest {
  private let limits: ImageLimits
  /// The bytes that have come out of all modules.
  private var unpacked: Int64 = 0

  init(_ limits: ImageLimits) { self.limits = limits }

  /// The digest of a module in an image, or why it cannot be decompressed.
  ///
  /// - Throws: `ArchiveError` where the image itself cannot be read, or its modules are more than the limits allow.
  mutating func digest(
    _ contents: any ByteSource, in image: FilePath
  ) throws(ArchiveError) -> (digest: String?, damage: String?) {
    let source = WatchedSource(contents)
    var digest = Files.RunningDigest()
    do throws(ArchiveError) {
      let plain = try Decompressor.plainBytes(of: source, in: image, limit: limits.moduleBytes)
      while unpacked <= limits.allModuleBytes, case let chunk = try plain.nextChunk(), !chunk.isEmpty {
        unpacked += Int64(chunk.count)
        digest.add(chunk)
      }
    } catch {
      guard source.error == nil, !error.reason.isFailedLook else { throw error }
      return (nil, "\(error.reason)")
    }
    guard unpacked <= limits.allModuleBytes else {
      throw ArchiveError(
        .read, image, .damaged("its modules unpack to more than \(limits.allModuleBytes) bytes"))
    }
    return (digest.text, nil)
  }

  /// The digest of an installed module; nil where it is missing or damaged, so that it equals none.
  ///
  /// - Throws: `ArchiveError` where it cannot be looked at.
  static func digest(of file: FilePath, limit: Int64) throws(ArchiveError) -> String? {
    do throws(ArchiveError) {
      let plain = try Decompressor.plainBytes(of: try FileRange(of: file), in: file, limit: limit)
      var digest = Files.RunningDigest()
      while case let chunk = try plain.nextChunk(), !chunk.isEmpty { digest.add(chunk) }
      return digest.text
    } catch {
      switch error.reason {
      case .system(.noSuchFileOrDirectory, _), .system(.notDirectory, _): return nil
      case let reason where reason.isFailedLook: throw error
      default: return nil
      }
    }
  }
}

/// Bytes from elsewhere, with the error that ended them.
private final class WatchedSource: ByteSource {
  private let source: any ByteSource
  private(set) var error: ArchiveError?

  init(_ source: any ByteSource) { self.source = source }

  func nextChunk() throws(ArchiveError) -> [UInt8] {
    do { return try source.nextChunk() } catch {
      self.error = error
      throw error
    }
  }
}
