// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
internal import DKMSModel
internal import Host
internal import JSON
internal import Journal
internal import SystemPackage

/// Removes from texts what shows whose machine they come from, and what unlocks anything.
///
/// Secrets are found by their shapes, and, once one is known, wherever else it stands.
struct Redaction: Hashable {
  /// What each name or known secret becomes where it is a word of its own.
  private(set) var names: [String: String]
  /// What each phrase becomes, wherever it stands.
  var phrases: [String: String] = [:]

  init(hosts: Set<String>, users: Set<String>) {
    var names: [String: String] = [:]
    for user in users where !user.isEmpty { names[user] = "USER" }
    for host in hosts where !host.isEmpty && host != "localhost" { names[host] = "HOST" }
    self.names = names
  }

  /// Looks for the secrets of a text in all others, too.
  mutating func learn(from text: String) {
    for secret in SecretShapes(in: text).secrets { names[secret] = SecretShapes.replacement }
  }

  /// The names of this machine and of the people on it.
  init(_ layout: Layout, _ host: Host) {
    let passwords = (try? Files.text(layout.root.appending("etc/passwd"))) ?? ""
    let people = passwords.split(separator: "\n").flatMap { line -> [String] in
      let fields = line.split(separator: ":", omittingEmptySubsequences: false)
      guard fields.count > 2, let number = Int(fields[2]), (1000..<65534).contains(number) else { return [] }
      let fullName = fields.count > 4 ? fields[4].prefix { $0 != "," } : ""
      return [fields[0], fullName].filter { $0.count > 1 }.map(String.init)
    }
    let callers = ["SUDO_USER", "LOGNAME", "USER"].compactMap { host.environment[$0] }.filter { $0 != "root" }
    let files = ["/proc/sys/kernel/hostname", layout.root.appending("etc/hostname")]
    let hosts = files.map { try? Files.text($0) }
      .compactMap { $0 }
    let shortHosts = hosts.compactMap { $0.split(separator: ".").first.map(String.init) }
    self.init(hosts: Set(hosts + shortHosts), users: Set(people + callers))
    let identifiers = ["etc/machine-id", "var/lib/dbus/machine-id"].map {
      layout.root.appending(FilePath($0).components)
    }
    for identifier in identifiers.compactMap({ try? Files.text($0) }) where !identifier.isEmpty {
      names[identifier] = SecretShapes.replacement
    }
    learn(from: host.environment.map { "\($0.key)=\($0.value)\n" }.joined())
  }

  /// The text without names, keys and anything else that has the shape of a secret or is one.
  func applied(to text: String) -> String {
    var text = text
    for (phrase, replacement) in phrases.sorted(by: {
      ($1.key.utf8.count, $0.key) < ($0.key.utf8.count, $1.key)
    }) {
      text = text.replacing(phrase, with: replacement)
    }
    text = SecretShapes(in: Self.withoutKeys(text)).redacted
    // Long names first: a short one may be part of them.
    let ordered = names.sorted { ($1.key.utf8.count, $0.key) < ($0.key.utf8.count, $1.key) }
    for (name, replacement) in ordered { text = Self.replacing(name, in: text, with: replacement) }
    return text
  }

  /// The same of every text in a value, names of members among them.
  func applied(to json: JSON) -> JSON {
    switch json {
    case .null, .bool, .number: json
    case .string(let text): .string(applied(to: text))
    case .array(let values): .array(values.map(applied(to:)))
    // Nothing of a secret is seen in base64.
    case .object(let members) where members.count == 1 && members[0].name == "base64":
      switch members[0].value {
      case .string(let text):
        .string(applied(to: String(decoding: Base64.bytes(of: text) ?? [], as: UTF8.self)))
      default: .string("")
      }
    case .object(let members):
      .object(members.map { .init(applied(to: $0.name), applied(to: $0.value)) })
    }
  }

  /// Replaces a name where it is a word of its own.
  private static func replacing(_ name: String, in text: String, with replacement: String) -> String {
    var result = ""
    var rest = text[...]
    var before: Character?
    while let range = rest.firstRange(of: name) {
      let preceding =
        range.lowerBound == rest.startIndex ? before : rest[rest.index(before: range.lowerBound)]
      let following = range.upperBound == rest.endIndex ? nil : rest[range.upperBound]
      let isWord = preceding?.isNamePart != true && following?.isNamePart != true
      result += rest[..<range.lowerBound] + (isWord ? replacement : name)
      before = rest[rest.index(before: range.upperBound)]
      rest = rest[range.upperBound...]
    }
    return result + rest
  }

  private static func withoutKeys(_ text: String) -> String {
    var lines: [Substring] = []
    var isInKey = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.contains("-----BEGIN") && line.contains("PRIVATE KEY") {
        isInKey = true
        lines.append("(a private key was here)")
      }
      if !isInKey { lines.append(line) }
      if line.contains("-----END") { isInKey = false }
    }
    return lines.joined(separator: "\n").parts(between: "pkcs11:")
      .enumerated().map { index, part in
        index == 0 ? String(part) : "pkcs11:REMOVED" + part.drop { !$0.isWhitespace && !"\"'".contains($0) }
      }.joined()
  }
}

extension Character {
  fileprivate var isNamePart: Bool { isLetter || isNumber || self == "_" }
}
