// SPDX-License-Identifier: GPL-2.0-or-later

/// Bytes that come in pieces, from a file or out of something larger.
public protocol ByteSource: AnyObject {
  /// The next bytes; none at the end.
  ///
  /// - Throws: `ArchiveError` that names the file they come from.
  func nextChunk() throws(ArchiveError) -> [UInt8]
}
