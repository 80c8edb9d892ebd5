// SPDX-License-Identifier: GPL-2.0-or-later

internal import Archives
internal import DKMSModel
internal import Host
internal import JSON
internal import SystemPackage

/// What signs images for Secure Boot; programs read the raw values.
public enum ImageSigner: String, Codable, Hashable, Sendable {
  case sbctl
}

extension UnifiedKernelImage {
  /// Whether the file has an Authenticode signature, as Secure Boot wants one; whose it is, is not asked.
  ///
  /// Microsoft's description of the PE format: the fifth data directory is the attribute certificate table, whose
  /// address is a place in the file, and whose entries begin at multiples of eight bytes.
  ///
  /// - Throws: `ArchiveError` where it is no PE file, or cannot be read.
  func isSigned() throws(ArchiveError) -> Bool {
    guard let table = try certificateTable(), table.upperBound <= file.end else { return false }
    var offset = table.lowerBound
    while offset + Self.certificateHeader < table.upperBound {
      let header = try file.bytes(at: offset, count: Int(Self.certificateHeader))
      guard header.count == Self.certificateHeader else { return false }
      let length = header.number(at: 0)
      guard length > Self.certificateHeader, offset + length <= table.upperBound else { return false }
      if header.number(at: 6, length: 2) == Self.signedData { return true }
      offset += (length + 7) / 8 * 8
    }
    return false
  }

  private static let certificateHeader: Int64 = 8
  /// WIN_CERT_TYPE_PKCS_SIGNED_DATA.
  private static let signedData: Int64 = 2

  /// Where the certificates lie in the file; nil where it has none.
  private func certificateTable() throws(ArchiveError) -> Range<Int64>? {
    let optional = try optionalHeader()
    guard optional.count >= 2 else { return nil }
    // PE32+ has wider fields before its directories.
    let directories = optional.number(at: 0, length: 2) == 0x20B ? 112 : 96
    let entry = directories + 4 * 8
    guard optional.count >= entry + 8, optional.number(at: directories - 4) > 4 else { return nil }
    let (offset, size) = (optional.number(at: entry), optional.number(at: entry + 4))
    return offset > 0 && size > 0 ? offset..<offset + size : nil
  }

  /// Whether a file has a signature; nil where it is missing or no PE file.
  ///
  /// - Throws: `ImageError` where it cannot be looked at.
  static func isSigned(_ path: FilePath) throws(ImageError) -> Bool? {
    do { return try UnifiedKernelImage(FileRange(of: path)).isSigned() } catch {
      if case .system(.noSuchFileOrDirectory, _) = error.reason { return nil }
      guard error.reason.isFailedLook else { return nil }
      throw ImageError(error)
    }
  }
}

/// What the firmware and sbctl say of signatures.
struct SecureBoot: Sendable {
  /// Whether the firmware says that it starts only what is signed.
  let isEnforced: Bool
  /// The files that sbctl signs, with its own path of each.
  private let listed: [FilePath: String]
  private let hasSbctl: Bool

  /// The firmware's variable: four bytes of attributes before its value.
  private static let variable = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
  /// Where sbctl keeps its list, since version 0.15 and before.
  private static let lists = ["/var/lib/sbctl/files.json", "/usr/share/secureboot/files.db"]

  /// Looks at a system.
  ///
  /// - Throws: `GenerationError` where sbctl's list is there and cannot be read.
  init(_ system: BootSystem) throws(GenerationError) {
    let value = try? Files.read(system.place(Self.variable), upTo: 5)
    isEnforced = value.map { $0.count == 5 && $0[4] == 1 } ?? false
    hasSbctl = system.program("sbctl") != nil
    var listed: [FilePath: String] = [:]
    var damaged: FilePath?
    do throws(HostError) {
      for file in Self.lists.map(system.place) {
        guard let paths = Self.paths(in: try Files.contents(file) ?? []) else {
          damaged = file
          continue
        }
        for place in paths.map(system.place) { listed[try Files.resolved(place) ?? place] = place.string }
      }
    } catch {
      throw GenerationError(error)
    }
    if let damaged {
      throw GenerationError(
        damaged.string, "it is no JSON, so that nobody knows what sbctl signs",
        remedy: "move it away, and have sbctl sign each of its files again")
    }
    self.listed = listed
  }

  /// The files that sbctl signs in their places, without those of which it signs a copy; nil where the list
  /// makes no sense.
  private static func paths(in list: [UInt8]) -> [String]? {
    // sbctl begins with an empty file.
    if list.isEmpty { return [] }
    guard case .object(let members)? = try? JSONParser.parse(list) else { return nil }
    return members.compactMap { member in
      guard case .object(let fields) = member.value else { return nil }
      let (input, output) = (fields.text("file") ?? member.name, fields.text("output_file") ?? "")
      return output.isEmpty || output == input ? input : nil
    }
  }

  /// Who signs a file when it is made anew; nil where nobody here is known to.
  ///
  /// - Throws: `HostError` where its path cannot be resolved.
  func signer(of path: FilePath) throws(HostError) -> ImageSigner? {
    listed[try Files.resolved(path) ?? path] == nil ? nil : .sbctl
  }

  /// What is wrong with the signature of a file that is there, which may be known to have had one.
  ///
  /// - Returns: The flaw; nil where it has a signature, or needs none.
  /// - Throws: `ImageError` where it cannot be looked at.
  func flaw(of path: FilePath, wasSigned: Bool) throws(ImageError) -> ImageFlaw? {
    guard try UnifiedKernelImage.isSigned(path) == false else { return nil }
    let listed: String?
    do throws(HostError) { listed = self.listed[try Files.resolved(path) ?? path] } catch {
      throw ImageError(path: path.string, reason: "\(error)", isFailedLook: true)
    }
    guard listed != nil || isEnforced || wasSigned else { return nil }
    let remedy = listed.map { "sbctl sign \($0.quotedForShell)" } ?? self.remedy(for: path)
    return .unsigned(isRefused: isEnforced, remedy: remedy)
  }

  /// What has a file signed now, and whenever it is made anew.
  func remedy(for path: FilePath) -> String {
    hasSbctl
      ? "sbctl sign -s \(path.string.quotedForShell)"
      : "sign it with the key that this machine's firmware knows"
  }
}

extension [JSON.Member] {
  fileprivate func text(_ name: String) -> String? {
    guard case .string(let text)? = first(where: { $0.name == name })?.value else { return nil }
    return text
  }
}
