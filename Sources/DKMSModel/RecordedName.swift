// SPDX-License-Identifier: GPL-2.0-or-later

internal import JSON

/// A value that is written to records as one text, and names members of objects there.
protocol RecordedName: Codable, CodingKeyRepresentable {
  /// The text; reading it gives the value again.
  var recordedText: String { get }

  /// Reads the text.
  ///
  /// - Throws: `DKMSError.invalidName` where the text is not that of such a value.
  init(recordedText: String) throws(DKMSError)
}

extension RecordedName {
  /// Writes the text.
  ///
  /// - Throws: What the encoder throws.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(recordedText)
  }

  /// Reads the text.
  ///
  /// - Throws: `DecodingError` where it cannot be the value's.
  public init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    do throws(DKMSError) {
      try self.init(recordedText: text)
    } catch {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "\(error)"))
    }
  }

  /// The text as the name of a member.
  public var codingKey: any CodingKey { MemberName(recordedText) }

  /// Reads the name of a member.
  public init?<Key: CodingKey>(codingKey: Key) {
    do throws(DKMSError) { try self.init(recordedText: codingKey.stringValue) } catch { return nil }
  }
}

extension ModuleID: RecordedName {
  var recordedText: String { description }

  init(recordedText: String) throws(DKMSError) {
    let parts = recordedText.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else {
      throw .invalidName(.moduleName, value: recordedText, problem: "no version follows it")
    }
    try self.init(name: String(parts[0]), version: String(parts[1]))
  }
}

extension KernelRelease: RecordedName {
  var recordedText: String { description }

  init(recordedText: String) throws(DKMSError) { try self.init(recordedText) }
}

extension Kernel: RecordedName {
  var recordedText: String { "\(release)/\(architecture)" }

  init(recordedText: String) throws(DKMSError) {
    let parts = recordedText.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else {
      throw .invalidName(.kernelRelease, value: recordedText, problem: "no architecture follows it")
    }
    try self.init(release: try KernelRelease(String(parts[0])), architecture: String(parts[1]))
  }
}

/// What a checked name stands for, so that an error can say it.
public enum NameKind: String, Codable, Sendable {
  /// `PACKAGE_NAME` of a dkms.conf.
  case moduleName = "module name"
  /// `PACKAGE_VERSION` of a dkms.conf.
  case moduleVersion = "module version"
  /// A kernel release.
  case kernelRelease = "kernel release"
  /// An architecture.
  case architecture = "architecture"
  /// What the caller sets over every dkms.conf.
  case directive = "directive"
}
