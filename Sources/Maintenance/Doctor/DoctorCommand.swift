// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSEngine
internal import DKMSModel
public import Host
internal import Inspection
internal import JSON
internal import SystemPackage

/// `alpm-dkms doctor`: says what is wrong with a system, and on request fixes what is safe to fix.
public struct DoctorCommand: Sendable {
  private let fixes: Bool
  private let isAgreed: Bool
  private let printsJSON: Bool
  private let asks: @Sendable (String) -> Bool?

  /// Describes a call.
  ///
  /// - Parameters:
  ///   - fixes: Whether to fix what is safe to fix.
  ///   - isAgreed: Whether to do that without asking.
  ///   - printsJSON: Whether programs read it; they get what is left after fixing, and what was fixed.
  ///   - asks: Asks the user, who says yes or no; nil where nobody can be asked, and nothing is done.
  public init(
    fixes: Bool = false, isAgreed: Bool = false, printsJSON: Bool = false,
    asks: @escaping @Sendable (String) -> Bool? = TerminalQuestion.ask
  ) {
    self.fixes = fixes
    self.isAgreed = isAgreed
    self.printsJSON = printsJSON
    self.asks = asks
  }

  /// Runs it on the machine at hand and ends the process.
  public func main() -> Never {
    Program.run { [self] in await run(host: .live().forPeople()) }
  }

  /// Looks and, where asked, fixes; 0 where nothing is wrong in the end, else 1.
  public func run(layout: Layout = Layout(), host: Host) async -> Int32 {
    do throws(DKMSError) {
      if fixes && !host.isRoot {
        throw .system(operation: "fix", subject: "anything", reason: "this needs root")
      }
      let speaking = printsJSON ? host.forPrograms() : host
      let before = await diagnosis(layout, host)
      var diagnosis = before
      if fixes, !before.repairs.isEmpty {
        before.lines(speaking.style).forEach(speaking.console.print)
        if try isTold(before) {
          try await DoctorRepairs(layout, speaking).make(before.repairs)
          diagnosis = await self.diagnosis(layout, host)
        } else if !printsJSON {
          return 1
        }
      }
      if printsJSON {
        host.console.print(diagnosis.json(fixed: fixes ? before.safe(without: diagnosis) : nil).text)
      } else {
        diagnosis.lines(host.style).forEach(host.console.print)
      }
      return diagnosis.findings.isEmpty ? 0 : 1
    } catch {
      Narrator(host.console).fail(error)
      return 1
    }
  }

  private func isTold(_ diagnosis: Diagnosis) throws(DKMSError) -> Bool {
    if isAgreed { return true }
    let answer = asks("Fix \(diagnosis.findings.filter(\.isSafe).count.counted("problem"))?")
    guard let answer else {
      throw .system(
        operation: "ask", subject: "whether to fix them",
        reason: "there is no terminal; to go ahead, add --yes")
    }
    return answer
  }

  private func diagnosis(_ layout: Layout, _ host: Host) async -> Diagnosis {
    await Diagnosis(DoctorFacts(layout, host: host, database: Database(root: layout.root)))
  }
}
