// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSEngine
package import DKMSModel
package import Host
package import Initramfs
internal import Inspection

/// After a transaction: rebuilds the images that are not what they should be, each once.
package struct InitramfsHook: Hook {
  package static let kind = HelperKind.initramfs

  private let layout: Layout
  private let host: Host
  private let round: ImageRound

  /// Whether the generator of the hook file is installed, or there is any image where it names none; where not, the call
  /// costs next to nothing.
  ///
  /// - Throws: `DKMSError.system` where the hook file names a generator that does not exist.
  package static func concerns(_ call: HookCall, layout: Layout, host: Host) throws(DKMSError) -> Bool {
    let generators = try generators(of: call)
    let installed = InstalledGenerators(Database(root: layout.root)).kinds
    guard generators.isEmpty else { return installed.contains(where: generators.contains) }
    return !installed.isEmpty || FoundImages.areAny(on: BootSystem(root: layout.root, host: host))
  }

  /// The generators that a hook file is for; none for whichever there is.
  private static func generators(of call: HookCall) throws(DKMSError) -> [ImageGenerator] {
    var generators: [ImageGenerator] = []
    for name in call.arguments {
      guard let generator = ImageGenerator.allCases.first(where: { $0.rawValue == name }) else {
        throw .system(
          operation: "make", subject: "initramfs images with '\(name)'", reason: "there is no such generator")
      }
      generators.append(generator)
    }
    return generators
  }

  package init(_ call: HookCall, layout: Layout, host: Host) async throws(DKMSError) {
    let generators = try Self.generators(of: call)
    let settings = try await Settings.read(over: layout, host: host)
    let (framework, configuration) = (settings.framework, settings.suite)
    self.layout = framework.layout
    self.host = host
    do {
      round = try await ImageRound(
        framework.snapshot(on: host), configuration, call.targets,
        for: generators.count == 1 ? generators[0] : nil)
    } catch { throw DKMSError(error) }
  }

  /// Locks the images, which all runs share with the room for them: the second to come finds them fresh.
  ///
  /// - Throws: `DKMSError.system` where they cannot be locked, or the task is cancelled.
  package func lock() async throws(DKMSError) -> DirectoryLock? {
    guard round.looksAtImages else { return nil }
    do throws(HostError) {
      return try await DirectoryLock.acquire(layout.imageState, .exclusive) {
        host.console.print("  -> waiting for another run that makes images")
      }
    } catch { throw DKMSError(error) }
  }

  package func recover() async throws(DKMSError) -> Bool {
    do { return try await round.resume() } catch { throw DKMSError(error) }
  }

  package func look() async throws(DKMSError) -> RoundFacts { try await round.look() }

  package static func plan(_ facts: RoundFacts) -> ImagePlan { ImagePlan(facts.images) }

  package func carryOut(_ plan: ImagePlan, from facts: RoundFacts) async -> HookEnding {
    await round.carryOut(plan, from: facts)
  }
}

/// The facts that decide which images are made.
package struct RoundFacts: HookFacts {
  /// The images, and what there is of them.
  package var images: ImageFacts
  /// The generators that are installed.
  package var installed: [ImageGenerator] = []
  /// The one whose images the system boots with; nil if there is none, or if that is not clear.
  package var chosen: ImageGenerator?
  /// The one that the hook file is for; nil for whichever there is.
  package var requested: ImageGenerator?
  /// What of the generator's configuration cannot be read.
  package var problems: [GenerationError] = []
}

// MARK: Words

extension RoundFacts {
  package var words: [String] {
    images.runs.flatMap(\.conditions).map { "image \($0.image.path): \($0.words)" }
      + problems.map { "error: \($0)" }
  }
}

extension ImagePlan: HookPlan {
  package var words: [String] { entries.map(\.words) }

  package func words(_ outcomes: [Outcome]) -> [String] {
    zip(generated.map(\.subject), outcomes).map { "\($0): \($1.words)" } + kept.map(\.words)
  }

  package func summary(_ outcomes: [Outcome]?) -> String {
    let outcomes = outcomes ?? []
    let parts = [
      (outcomes.count(where: \.isDone), "made"), (outcomes.count { $0.failure != nil }, "failed"),
      (generated.count - outcomes.count { $0 != .notTried }, "not made"), (kept.count, "kept"),
    ]
    return parts.inWords ?? "no image"
  }
}
