// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import TestSupport
import Testing

/// What is printed as a command ends what it is printed for, typed as it stands.
@Suite(.requiresRoot, .requiresKernelHeaders)
struct RemedyTests {
  private static let kernel = Kernels.first

  struct Case: CustomTestStringConvertible, Sendable {
    let words: String
    var user: MountedMachine.User = .root
    /// What is said before the command.
    let says: String
    /// What the command is; nil where no command is known.
    let command: String?
    let prepare: @Sendable (MountedMachine) async throws -> Void
    var testDescription: String { words }
  }

  private static let cases: [Case] = [
    Case(words: "add quick/1.0", says: "need not be added again", command: "dkms status quick/1.0") {
      try $0.register()
    },
    Case(words: "remove quick/1.0 --all", says: "nothing of it to take away", command: "dkms status") { _ in
    },
    Case(
      words: "install quick/1.0", says: "the running kernel is not installed any more: reboot",
      command: "dkms install quick/1.0 -k \(Kernels.second)"
    ) { _ in },
    Case(
      words: "install -k 9.9 quick/1.0", says: "name a kernel that is installed (\(Kernels.first)",
      command: "dkms install quick/1.0 -k \(Kernels.second)"
    ) { _ in },
    Case(
      words: "install user/1.0 -k \(kernel)", says: "user/1.0 needs quick, not installed",
      command: "dkms install quick/1.0 -k \(kernel) && dkms install user/1.0 -k \(kernel)"
    ) {
      try $0.register()
      try $0.addQuick("user", conf: "BUILD_DEPENDS[0]=quick")
    },
    Case(
      words: "install user/1.0 -k \(kernel)", says: "install the packages that hold the sources of absent",
      command: "dkms install user/1.0 -k \(kernel)"
    ) { try $0.addQuick("user", conf: "BUILD_DEPENDS[0]=absent") },
    Case(
      words: "build quick/1.0 -k \(kernel)", says: "put its source back",
      command: "dkms remove --force quick/1.0 --all"
    ) {
      try $0.register()
      try $0.remove("src/quick-1.0")
    },
    Case(
      words: "add quick/1.0", user: .nobody, says: "no write access", command: "sudo dkms add quick/1.0"
    ) { _ in },
    Case(
      words: "install quick/1.0 -k \(kernel)", user: .nobody, says: "needs root",
      command: "sudo dkms install quick/1.0 -k \(kernel)"
    ) { _ in },
    Case(
      words: "mktarball quick/1.0 -k \(kernel)", says: "not built",
      command: "dkms build quick/1.0 -k \(kernel)"
    ) {
      try $0.register()
    },
    Case(
      words: "mktarball quick/1.0 --all", says: "take its source alone",
      command: "dkms mktarball quick/1.0 --all --source-only"
    ) { try $0.register() },
    Case(
      words: "ldtarball /usr/src/quick.tar.gz", says: "to replace what is there",
      command: "dkms ldtarball /usr/src/quick.tar.gz --force"
    ) {
      try $0.register()
      try await $0.dkms("mktarball quick/1.0 --source-only --archive /usr/src/quick.tar.gz").expect(0)
    },
    Case(
      words: "instal quick/1.0 -k \(kernel)", says: "did you mean",
      command: "dkms install quick/1.0 -k \(kernel)"
    ) {
      _ in
    },
    Case(
      words: "install quick -k \(kernel)", says: "there is 1.0",
      command: "dkms install quick/1.0 -k \(kernel)"
    ) {
      _ in
    },
    Case(words: "install quick/2.0 -k \(kernel)", says: "unpack its source there", command: nil) { _ in },
  ]

  /// The lines that can be typed, each without what is before it.
  static func commands(in text: String) -> [String] {
    text.split(separator: "\n").filter { $0.hasPrefix("     ") && !$0.hasPrefix("      ") }
      .map { String($0.dropFirst(5)) }
      .filter { Remedy.programs.contains(String($0.prefix { $0 != " " })) }
  }

  @Test("Typed as it is printed, the command does what is missing", arguments: cases.indices)
  func typed(_ index: Int) async throws {
    let test = Self.cases[index]
    let machine = try await Prepared.sources()
    try machine.addQuick()
    try await test.prepare(machine)
    let first = try await machine.dkms(test.words, as: test.user)
    #expect(first.status != 0 && first.run.errorOutput.contains(test.says), "\(first)")
    #expect(Self.commands(in: first.run.errorOutput) == [test.command].compactMap { $0 }, "\(first)")
    guard let command = test.command, !test.says.contains("absent") else { return }
    // Whoever types it with sudo is root.
    let second = try await machine.shell(command.replacing("sudo ", with: ""))
    #expect(second.status == 0 && Self.commands(in: second.errorOutput).isEmpty, "\(second)")
  }

  /// What people do to their systems.
  private static let damages = [
    "rm /usr/lib/modules/K/updates/dkms/quick.ko*", ": > /usr/lib/modules/K/updates/dkms/quick.ko",
    "echo x >> /usr/lib/modules/K/updates/dkms/quick.ko", "rm /usr/lib/modules/K/modules.dep",
    "dkms uninstall quick/1.0 -k K", "dkms unbuild quick/1.0 -k K", "rm -r /var/lib/dkms/quick/1.0/K",
    "mkdir -p /var/lib/dkms/old/0.1/x",
    "rm -r /usr/src/quick-1.0",
    "cp /usr/lib/modules/K/updates/dkms/quick.ko /usr/lib/modules/K/updates/dkms/stray.ko; depmod K",
    "chmod -R go+w /usr/src/quick-1.0", "mkdir -p /var/lib/dkms/quick/1.0/empty",
  ]

  @Test(
    "Verdict and doctor say commands that leave nothing to say", arguments: damages, ["verify", "doctor"])
  func reported(_ damage: String, by command: String) async throws {
    let machine = try await Prepared.sources()
    try machine.addQuick()
    for kernel in [Self.kernel, Kernels.second] {
      try await machine.dkms("install quick/1.0 -k \(kernel)").expect(0)
    }
    let begin = "alpm-dkms() { \(TestParts.program("alpm-dkms")) \"$@\"; }\n"
    let ask = "alpm-dkms \(command)"
    let before = try await machine.shell(begin + ask)
    let damaged = try await machine.shell(
      "\(begin){ \(damage.replacing("K", with: Self.kernel)); } > /dev/null; \(ask)")
    let old = Set(Self.commands(in: before.output))
    var commands = Self.commands(in: damaged.output).filter { !old.contains($0) }
    if command == "doctor" { #expect(!commands.isEmpty, "\(damaged)") }
    // A command may bring to light what another one fixes, but not for ever.
    for _ in 0..<3 where !commands.isEmpty {
      let typed = commands.map { $0.replacing("alpm-dkms prune", with: "alpm-dkms prune --yes") }
      let fixed = try await machine.shell("\(begin){\n\(typed.joined(separator: "\n"))\n} >&2\n\(ask)")
      commands = Self.commands(in: fixed.output).filter { !old.contains($0) }
    }
    #expect(commands.isEmpty, "\(commands)")
  }
}
