// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
public import DKMSModel
public import Host
internal import SystemPackage

/// The `dkms` command, whole, in this process.
public enum DKMSCommand {
  /// Runs a call.
  ///
  /// - Parameters:
  ///   - arguments: The words after the name of the program.
  ///   - host: The machine to run on.
  /// - Returns: The status to end with, the reference's number.
  public static func run(arguments: [String], host: Host) async -> ExitStatus {
    do {
      let arguments = try Arguments(arguments)
      var host = host
      if arguments.isQuiet { host.console = .silent }
      for remark in arguments.remarks { Narrator(host.console).warn(remark) }
      return try await answer(arguments, host)
    } catch let error as UsageError {
      host.console.printError("==> ERROR: \(error.message)")
      return error.exitStatus
    } catch let error as DKMSError {
      Narrator(host.console).fail(error)
      return error.exitStatus
    } catch {
      host.console.printError("==> ERROR: \(error)")
      return .refused
    }
  }

  /// Runs a call on the machine at hand and ends the process.
  public static func main(arguments: [String]) -> Never {
    Program.run { await run(arguments: arguments, host: .live()).rawValue }
  }

  private static func answer(_ arguments: Arguments, _ host: Host) async throws -> ExitStatus {
    switch (arguments.request, arguments.action) {
    case (.help, _):
      host.console.print(usage)
      return .success
    case (.version, _):
      host.console.print("dkms-\(Reference.version)")
      host.console.print("alpm-dkms \(Version.current)")
      return .success
    case (nil, let action?):
      return try await ActionRunner(action, arguments, host).run()
    case (nil, nil):
      throw UsageError.noAction
    }
  }

  private static let usage = """
    usage: dkms ACTION [MODULE/VERSION] [OPTION...]

    actions:
      add            register a module whose source is in /usr/src/MODULE-VERSION
      build          build it for a kernel
      install        build it if need be, and put it into the kernel's module directory
      uninstall      take it out of the kernel's module directory
      unbuild        uninstall it and forget what was built
      remove         unbuild it, and forget the module with its last kernel
      status         list the modules and the kernels they are built or installed for
      autoinstall    install the newest version of each module that wants it

    options:
      -m MODULE[/VERSION], -v VERSION     the module, in the place of a bare MODULE/VERSION
      -k RELEASE[/ARCH], -a ARCH          the kernel; without it the running one; may be repeated
      --all                               every kernel the module is built for; install: every kernel
      --force                             do it again, or in spite of what speaks against it
      -j N                                jobs at once; 0: no limit
      -c FILE                             a dkms.conf in the place of the module's own
      --directive NAME=VALUE              a value that is stronger than any dkms.conf
      --config FILE, --kernelsourcedir DIR
                                          the kernel's configuration and headers, if elsewhere
      --dkmstree DIR, --sourcetree DIR, --installtree DIR
                                          other trees than /var/lib/dkms, /usr/src, /usr/lib/modules
      --no-depmod                         leave modules.dep to the caller
      -q, --quiet                         say nothing
      -V, --version; -h, --help
    """
}
