// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc
internal import SystemPackage

/// A text file, whole in memory; the database's own have sections of a `%NAME%` line, lines and an empty line.
///
/// It is searched as bytes: a `String` is made only of a line that is wanted, with U+FFFD for what is not
/// UTF-8.
struct DatabaseFile {
  private let bytes: [UInt8]

  /// Reads the file at once: pacman replaces these files, it does not write into them.
  init(path: String) throws(Errno) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Errno(rawValue: errno) }
    defer { close(descriptor) }

    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Errno(rawValue: errno) }
    let size = Int(status.st_size)
    var failure: Errno?
    bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      let length = read(descriptor, buffer.baseAddress, size)
      if length < 0 { failure = Errno(rawValue: errno) }
      count = max(length, 0)
    }
    if let failure { throw failure }
  }

  /// The whole file as text.
  var text: String {
    String(decoding: bytes, as: UTF8.self)
  }

  /// The first line of a section; nil if the section is absent or empty.
  func firstLine(of section: String) -> String? {
    withLines(of: section) { lines in
      var lines = lines
      return lines.next().map { String(decoding: $0, as: UTF8.self) }
    }
  }

  /// The lines of a section, in the file's order, all or those that match a pattern.
  func lines(of section: String, matching pattern: PathPattern? = nil) -> [String] {
    withLines(of: section) { lines in
      lines.compactMap { line in
        pattern.map { $0.matches(line) } ?? true ? String(decoding: line, as: UTF8.self) : nil
      }
    }
  }

  /// Whether a section lists this path, as a file or as a directory.
  func lists(_ path: PathName, in section: String) -> Bool {
    withLines(of: section) { lines in
      lines.contains(where: path.matches)
    }
  }

  private func withLines<Result>(of section: String, _ body: (SectionLines) -> Result) -> Result {
    bytes.withUnsafeBytes { body(SectionLines(of: section, in: $0)) }
  }
}
