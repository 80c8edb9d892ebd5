// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSEngine
public import DKMSModel
public import Host
public import SystemPackage

/// A helper that pacman starts: it reads targets from standard input and acts on them.
public protocol Hook: Sendable {
  /// Acts on the targets that a hook file asks for.
  ///
  /// - Returns: Whether all is well.
  static func run(_ targets: [HookTarget], layout: Layout, host: Host) async throws(DKMSError) -> Bool
}

extension Hook {
  /// Runs the helper on the machine at hand and ends the process.
  public static func main() -> Never {
    Program.run { await run(.standardInput, host: .live()) }
  }

  /// Reads the targets and acts on them; 0 where all is well, so that pacman reports anything else.
  public static func run(_ input: FileDescriptor, layout: Layout = Layout(), host: Host) async -> Int32 {
    do throws(DKMSError) {
      return await settle(try lines(of: input), layout: layout, host: host)
    } catch {
      Narrator(host.console).fail(error)
      return 1
    }
  }

  /// Acts on lines of targets; 0 where all is well.
  static func settle(_ lines: [String], layout: Layout, host: Host) async -> Int32 {
    do throws(DKMSError) {
      let targets = lines.compactMap(HookTarget.init(line:))
      if targets.isEmpty { return 0 }
      guard host.isRoot else {
        host.console.printError("==> ERROR: this is pacman's to run, as root")
        return 1
      }
      let isWell = try await run(targets, layout: layout, host: host)
      if Task.isCancelled {
        Narrator(host.console).interrupted()
        return ExitStatus.interrupted.rawValue
      }
      return isWell ? 0 : 1
    } catch {
      Narrator(host.console).fail(error)
      return 1
    }
  }

  private static func lines(of input: FileDescriptor) throws(DKMSError) -> [String] {
    do { return try input.lines() } catch { throw DKMSError(error) }
  }
}
