// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSEngine
internal import DKMSModel
internal import Hooks
public import Host
internal import Inspection
internal import JSON
internal import Journal

/// `alpm-dkms history`: the records of the journal, one line for each, the newest last.
public struct HistoryCommand: JournalCommand {
  private let count: Int?
  private let printsJSON: Bool

  /// Describes a call.
  ///
  /// - Parameters:
  ///   - count: How many of the newest are listed; nil for all.
  ///   - printsJSON: Whether programs read it.
  public init(count: Int? = nil, printsJSON: Bool = false) {
    self.count = count
    self.printsJSON = printsJSON
  }

  /// Lists the records; 0 also where there are none.
  public func run(layout: Layout, host: Host) async -> Int32 {
    let journal = Journal(layout)
    let numbers: [Int]
    do throws(JournalError) {
      numbers = try journal.numbers
    } catch {
      return error.tell(host.console)
    }
    let lines = numbers.suffix(max(0, count ?? .max)).map { number in
      do throws(JournalError) {
        return Line(try journal.record(number))
      } catch {
        return Line(number, error)
      }
    }
    if printsJSON {
      let records = lines.map { JSON(encoding: $0) }
      host.console.print(JSON.document(schema: 1, [.init("records", .array(records))]).text)
      return 0
    }
    if numbers.isEmpty { host.console.printError("==> no hook has left a record yet") }
    var table = Table([.right])
    for line in lines { table.append(line.cells) }
    for line in table.lines(host.style) { host.console.print(line) }
    return 0
  }

  /// What is listed about a record.
  private struct Line: Encodable {
    let number: Int
    var began: Int?
    var helper: String?
    var caller: Caller?
    var result = "unreadable"
    var summary: String

    init(_ record: JournalRecord) {
      number = record.number
      began = record.began
      helper = record.helper
      caller = record.caller
      result = record.result.rawValue
      summary = record.summary
    }

    init(_ number: Int, _ error: JournalError) {
      self.number = number
      summary = "\(error)"
    }

    var cells: [Table.Cell] {
      let isWell = result == JournalRecord.Result.well.rawValue
      let words = result == JournalRecord.Result.unfinished.rawValue ? "did not end" : result
      return [
        .init("\(number)"), .init(began.map(Moment.text) ?? ""), .init((helper ?? "").withVisibleControls),
        .init(words, isWell ? .good : .bad),
        .init((caller.map { $0 == .pacman ? "" : "(\($0.rawValue)) " } ?? "").withVisibleControls + summary),
      ]
    }
  }
}
