// SPDX-License-Identifier: GPL-2.0-or-later

internal import Archives
internal import DKMSModel
internal import SystemPackage

/// A PE file that holds a kernel and its initramfs in sections.
struct UnifiedKernelImage {
  let file: FileRange
  private static let sectionHeaderLength = 40
  /// The sections that a stub of systemd reads; others are the stub's own and come and go with it.
  private static let partNames: Set<String> = [
    ".linux", ".osrel", ".cmdline", ".initrd", ".ucode", ".splash", ".dtb", ".dtbauto", ".hwids", ".efifw",
    ".uname", ".pcrsig", ".pcrpkey", ".profile",
  ]

  init(_ file: FileRange) { self.file = file }

  /// A part of the file that has a name.
  struct Section: Hashable {
    /// The name, such as `.cmdline`.
    let name: String
    /// Where its bytes lie in the file.
    let range: Range<Int64>
  }

  /// The part of the file that is the initramfs.
  func initrd() throws(ArchiveError) -> FileRange {
    guard let contents = try contents(of: ".initrd") else { throw damaged("it has no .initrd section") }
    return contents
  }

  /// The release of the kernel in it, as it tells itself; nil where it tells none.
  func release() throws(ArchiveError) -> String? {
    if let name = try contents(of: ".uname") {
      return KernelImage.word(try name.bytes(at: name.position, count: 256)[...])
    }
    guard let kernel = try contents(of: ".linux") else { return nil }
    return KernelImage.release(
      inHeader: try kernel.bytes(at: kernel.position, count: KernelImage.headerReach))
  }

  /// The bytes of a section; nil where it has none of this name.
  func contents(of name: String) throws(ArchiveError) -> FileRange? {
    guard let section = try sections().first(where: { $0.name == name }) else { return nil }
    guard section.range.upperBound <= file.end else { throw damaged("it is truncated") }
    return FileRange(section.range, of: file)
  }

  /// The names of what was put beside the stub and has any bytes, each as often as it is there.
  func parts() throws(ArchiveError) -> [String] {
    try sections().filter { Self.partNames.contains($0.name) && !$0.range.isEmpty }.map(\.name)
  }

  /// The parts that one file has and another has not; none where the first is missing or no such image.
  ///
  /// - Throws: `ImageError` where they cannot be looked at.
  static func parts(of old: FilePath, notIn new: FilePath) throws(ImageError) -> [String] {
    var has = try parts(of: new)
    return try parts(of: old).filter { name in
      guard let index = has.firstIndex(of: name) else { return true }
      has.remove(at: index)
      return false
    }
  }

  private static func parts(of file: FilePath) throws(ImageError) -> [String] {
    do {
      return try UnifiedKernelImage(FileRange(of: file)).parts()
    } catch {
      if case .system(.noSuchFileOrDirectory, _) = error.reason { return [] }
      guard error.reason.isFailedLook else { return [] }
      throw ImageError(error)
    }
  }

  /// All its sections, in their order.
  private func sections() throws(ArchiveError) -> [Section] {
    let (start, count) = try headers()
    let headers = try file.bytes(at: start, count: count * Self.sectionHeaderLength)
    guard headers.count == count * Self.sectionHeaderLength else { throw damaged("it is truncated") }
    return stride(from: 0, to: headers.count, by: Self.sectionHeaderLength).map { header in
      let virtualSize = headers.number(at: header + 8)
      let rawSize = headers.number(at: header + 16)
      // The file pads sections; what is longer in memory is zeros there.
      let size = virtualSize > 0 ? min(virtualSize, rawSize) : rawSize
      let offset = headers.number(at: header + 20)
      let name = String(decoding: headers[header..<header + 8].prefix { $0 != 0 }, as: UTF8.self)
      return Section(name: name, range: offset..<offset + size)
    }
  }

  /// Where the headers of its sections are, and how many there are.
  private func headers() throws(ArchiveError) -> (start: Int64, count: Int) {
    let (start, header) = try fileHeader()
    return (start + 24 + header.number(at: 20, length: 2), Int(header.number(at: 6, length: 2)))
  }

  /// The optional header, which says where the certificates are; the file's header has its length.
  ///
  /// - Throws: `ArchiveError` where it is no PE file, or cannot be read.
  func optionalHeader() throws(ArchiveError) -> [UInt8] {
    let (start, header) = try fileHeader()
    return try file.bytes(at: start + 24, count: Int(header.number(at: 20, length: 2)))
  }

  /// The header of the file, and where it is.
  private func fileHeader() throws(ArchiveError) -> (start: Int64, header: [UInt8]) {
    let stub = try file.bytes(at: 0, count: 64)
    guard stub.count == 64, stub.starts(with: Array("MZ".utf8)) else { throw damaged("it is not a PE file") }
    let start = stub.number(at: 60)
    let header = try file.bytes(at: start, count: 24)
    guard header.count == 24, header.starts(with: Array("PE".utf8) + [0, 0]) else {
      throw damaged("it is not a PE file")
    }
    return (start, header)
  }

  private func damaged(_ words: String) -> ArchiveError { ArchiveError(.read, file.file, .damaged(words)) }
}

extension [UInt8] {
  /// A number without sign, the least byte first.
  func number(at offset: Int, length: Int = 4) -> Int64 {
    self[offset..<offset + length].reversed().reduce(0) { $0 << 8 | Int64($1) }
  }
}
