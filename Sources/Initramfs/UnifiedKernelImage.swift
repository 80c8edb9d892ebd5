// SPDX-License-Identifier: GPL-2.0-or-later

internal import Archives
internal import DKMSModel

/// A PE file that holds a kernel and its initramfs in sections.
struct UnifiedKernelImage {
  private let file: FileRange
  private static let sectionHeaderLength = 40
  private static let initrd = Array(".initrd".utf8) + [0]

  init(_ file: FileRange) { self.file = file }

  /// The part of the file that is the initramfs.
  func initrd() throws(ArchiveError) -> FileRange {
    let (start, count) = try sections()
    let headers = try file.bytes(at: start, count: count * Self.sectionHeaderLength)
    guard headers.count == count * Self.sectionHeaderLength else { throw damaged("it is truncated") }
    for header in stride(from: 0, to: headers.count, by: Self.sectionHeaderLength)
    where Array(headers[header..<header + 8]) == Self.initrd {
      let virtualSize = headers.number(at: header + 8)
      let rawSize = headers.number(at: header + 16)
      // The file pads sections; what is longer in memory is zeros there.
      let size = virtualSize > 0 ? min(virtualSize, rawSize) : rawSize
      let offset = headers.number(at: header + 20)
      guard offset + size <= file.end else { throw damaged("it is truncated") }
      return FileRange(offset..<offset + size, of: file)
    }
    throw damaged("it has no .initrd section")
  }

  /// Where the headers of its sections are, and how many there are.
  private func sections() throws(ArchiveError) -> (start: Int64, count: Int) {
    let stub = try file.bytes(at: 0, count: 64)
    guard stub.count == 64, stub.starts(with: Array("MZ".utf8)) else { throw damaged("it is not a PE file") }
    let start = stub.number(at: 60)
    let header = try file.bytes(at: start, count: 24)
    guard header.count == 24, header.starts(with: Array("PE".utf8) + [0, 0]) else {
      throw damaged("it is not a PE file")
    }
    return (start + 24 + header.number(at: 20, length: 2), Int(header.number(at: 6, length: 2)))
  }

  private func damaged(_ words: String) -> ArchiveError { ArchiveError(.read, file.file, .damaged(words)) }
}

extension [UInt8] {
  /// A number without sign, the least byte first.
  fileprivate func number(at offset: Int, length: Int = 4) -> Int64 {
    self[offset..<offset + length].reversed().reduce(0) { $0 << 8 | Int64($1) }
  }
}
