// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import DKMSEngine
internal import Host

/// The program for people.
@main
struct AlpmDKMS: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "alpm-dkms", abstract: "Out-of-tree kernel modules on systems with pacman.",
    version: Version.current,
    subcommands: [
      Verify.self, Reconcile.self, Initramfs.self, History.self, Show.self, Replay.self, Record.self,
      Doctor.self, Prune.self, Cache.self,
    ])

  /// Runs a call; one that cannot be understood is answered in the words and the form of `dkms`.
  static func main() {
    let words = Array(Program.arguments.dropFirst())
    let console = Host.live().forPeople().console
    Program.prepare()
    do {
      // The parser answers this with the help of the whole program.
      if words.first == "help", let unknown = UnknownWord(in: words) {
        throw ValidationError(unknown.message)
      }
      var command = try parseAsRoot(words)
      try command.run()
    } catch {
      let status = exitCode(for: error)
      if status == .validationFailure {
        let unknown = UnknownWord(in: words)
        console.printError("==> ERROR: \(unknown?.message ?? message(for: error))")
        Narrator(console).advise(unknown?.remedy ?? "for help: alpm-dkms --help")
      } else if status.isSuccess {
        let text = fullMessage(for: error)
        let isScript = words.contains { $0.hasPrefix("--generate-completion-script") }
        console.print(isScript ? CompletionScript(text).withTopics : text)
      } else {
        console.printError("==> ERROR: \(message(for: error))")
      }
      Program.end(status.rawValue)
    }
  }
}
