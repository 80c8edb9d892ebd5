// SPDX-License-Identifier: GPL-2.0-or-later

package import Host
package import SystemPackage

/// A pacman hook file, as alpm-hooks(5) describes it.
package struct HookFile: Hashable {
  /// The file's name, by which hooks are ordered.
  package let name: String
  /// Any of them makes the hook run; a file without triggers only hides another file of the same name.
  package var triggers: [Trigger] = []
  /// When it runs; nil if the file does not say, which is allowed without triggers.
  package var moment: Moment?
  /// What it runs.
  package var command = ""
  /// Whether what it runs gets the targets.
  package var needsTargets = false

  package enum Moment: String, Hashable {
    case before = "PreTransaction"
    case after = "PostTransaction"
  }

  package struct Trigger: Hashable {
    package var operations: Set<Operation> = []
    package var kind: Kind?
    package var patterns: [String] = []
  }

  package enum Operation: String, Hashable {
    case install = "Install"
    case upgrade = "Upgrade"
    case remove = "Remove"
  }

  package enum Kind: Hashable { case path, package }

  /// What is wrong with a hook file; with one such file pacman refuses every transaction.
  package struct Malformed: Error, Hashable, CustomStringConvertible {
    package let name: String
    package let line: Int?
    package let text: String

    /// Describes a problem; a line is counted from 1.
    package init(name: String, line: Int?, text: String) {
      self.name = name
      self.line = line
      self.text = text
    }

    package var description: String { "\(name)\(line.map { ", line \($0)" } ?? ""): \(text)" }
  }

  /// Reads a file.
  ///
  /// - Throws: `Malformed` for what pacman would not take either.
  package init(name: String, text: String) throws(Malformed) {
    self.name = name
    var section = ""
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let line = line.trimmed
      if line.isEmpty || line.hasPrefix("#") { continue }
      if line.hasPrefix("["), line.hasSuffix("]") {
        section = String(line.dropFirst().dropLast())
        if section == "Trigger" { triggers.append(Trigger()) }
        continue
      }
      let parts = line.split(separator: "=", maxSplits: 1).map { String($0.trimmed) }
      let key = parts.first ?? ""
      let value = parts.count > 1 ? parts[1] : ""
      let isKnown =
        section == "Trigger" ? readTrigger(key, value) : section == "Action" && readAction(key, value)
      guard isKnown else {
        throw Malformed(name: name, line: index + 1, text: "'\(line)' means nothing in [\(section)]")
      }
    }
    let isComplete = triggers.allSatisfy { !$0.operations.isEmpty && $0.kind != nil && !$0.patterns.isEmpty }
    guard triggers.isEmpty || isComplete && !command.isEmpty && moment != nil else {
      throw Malformed(name: name, line: nil, text: "it lacks something that pacman requires of a hook")
    }
  }

  private mutating func readTrigger(_ key: String, _ value: String) -> Bool {
    let last = triggers.count - 1
    switch key {
    case "Operation":
      guard let operation = Operation(rawValue: value) else { return false }
      triggers[last].operations.insert(operation)
    case "Type":
      // `File` is what `Path` was called before pacman 5.2.
      guard ["Path", "File", "Package"].contains(value) else { return false }
      triggers[last].kind = value == "Package" ? .package : .path
    case "Target": triggers[last].patterns.append(value)
    default: return false
    }
    return true
  }

  private mutating func readAction(_ key: String, _ value: String) -> Bool {
    switch key {
    case "When":
      guard let moment = Moment(rawValue: value) else { return false }
      self.moment = moment
    case "Exec": command = value
    case "NeedsTargets": needsTargets = true
    case "Description", "Depends", "AbortOnFail": break
    default: return false
    }
    return true
  }
}

extension Substring {
  fileprivate var trimmed: Substring {
    let head = drop(while: \.isWhitespace)
    return head.lastIndex { !$0.isWhitespace }.map { head[...$0] } ?? ""
  }
}

extension HookFile {
  /// The hooks that pacman finds in directories, by name; of two with one name that in a later directory counts.
  ///
  /// - Returns: The hooks, and what is wrong with files that are none.
  /// - Throws: `HostError` where a directory cannot be looked into.
  package static func all(
    in directories: [FilePath]
  ) throws(HostError) -> (hooks: [HookFile], problems: [Malformed]) {
    var files: [String: FilePath] = [:]
    for directory in directories {
      for name in try Files.list(directory) where name.hasSuffix(".hook") {
        files[name] = directory.appending(name)
      }
    }
    var hooks: [HookFile] = []
    var problems: [Malformed] = []
    for (name, file) in files.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) })
    where try Files.linkTarget(file) != "/dev/null" {
      do throws(Malformed) {
        let bytes: [UInt8]
        do { bytes = try Files.read(file, limit: sizeLimit) } catch {
          throw Malformed(name: name, line: nil, text: "it cannot be read: \(error.reason)")
        }
        hooks.append(try HookFile(name: name, text: String(decoding: bytes, as: UTF8.self)))
      } catch {
        problems.append(error)
      }
    }
    return (hooks, problems)
  }

  /// The most that a hook file may hold, in bytes; what is larger is a problem.
  private static let sizeLimit = 1 << 20
}
