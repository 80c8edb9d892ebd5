// SPDX-License-Identifier: GPL-2.0-or-later

internal import Host

/// A digest of all that a build is made from: builds with the same key give the same modules.
struct CacheKey: Equatable, Sendable {
  /// What the entry in the cache is called: 64 hexadecimal digits.
  let name: String

  /// Makes a key of parts, each with its name in front; a zero byte ends each.
  init(_ parts: [String]) {
    var digest = SHA256()
    for part in [CacheEntry.format] + parts { digest.add(Array("\(part)\0".utf8)) }
    name = digest.finish()
  }

  /// Whether a file in the cache is called as an entry is.
  static func isName(_ name: String) -> Bool {
    name.utf8.count == 64 && name.utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) }
  }
}
