// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSEngine
package import DKMSModel
package import Host
internal import JSON
package import Journal
package import SystemPackage

extension Hook {
  /// Reads the targets and acts on them; returns 0 if all is well.
  ///
  /// Pacman reports any other status.
  package static func run(
    _ arguments: [String] = [], _ input: FileDescriptor, layout: Layout = Layout(), host: Host
  ) async -> Int32 {
    let lines: [TargetLine]
    do throws(HostError) { lines = try await input.lines().map(TargetLine.init) } catch {
      if Task.isCancelled {
        Narrator(host.console).interrupted()
        return ExitStatus.interrupted.rawValue
      }
      Narrator(host.console).fail(DKMSError(error))
      return 1
    }
    return await perform(lines, arguments, layout: layout, host: host).status
  }

  /// What a call with these targets would see and do, including what earlier calls left undone; nothing is
  /// changed.
  ///
  /// - Throws: `DKMSError` where that cannot be found out.
  package static func preview(
    for targets: [HookTarget], layout: Layout, host: Host
  ) async throws(DKMSError) -> HookPreview {
    let unfinished: Journal.Unfinished
    do throws(JournalError) { unfinished = try self.unfinished(in: Journal(layout)) } catch {
      throw .system(
        operation: "tell", subject: "what earlier calls have left undone", reason: "\(error)")
    }
    let call = HookCall(targets: targets + unfinished.calls.flatMap(targets(toFinish:)))
    let facts = try await Self(call, layout: layout, host: host).look()
    return HookPreview(facts: facts, plan: plan(facts))
  }

  /// Acts on lines of targets.
  package static func perform(
    _ lines: [TargetLine], _ arguments: [String] = [], by caller: Caller = .pacman, layout: Layout, host: Host
  ) async -> HookResult {
    let narrator = Narrator(host.console)
    var call = HookCall(targets: lines.compactMap(\.target), arguments: arguments)
    do throws(DKMSError) {
      guard !call.targets.isEmpty, try concerns(call, layout: layout, host: host) else {
        return HookResult(status: 0)
      }
    } catch {
      narrator.fail(error)
      return HookResult(status: 1)
    }
    guard host.isRoot else {
      host.console.printError("==> ERROR: this is for pacman to run, as root")
      return HookResult(status: 1)
    }
    let journal = Journal(layout)
    // These must come before this call itself is on record.
    takeOverSettings(since: journal, layout, narrator)
    let unfinished = resumed(from: journal, narrator)
    call.targets += unfinished.flatMap(Self.targets(toFinish:))
    var record = JournalRecord(kind, by: caller, targets: lines, began: host.now())
    let transaction = caller == .pacman ? host.parent : host.process
    record.transaction = transaction.isEmpty ? nil : transaction
    let entry = JournalEntry(record, journal, host)
    await entry.begin()
    do throws(DKMSError) {
      let hook = try await Self(call, layout: layout, host: host)
      let lock = try await hook.lock()
      let hasRecovered = try await hook.recover()
      let facts = try await hook.look()
      let plan = plan(facts)
      await entry.note(facts, plan)
      let ending = try await hook.carryOut(plan, from: facts)
      lock?.release()
      if Task.isCancelled { narrator.interrupted() }
      let status = Task.isCancelled ? ExitStatus.interrupted.rawValue : hasRecovered && ending.isWell ? 0 : 1
      return HookResult(status: status, record: await entry.end(status, ending.outcomes))
    } catch {
      narrator.fail(error)
      return HookResult(status: 1, record: await entry.end(1, error: error))
    }
  }

  // MARK: What was there before

  /// Takes over what was set for a package that this suite has replaced since the last call.
  private static func takeOverSettings(since journal: Journal, _ layout: Layout, _ narrator: Narrator) {
    do throws(DKMSError) {
      let former = try onFiles { () throws(HostError) in try FormerFramework(layout) }
      guard let former, former.time >= (try? journal.record(nil))?.began ?? 0 else { return }
      try former.takeOver()
      narrator.warn("\(former.kept) was renamed to \(former.place), so its settings apply again")
    } catch {
      narrator.fail(error)
    }
  }

  /// What earlier calls left undone; always empty for a helper that concerns only its own transaction.
  private static func unfinished(in journal: Journal) throws(JournalError) -> Journal.Unfinished {
    kind.resumes ? try journal.unfinished(of: kind.rawValue) : .init()
  }

  /// What an earlier call was told, and what its plan had begun.
  private static func targets(toFinish call: JournalRecord) -> [HookTarget] {
    // Another version may have written the plan.
    let plan: Plan? = try? call.plan?.decode()
    return call.knownTargets + (plan?.unfinishedTargets ?? [])
  }

  /// The earlier calls whose work this one also does; says which they are, and what is unknown.
  private static func resumed(from journal: Journal, _ narrator: Narrator) -> [JournalRecord] {
    let remedy = "to do everything that may be left undone: alpm-dkms reconcile"
    do throws(JournalError) {
      let unfinished = try unfinished(in: journal)
      for call in unfinished.calls {
        narrator.warn("call \(call.number) did not finish its work; this one finishes it")
      }
      for problem in unfinished.problems {
        narrator.warn("what an earlier call had yet to do is unknown: \(problem)")
        narrator.advise(remedy)
      }
      return unfinished.calls
    } catch {
      narrator.warn("what earlier calls had yet to do is unknown: \(error)")
      narrator.advise(remedy)
      return []
    }
  }
}

/// What a hook would see and do.
package struct HookPreview: Sendable {
  /// What it sees.
  package let facts: any HookFacts
  /// What it would do.
  package let plan: any HookPlan

  /// Holds both.
  package init(facts: any HookFacts, plan: any HookPlan) {
    self.facts = facts
    self.plan = plan
  }
}
