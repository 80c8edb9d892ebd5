// SPDX-License-Identifier: GPL-2.0-or-later

package import Host
internal import SystemPackage

/// What a transaction did to a package, as pacman's log has it.
package struct PackageOperation: Hashable {
  /// The package.
  package let package: String
  /// What was done.
  package let action: Action

  package enum Action: Hashable {
    /// It came.
    case installed(version: String)
    /// It changed to a newer version.
    case upgraded(from: String, to: String)
    /// It changed to an older version.
    case downgraded(from: String, to: String)
    /// It came again, as it was.
    case reinstalled(version: String)
    /// It went.
    case removed(version: String)
  }

  /// The version that is there afterwards; nil where none is.
  package var newVersion: String? {
    switch action {
    case .installed(let version), .reinstalled(let version): version
    case .upgraded(_, let version), .downgraded(_, let version): version
    case .removed: nil
    }
  }

  /// The version that was there before, where it was another.
  package var oldVersion: String? {
    switch action {
    case .upgraded(let version, _), .downgraded(let version, _): version
    case .installed, .reinstalled, .removed: nil
    }
  }

  package init(_ package: String, _ action: Action) {
    self.package = package
    self.action = action
  }

  /// Understands what follows `[ALPM]`: `upgraded foo (1 -> 2)`; nil where it is no such thing.
  package init?(_ text: Substring) {
    let words = text.split(separator: " ", maxSplits: 2)
    guard words.count == 3, words[2].hasPrefix("("), words[2].hasSuffix(")") else { return nil }
    package = String(words[1])
    let versions = words[2].dropFirst().dropLast()
    let version = String(versions)
    switch words[0] {
    case "installed": action = .installed(version: version)
    case "reinstalled": action = .reinstalled(version: version)
    case "removed": action = .removed(version: version)
    case "upgraded", "downgraded":
      let ends = versions.split(separator: " ")
      guard ends.count == 3, ends[1] == "->" else { return nil }
      let (old, new) = (String(ends[0]), String(ends[2]))
      action = words[0] == "upgraded" ? .upgraded(from: old, to: new) : .downgraded(from: old, to: new)
    default: return nil
    }
  }
}

/// A transaction as pacman's log has it.
package struct LoggedTransaction: Hashable {
  /// Its place in the log, counted from 1.
  package let number: Int
  /// When it began, as the log says it.
  package let time: String
  /// What was done, in the order of the log.
  package var operations: [PackageOperation] = []
  /// How it ended; nil where the log does not say, as after a power cut.
  package var end: End?

  /// How a transaction ended; the raw values are the log's words.
  package enum End: String, Hashable {
    case completed
    case failed
    case interrupted
  }
}

/// pacman's log, as it has been since pacman 5; lines of others and of older formats are passed over.
package enum PacmanLog {
  /// Which transaction is wanted.
  package enum Choice: Hashable {
    /// The last one in the log.
    case last
    /// The one in this place, counted from 1.
    case number(Int)

    /// Understands `last` or a number from 1.
    package init?(_ text: String) {
      if text == "last" {
        self = .last
      } else if let number = Int(text), number > 0 {
        self = .number(number)
      } else {
        return nil
      }
    }
  }

  /// What a search has found.
  package struct Answer: Hashable {
    /// The transaction; nil where the log has none in that place.
    package var transaction: LoggedTransaction?
    /// How many there are, as far as the log was read.
    package var count = 0
  }

  /// Looks for a transaction in one pass, in which no other is kept.
  ///
  /// - Throws: `HostError` where the log cannot be read.
  package static func find(_ choice: Choice, in reader: LineReader) throws(HostError) -> Answer {
    var answer = Answer()
    var isOpen = false
    while let bytes = try reader.next() {
      guard let line = Line(bytes) else { continue }
      if line.text == "transaction started" {
        if case .number(answer.count) = choice { return answer }
        answer.count += 1
        isOpen = choice == .last || choice == .number(answer.count)
        if isOpen { answer.transaction = LoggedTransaction(number: answer.count, time: line.time) }
      } else if isOpen, let end = line.end {
        answer.transaction?.end = end
        isOpen = false
      } else if isOpen, let operation = PackageOperation(line.text[...]) {
        answer.transaction?.operations.append(operation)
      }
    }
    return answer
  }

  /// A line of libalpm's: `[time] [ALPM] text`.
  private struct Line {
    let time: String
    let text: String

    /// Nil for a line from another program; in a long log nearly all lines are.
    init?(_ bytes: [UInt8]) {
      let mark = Array("] [ALPM] ".utf8)
      guard bytes.first == UInt8(ascii: "["), let end = bytes.firstIndex(of: UInt8(ascii: "]")),
        bytes[end...].starts(with: mark)
      else { return nil }
      time = String(decoding: bytes[1..<end], as: UTF8.self)
      text = String(decoding: bytes[(end + mark.count)...], as: UTF8.self)
    }

    var end: LoggedTransaction.End? {
      guard text.hasPrefix("transaction ") else { return nil }
      return LoggedTransaction.End(rawValue: String(text.dropFirst("transaction ".count)))
    }
  }
}
