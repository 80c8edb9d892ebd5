// SPDX-License-Identifier: GPL-2.0-or-later

internal import Host
internal import SystemPackage

/// Modules that packages want installed whatever the kernel has, listed in the files of a directory.
public struct ForcedModules: Codable, Hashable, Sendable {
  /// Installed as if `--force` were given.
  public var installed: Set<String> = []
  /// Installed as if `--force-version-override` were given.
  public var versionOverridden: Set<String> = []

  /// Makes a list of none.
  public init() {}

  /// Whether a module is installed whatever the kernel has of its names.
  package func includes(_ name: String) -> Bool {
    installed.contains(name) || versionOverridden.contains(name)
  }

  /// Reads the words of every file in a directory: a module's name, or that and `_version-override`.
  static func read(_ directory: FilePath) throws(HostError) -> ForcedModules {
    var modules = ForcedModules()
    let suffix = "_version-override"
    let words = try Files.list(directory).collect { name throws(HostError) in
      try Files.text(directory.appending(name))?.split(whereSeparator: \.isWhitespace).map(String.init) ?? []
    }
    for word in words {
      if word.hasSuffix(suffix) {
        modules.versionOverridden.insert(String(word.dropLast(suffix.count)))
      } else {
        modules.installed.insert(word)
      }
    }
    return modules
  }
}
