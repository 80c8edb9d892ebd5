// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSEngine
public import DKMSModel
public import Host
package import Journal
public import SystemPackage

/// A helper that pacman starts: it reads targets from standard input, looks at the machine, decides, and acts.
///
/// What it saw and decided is in the journal before it acts.
public protocol Hook: Sendable {
  /// Which helper it is.
  static var kind: HelperKind { get }

  /// Finds out what the targets ask for.
  ///
  /// - Parameters:
  ///   - targets: What a hook file asks for.
  ///   - purpose: Whether the work will be done; a look changes nothing and says nothing.
  ///   - layout: Where things are, before framework.conf is read.
  ///   - host: The machine.
  /// - Returns: The work.
  /// - Throws: `DKMSError` where that cannot be found out.
  static func prepare(
    _ targets: [HookTarget], to purpose: HookPurpose, layout: Layout, host: Host
  ) async throws(DKMSError) -> HookWork
}

/// What a hook looks at the machine for.
public enum HookPurpose: Sendable {
  /// To act upon it.
  case act
  /// To say what it would do.
  case look
}

extension Hook {
  /// Runs the helper on the machine at hand and ends the process.
  public static func main() -> Never {
    Program.run { await run(.standardInput, host: .live()) }
  }

  /// Reads the targets and acts on them; 0 where all is well, so that pacman reports anything else.
  public static func run(_ input: FileDescriptor, layout: Layout = Layout(), host: Host) async -> Int32 {
    do throws(HostError) {
      return await settle(try input.lines().map(TargetLine.init), layout: layout, host: host).status
    } catch {
      Narrator(host.console).fail(DKMSError(error))
      return 1
    }
  }

  /// What a call with these targets would see, and what it would have to do, with all that earlier calls left undone.
  ///
  /// - Throws: `DKMSError` where that cannot be found out.
  package static func look(
    for targets: [HookTarget], layout: Layout, host: Host
  ) async throws(DKMSError) -> RecordedFacts {
    let unsettled = ((try? unfinished(in: Journal(layout)))?.calls ?? []).flatMap(\.knownTargets)
    return try await prepare(targets + unsettled, to: .look, layout: layout, host: host).facts
  }

  /// Acts on lines of targets.
  package static func settle(
    _ lines: [TargetLine], by caller: Caller = .pacman, layout: Layout, host: Host
  ) async -> Settlement {
    let targets = lines.compactMap(\.target)
    if targets.isEmpty { return Settlement(status: 0) }
    guard host.isRoot else {
      host.console.printError("==> ERROR: this is pacman's to run, as root")
      return Settlement(status: 1)
    }
    let journal = Journal(layout)
    // Before this call is on record itself.
    let unsettled = resumed(from: journal, Narrator(host.console))
    let entry = JournalEntry(
      JournalRecord(kind, by: caller, targets: lines, began: host.now()), journal, host)
    await entry.begin()
    do throws(DKMSError) {
      let work = try await prepare(
        targets + unsettled.flatMap(\.knownTargets), to: .act, layout: layout, host: host)
      let plan = work.facts.plan
      await entry.note(work.facts, plan)
      let ending = try await work.act(plan)
      if Task.isCancelled { Narrator(host.console).interrupted() }
      let status = Task.isCancelled ? ExitStatus.interrupted.rawValue : ending.isWell ? 0 : 1
      return Settlement(status: status, record: await entry.end(status, ending.outcomes))
    } catch {
      Narrator(host.console).fail(error)
      return Settlement(status: 1, record: await entry.end(1, error: error))
    }
  }

  /// What calls before this one left undone; none of a helper that concerns one transaction alone.
  private static func unfinished(in journal: Journal) throws(JournalError) -> Journal.Unfinished {
    kind.resumes ? try journal.unfinished(of: kind.rawValue) : .init()
  }

  /// The calls whose work this one does, too; says which, and what nobody knows.
  private static func resumed(from journal: Journal, _ narrator: Narrator) -> [JournalRecord] {
    let remedy = "to do all that may be undone: alpm-dkms reconcile"
    do throws(JournalError) {
      let unfinished = try unfinished(in: journal)
      for call in unfinished.calls {
        narrator.warn("call \(call.number) has not done all that it was to do; this one does it, too")
      }
      for problem in unfinished.problems {
        narrator.warn("what a call was to do is not known: \(problem)")
        narrator.advise(remedy)
      }
      return unfinished.calls
    } catch {
      narrator.warn("what earlier calls were to do is not known: \(error)")
      narrator.advise(remedy)
      return []
    }
  }
}
