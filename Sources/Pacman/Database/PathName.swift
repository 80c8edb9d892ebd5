// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc

/// A path someone asks about, without the slashes that may or may not be there.
struct PathName {
  /// The path without slashes at either end.
  private let bytes: [UInt8]
  /// A slash at the end was given, so only a directory can be meant.
  private let isDirectory: Bool

  /// Nil for what no file list can contain: nothing at all, or a newline or NUL within.
  init?(_ path: String) {
    let relative = path.utf8.drop { $0 == .slash }
    guard let last = relative.lastIndex(where: { $0 != .slash }) else { return nil }
    bytes = Array(relative[...last])
    guard !bytes.contains(.newline), !bytes.contains(0) else { return nil }
    isDirectory = relative.last == .slash
  }

  /// The ways in which a file list may spell it.
  var spellings: [String] {
    let name = String(decoding: bytes, as: UTF8.self)
    return isDirectory ? [name + "/"] : [name, name + "/"]
  }

  /// Whether a file list's line is one of the spellings.
  func matches(_ line: UnsafeRawBufferPointer) -> Bool {
    switch line.count - bytes.count {
    case 0: !isDirectory && line.hasPrefix(bytes)
    case 1: line.last == .slash && line.hasPrefix(bytes)
    default: false
    }
  }
}

extension UnsafeRawBufferPointer {
  /// Whether the bytes begin with these.
  func hasPrefix(_ prefix: [UInt8]) -> Bool {
    guard count >= prefix.count, let baseAddress else { return prefix.isEmpty }
    return memcmp(baseAddress, prefix, prefix.count) == 0
  }
}
