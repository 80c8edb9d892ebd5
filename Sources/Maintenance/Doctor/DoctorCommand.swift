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
  private let asks: @Sendable (String) async -> Bool?

  /// Describes a call.
  ///
  /// - Parameters:
  ///   - fixes: Whether to fix what is safe to fix.
  ///   - isAgreed: Whether to do that without asking.
  ///   - printsJSON: Whether programs read it; they get what is left after fixing, and what was fixed.
  ///   - asks: Asks the user, who says yes or no; nil where nobody can be asked, and nothing is done.
  public init(
    fixes: Bool = false, isAgreed: Bool = false, printsJSON: Bool = false,
    asks: @escaping @Sendable (String) async -> Bool? = TerminalQuestion.ask
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

  /// Looks and, where asked, fixes; the status, one of `ReportStatus`, is that of the end.
  public func run(layout: Layout = Layout(), host: Host) async -> Int32 {
    do throws(DKMSError) {
      if fixes && !host.isRoot {
        throw .system(operation: "fix", subject: "anything", reason: "this needs root")
      }
      let speaking = printsJSON ? host.forPrograms() : host
      let before = await diagnosis(layout, host)
      var diagnosis = before
      if fixes, !before.repairs.isEmpty {
        before.say(on: speaking.console, speaking.style)
        if try await isTold(before) {
          try await DoctorRepairs(layout, speaking).make(before.repairs)
          diagnosis = await self.diagnosis(layout, host)
        } else if !printsJSON {
          return before.status.rawValue
        }
      }
      if printsJSON {
        host.console.print(diagnosis.json(fixed: fixes ? before.safe(without: diagnosis) : nil).text)
      } else {
        diagnosis.say(on: host.console, host.style)
      }
      return diagnosis.status.rawValue
    } catch {
      let remedy = "to fix them without being asked: alpm-dkms doctor --fix --yes"
      Narrator(host.console).fail(error, remedy: error == Self.unanswered ? remedy : nil)
      return ReportStatus.unknown.rawValue
    }
  }

  private static let unanswered = DKMSError.system(
    operation: "ask", subject: "whether to fix them", reason: "there is no terminal")

  private func isTold(_ diagnosis: Diagnosis) async throws(DKMSError) -> Bool {
    if isAgreed { return true }
    let answer = await asks("Fix \(diagnosis.findings.filter(\.isSafe).count.counted("problem"))?")
    guard let answer else { throw Self.unanswered }
    return answer
  }

  private func diagnosis(_ layout: Layout, _ host: Host) async -> Diagnosis {
    await Diagnosis(DoctorFacts(layout, host: host, database: Database(root: layout.root)))
  }
}

/// Does what a diagnosis found safe to do.
struct DoctorRepairs {
  private let layout: Layout
  private let host: Host

  init(_ layout: Layout, _ host: Host) {
    self.layout = layout
    self.host = host
  }

  /// Makes repairs, modules.dep last; one that fails stops none of the others.
  ///
  /// - Throws: `DKMSError` where pacman is at work or framework.conf cannot be read.
  func make(_ repairs: [DoctorFinding.Repair]) async throws(DKMSError) {
    let database = Database(root: layout.root)
    let isLocked: Bool
    do { isLocked = try database.isLocked(root: layout.root) } catch { throw DKMSError(error) }
    if isLocked {
      throw .system(operation: "fix", subject: "\(layout.root)", reason: "pacman is at work on it")
    }
    let snapshot = try await Settings.read(over: layout, host: host).framework.snapshot(on: host)
    var releases: Set<KernelRelease> = []
    for repair in repairs {
      if case .depmod(let release) = repair { releases.insert(release) }
      if let release = await make(repair, snapshot, database) { releases.insert(release) }
    }
    let plan = Planner.writeDependencies(of: releases)
    let report = try await Executor(snapshot).execute(plan)
    for error in report.failures { Narrator(host.console).fail(error) }
    for case (let planned, .done) in zip(plan.steps, report.outcomes) {
      if case .depmod(let release) = planned.step { say("\(release): module dependencies updated") }
    }
  }

  /// Makes a repair other than of modules.dep; returns the kernel whose modules.dep is out of date
  /// afterwards, if any.
  private func make(
    _ repair: DoctorFinding.Repair, _ snapshot: Snapshot, _ database: borrowing Database
  ) async -> KernelRelease? {
    let layout = snapshot.layout
    do throws(DKMSError) {
      switch repair {
      case .depmod: break
      case .denyOthers(let path, let command):
        let result = try await host.run(
          Command("sh", ["-c", command], environment: host.environment))
        guard result.isSuccess else {
          throw .system(operation: "protect", subject: path, reason: result.errorText)
        }
        say("\(path): protected")
      case .prune(let path):
        // It may have changed while the user was deciding.
        let now = Snapshot(host: host, layout: layout, options: snapshot.options)
        let plan: PrunePlan
        do { plan = PrunePlan(try PruneFacts(now, database)) } catch { throw DKMSError(error) }
        guard let item = plan.items.first(where: { $0.path.string == path }) else { break }
        try item.removed(layout)
        say("\(path): removed")
        return item.kernel(in: layout)
      case .forget(let path):
        try forget(FilePath(path), layout)
        say("\(path): removed")
      }
    } catch {
      Narrator(host.console).fail(error)
    }
    return nil
  }

  private func forget(_ registration: FilePath, _ layout: Layout) throws(DKMSError) {
    guard let lock = DirectoryLock.tryExclusive(registration) else {
      throw .system(operation: "remove", subject: "\(registration)", reason: "another run is at work there")
    }
    // It is renamed first: a half-removed registration would mean something else.
    let doomed = registration.removingLastComponent()
      .appending(Layout.doomedName(of: registration.lastComponent?.string ?? ""))
    do throws(HostError) {
      try Files.discard(registration, as: doomed, last: "source")
    } catch { throw DKMSError(error) }
    lock.release()
    Files.removeEmptyDirectories(from: registration.removingLastComponent(), upTo: layout.dkmsTree)
  }

  private func say(_ text: String) { host.console.print("  -> \(text)") }
}

extension Prunable {
  fileprivate func removed(_ layout: Layout) throws(DKMSError) {
    do throws(HostError) { try remove(layout) } catch { throw DKMSError(error) }
  }
}
