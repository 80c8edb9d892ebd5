// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import DKMSEngine
internal import Glibc

/// The program for people.
@main
struct AlpmDKMS: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "alpm-dkms", abstract: "Out-of-tree kernel modules on systems with pacman.",
    version: Version.current,
    subcommands: [
      Verify.self, Reconcile.self, Initramfs.self, History.self, Show.self, Replay.self, Record.self,
      Doctor.self, Prune.self,
    ])

  /// Runs a call; one that cannot be understood is answered in the words and the form of `dkms`.
  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
      let answer = Array("==> ERROR: \(message(for: error))\n  -> for help:\n     alpm-dkms --help\n".utf8)
      write(STDERR_FILENO, answer, answer.count)
      Glibc.exit(ExitCode.validationFailure.rawValue)
    }
  }
}
