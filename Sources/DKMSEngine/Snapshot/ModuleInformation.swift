// SPDX-License-Identifier: GPL-2.0-or-later

internal import Archives
package import DKMSModel
package import Host
package import SystemPackage

/// What a module file says of itself in the ELF section `.modinfo`, and whether it is signed.
package struct ModuleInformation: Hashable, Sendable {
  private let fields: [String: String]
  /// Whether a signature is appended to it.
  package let isSigned: Bool

  /// What came of asking a file.
  package enum Answer: Hashable, Sendable {
    /// There was no way to ask.
    case unknown
    /// It is no module, or no longer there.
    case unreadable
    /// This is what it says.
    case read(ModuleInformation)

    /// What it says, if anything.
    package var information: ModuleInformation? {
      if case .read(let information) = self { information } else { nil }
    }

    /// What tells a file from another build; what is no module says nothing.
    ///
    /// - Throws: `HostError` where there was no way to ask it.
    func identity(of file: FilePath) throws(HostError) -> ModuleIdentity {
      switch self {
      case .read(let information): information.identity
      case .unreadable: ModuleIdentity(version: "", sourceVersion: "")
      case .unknown: throw HostError("compare", file, .unanswered(program: "modinfo"))
      }
    }
  }

  private init(_ fields: [String: String], isSigned: Bool) {
    self.fields = fields
    self.isSigned = isSigned
  }

  /// Reads the bytes of an uncompressed module; a file that is not ELF gives nothing.
  package init(_ bytes: [UInt8]) {
    let entries = (ELF(bytes)?.section(".modinfo") ?? []).split(separator: 0)
    let texts = entries.map { String(decoding: $0, as: UTF8.self) }
    self.init(Self.fields(texts[...]), isSigned: bytes.suffix(Self.mark.count).elementsEqual(Self.mark))
  }

  /// The first value of a field.
  package subscript(field field: String) -> String? { fields[field] }

  /// The kernel release that it was built for.
  package var release: String? {
    fields["vermagic"]?.split(whereSeparator: \.isWhitespace).first.map(String.init)
  }

  /// What tells it from another build.
  package var identity: ModuleIdentity {
    let word = { (field: String) in
      fields[field]?.split(whereSeparator: \.isWhitespace).first.map(String.init) ?? ""
    }
    return ModuleIdentity(version: word("version"), sourceVersion: word("srcversion"))
  }

  /// What the kernel looks for at the end of a signed file.
  package static let mark = Array("~Module signature appended~\n".utf8)

  private static func fields(_ entries: ArraySlice<String>) -> [String: String] {
    var fields: [String: String] = [:]
    for entry in entries {
      guard let separator = entry.firstIndex(of: "=") else { continue }
      let name = String(entry[..<separator])
      if fields[name] == nil { fields[name] = String(entry[entry.index(after: separator)...]) }
    }
    return fields
  }

  /// Asks modinfo about files, compressed or not; one process for any number of them.
  package static func read(_ files: [FilePath], on host: Host) async -> [FilePath: Answer] {
    guard !files.isEmpty else { return [:] }
    let command = Command("modinfo", ["-0"] + files.map(\.string), environment: host.environment)
    guard let result = try? await host.launcher.run(command), let found = sections(of: result),
      // Where a part is lost in the middle, one file's beginning may be followed by another's end.
      result.termination != .exited(0) || Set(found.keys).isSuperset(of: files)
    else { return files.reduce(into: [:]) { $0[$1] = withoutAnswer(on: $1) } }
    return files.reduce(into: [:]) { answers, file in
      if let fields = found[file], fields["vermagic"] != nil {
        answers[file] = .read(ModuleInformation(fields, isSigned: fields["sig_id"] != nil))
      } else {
        answers[file] = look(at: file)
      }
    }
  }

  /// What modinfo has printed of each file; nil where it failed as a whole, or its output is cut short.
  private static func sections(of result: CommandResult) -> [FilePath: [String: String]]? {
    // It ends with 1 where it cannot read one of them; what it says of the others is still right.
    guard [.exited(0), .exited(1)].contains(result.termination), result.output.last == 0 else { return nil }
    let lines = result.text.split(separator: "\0").map(String.init)
    var starts = lines.indices.filter { lines[$0].hasPrefix(fileMark) }
    starts.append(lines.endIndex)
    var sections: [FilePath: [String: String]] = [:]
    for (start, end) in zip(starts, starts.dropFirst()) {
      let file = FilePath(String(lines[start].dropFirst(fileMark.count).drop { $0 == " " }))
      sections[file] = fields(lines[start..<end].dropFirst())
    }
    return sections
  }

  private static let fileMark = "filename:"

  /// Looks at a file of which modinfo has said nothing: it is no module, or modinfo could not read it.
  private static func look(at file: FilePath) -> Answer {
    do {
      let source = try FileRange(of: file)
      let plain = ByteReader(try Decompressor.plainBytes(of: source, in: file, limit: Int64(sizeLimit)))
      let information = ModuleInformation(try plain.take(sizeLimit))
      return information.release == nil ? .unreadable : .read(information)
    } catch {
      return error.reason.isFailedLook ? withoutAnswer(on: file) : .unreadable
    }
  }

  /// What is known of a file on which there is no answer: another run may have taken it away meanwhile.
  private static func withoutAnswer(on file: FilePath) -> Answer {
    (try? Files.exists(file)) == false ? .unreadable : .unknown
  }

  /// More than any module has, in bytes.
  private static let sizeLimit = 512 << 20
}

/// The section table of an ELF file of either size and byte order; a field that lies outside the file is nil.
private struct ELF {
  private let bytes: [UInt8]
  private let isWide: Bool
  private let isBigEndian: Bool

  init?(_ bytes: [UInt8]) {
    guard bytes.starts(with: [0x7F] + Array("ELF".utf8)), bytes.count > 5 else { return nil }
    self.bytes = bytes
    isWide = bytes[4] == 2
    isBigEndian = bytes[5] == 2
  }

  func section(_ name: String) -> ArraySlice<UInt8>? {
    guard let table = number(at: isWide ? 0x28 : 0x20, word),
      let size = number(at: isWide ? 0x3A : 0x2E, 2), let count = number(at: isWide ? 0x3C : 0x30, 2),
      let namesIndex = number(at: isWide ? 0x3E : 0x32, 2),
      let names = contents(at: table + namesIndex * size)
    else { return nil }
    for header in (0..<count).map({ table + $0 * size }) {
      guard let offset = number(at: header, 4), offset < names.count else { continue }
      if names.dropFirst(offset).prefix(while: { $0 != 0 }).elementsEqual(name.utf8) {
        return contents(at: header)
      }
    }
    return nil
  }

  private var word: Int { isWide ? 8 : 4 }

  private func contents(at header: Int) -> ArraySlice<UInt8>? {
    guard let offset = number(at: header + (isWide ? 0x18 : 0x10), word),
      let size = number(at: header + (isWide ? 0x20 : 0x14), word),
      offset <= bytes.count, size <= bytes.count - offset
    else { return nil }
    return bytes[offset..<offset + size]
  }

  private func number(at offset: Int, _ size: Int) -> Int? {
    guard offset >= 0, offset <= bytes.count - size else { return nil }
    let digits = bytes[offset..<offset + size]
    let value = (isBigEndian ? Array(digits) : digits.reversed()).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    // No offset in a file that fits in memory is larger, and sums of such numbers do not overflow.
    return value < 1 << 40 ? Int(value) : nil
  }
}
