// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc

/// The lines of one section of a database file, as bytes without their newlines.
///
/// The bytes belong to the file and must not be used after it.
struct SectionLines: Sequence, IteratorProtocol {
  private var rest: UnsafeRawBufferPointer

  /// Finds the section; there are no lines if the file has none of that name.
  init(of section: String, in file: UnsafeRawBufferPointer) {
    rest = file
    let header = Array(section.utf8)
    var previous = 0
    while let line = nextLine() {
      // A header comes first or after an empty line; elsewhere it is a path of that name.
      if previous == 0 && line.elementsEqual(header) { return }
      previous = line.count
    }
  }

  mutating func next() -> UnsafeRawBufferPointer? {
    guard let line = nextLine(), !line.isEmpty else {
      rest = .init(rebasing: rest[..<0])
      return nil
    }
    return line
  }

  private mutating func nextLine() -> UnsafeRawBufferPointer? {
    guard let start = rest.baseAddress, !rest.isEmpty else { return nil }
    let end = memchr(start, Int32(UInt8.newline), rest.count).map { UnsafeRawPointer($0) - start }
    let line = rest[..<(end ?? rest.count)]
    rest = .init(rebasing: rest[line.endIndex...].dropFirst())
    return .init(rebasing: line)
  }
}

extension UInt8 {
  static let newline = UInt8(ascii: "\n")
  static let slash = UInt8(ascii: "/")
}
