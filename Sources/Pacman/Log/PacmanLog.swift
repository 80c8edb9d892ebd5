// SPDX-License-Identifier: GPL-2.0-or-later

package import Host
internal import SystemPackage

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
