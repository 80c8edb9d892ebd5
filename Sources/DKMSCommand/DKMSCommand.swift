// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
public import DKMSModel
public import Host

/// The `dkms` command, whole, in this process.
public enum DKMSCommand {
  /// Runs a call.
  ///
  /// - Parameters:
  ///   - words: The words after the name of the program.
  ///   - host: The machine to run on.
  /// - Returns: The status to end with, the reference's number.
  public static func run(arguments words: [String], host: Host) async -> ExitStatus {
    do {
      let arguments = try Arguments(words, from: host.workingDirectory)
      var host = host
      if arguments.isQuiet {
        host.console = .silent
        host.signOfLife = .none
      }
      for remark in arguments.remarks { Narrator(host.console).warn(remark) }
      return try await answer(arguments, Call("dkms", words), host)
    } catch let error as UsageError {
      host.console.printError("==> ERROR: \(error.message)")
      if let remedy = error.remedy(for: words) { Narrator(host.console).advise(remedy) }
      return error.exitStatus
    } catch let error as DKMSError {
      Narrator(host.console).fail(error)
      return error.exitStatus
    } catch let error as HostError {
      Narrator(host.console).fail(DKMSError(error))
      return .refused
    } catch {
      host.console.printError("==> ERROR: \(error)")
      return .refused
    }
  }

  /// Runs a call on the machine at hand and ends the process.
  public static func main() -> Never {
    Program.run {
      await run(arguments: Array(Program.arguments.dropFirst()), host: .live().colored()).rawValue
    }
  }

  private static func answer(_ arguments: Arguments, _ call: Call, _ host: Host) async throws -> ExitStatus {
    switch (arguments.request, arguments.action) {
    case (.help, _):
      host.console.print(Usage.text)
      return .success
    case (.version, _):
      host.console.print("dkms-\(Reference.version)")
      host.console.print("alpm-dkms \(Version.current)")
      return .success
    case (nil, let action?):
      let runner = try await ActionRunner(action, arguments, typed: call, host)
      do {
        return try await runner.run()
      } catch let error as DKMSError {
        runner.fail(error)
        return error.exitStatus
      }
    case (nil, nil):
      throw UsageError.noAction
    }
  }
}
