// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSEngine
public import DKMSModel
public import Host
internal import Inspection
internal import SystemPackage

/// After a transaction: makes the images anew that are not what they should be, each once.
public enum InitramfsHook: Hook {
  /// Which helper it is.
  public static let kind = HelperKind.initramfs

  /// Runs the helper on the machine at hand and ends the process.
  ///
  /// - Parameter arguments: The generator that the hook file is for; none for whichever there is.
  public static func main(arguments: [String]) -> Never {
    Program.run { await run(arguments: arguments, .standardInput, host: .live()) }
  }

  static func run(
    arguments: [String], _ input: FileDescriptor, layout: Layout = Layout(), host: Host
  ) async -> Int32 {
    if let name = arguments.first {
      guard let kind = ImageGenerator(rawValue: name) else {
        Narrator(host.console).warn("'\(name)' is no generator of initramfs images")
        return 1
      }
      // A hook file whose generator is not there costs next to nothing; pacman wants its targets read.
      guard InstalledGenerators(Database(root: layout.root)).kinds.contains(kind) else {
        _ = try? input.readToEnd()
        return 0
      }
      return await $onlyGenerator.withValue(kind) { await run(input, layout: layout, host: host) }
    }
    return await run(input, layout: layout, host: host)
  }

  /// The generator that a hook file is for.
  @TaskLocal private static var onlyGenerator: ImageGenerator?

  /// Looks at the images of the kernels that targets concern.
  ///
  /// - Throws: `DKMSError` where framework.conf cannot be read or another run cannot be waited for.
  public static func prepare(
    _ targets: [HookTarget], to purpose: HookPurpose, layout: Layout, host: Host
  ) async throws(DKMSError) -> HookWork {
    let framework = try await Framework.read(over: layout, host: host)
    let configuration = SuiteConfiguration.read(framework.layout.suiteConfiguration).configuration
    if configuration.initramfs == .never {
      return HookWork(.images(ImageFacts(policy: .never))) { _ in HookEnding(isWell: true) }
    }
    let lock = purpose == .act ? try await ImageLock(framework.layout, host) : nil
    let round = ImageRound(framework, configuration, host)
    let prospect = await round.look(to: purpose, targets, for: onlyGenerator)
    return HookWork(.images(prospect.facts)) { plan in
      defer { withExtendedLifetime(lock) {} }
      guard case .images(let plan) = plan else { return HookEnding(isWell: true) }
      return await round.carryOut(plan, after: prospect.problems)
    }
  }
}

/// Images and the room for them are everybody's: whoever comes second finds them fresh.
private final class ImageLock: Sendable {
  private let lock: DirectoryLock

  init(_ layout: Layout, _ host: Host) async throws(DKMSError) {
    do throws(HostError) {
      lock = try await DirectoryLock.acquire(layout.imageState, .exclusive) {
        host.console.print("  -> waiting for another run that makes images")
      }
    } catch { throw DKMSError(error) }
  }
}
