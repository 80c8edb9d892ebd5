// SPDX-License-Identifier: GPL-2.0-or-later

internal import Host
public import SystemPackage

/// What is asked of a root's `etc/pacman.conf`.
public struct PacmanConfiguration: Hashable, Sendable {
  /// The directory of the local database, below the root.
  let databasePath: FilePath
  /// The directories with hook files, below the root; of two files with one name that in a later one counts.
  public let hookDirectories: [FilePath]
  /// Where pacman writes its log, below the root.
  public let logFile: FilePath
  /// Why it could not be read; then nobody knows where the database is.
  let problem: HostError?

  /// Where pacman keeps package files, below the root.
  public let cacheDirectories: [FilePath]

  /// Reads the configuration, of 1 MiB at most; one that is absent says nothing.
  public init(root: FilePath) {
    var text = ""
    var problem: HostError?
    do throws(HostError) {
      text = String(
        decoding: try Files.contents(root.appending("etc/pacman.conf"), 1 << 20) ?? [], as: UTF8.self)
    } catch {
      problem = error
    }
    self.problem = problem
    let below = { (path: String) in root.appending(FilePath(path).components) }
    databasePath = below(Self.option("DBPath", in: text) ?? "var/lib/pacman")
    logFile = below(Self.option("LogFile", in: text) ?? "var/log/pacman.log")
    let caches = Self.options("CacheDir", in: text)
    cacheDirectories = (caches.isEmpty ? ["var/cache/pacman/pkg"] : caches).map(below)
    let named = Self.options("HookDir", in: text)
    hookDirectories =
      (["usr/share/libalpm/hooks"] + (named.isEmpty ? ["etc/pacman.d/hooks"] : named)).map(below)
  }

  /// The value of the first such line of `[options]`; pacman, too, takes the first.
  static func option(_ key: String, in text: String) -> String? { options(key, in: text).first }

  /// The values of all such lines of `[options]`, in their order.
  private static func options(_ key: String, in text: String) -> [String] {
    var isInOptions = false
    return text.split(separator: "\n").map(\.trimmed).compactMap { line in
      if line.hasPrefix("[") {
        isInOptions = line == "[options]"
      } else if isInOptions, let equals = line.firstIndex(of: "="), line[..<equals].trimmed == key {
        return String(line[equals...].dropFirst().trimmed)
      }
      return nil
    }
  }
}

extension Substring {
  fileprivate var trimmed: Substring {
    let head = drop(while: \.isWhitespace)
    return head.lastIndex { !$0.isWhitespace }.map { head[...$0] } ?? ""
  }
}
