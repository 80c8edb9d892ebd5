// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import SystemPackage
import TestSupport
import Testing

/// The key and the certificate with which modules are signed are made once, whole, and never replaced.
@Suite(.requiresRoot, .requiresKernelHeaders, .requiresReference)
struct KeyTests {
  private static let (first, second) = (Kernels.first, Kernels.second)

  private func quick(_ framework: String = "") async throws -> MountedMachine {
    let machine = try await Prepared.sources()
    try machine.addQuick()
    try machine.sign(framework)
    return machine
  }

  private func mode(_ machine: MountedMachine, _ name: String) async throws -> String {
    try await Run.program("/usr/bin/stat", ["-c", "%a", machine.path(name).string]).lines.joined()
  }

  private func certificate(_ machine: MountedMachine, _ name: String) async throws -> String {
    let words = ["x509", "-inform", "DER", "-noout", "-subject", "-text", "-in", machine.path(name).string]
    let run = try await Run.program("/usr/bin/openssl", words)
    try #require(run.status == 0, "\(run)")
    return run.output
  }

  /// Whether a certificate is that of a key.
  private func belong(_ machine: MountedMachine, _ key: String, _ certificate: String) async throws -> Bool {
    let words = ["x509", "-inform", "DER", "-noout", "-pubkey", "-in", machine.path(certificate).string]
    let ofCertificate = try await Run.program("/usr/bin/openssl", words)
    let ofKey = try await Run.program(
      "/usr/bin/openssl", ["pkey", "-pubout", "-in", machine.path(key).string])
    return ofKey.status == 0 && ofKey.output == ofCertificate.output
  }

  @Test("They are made with the first module that is signed, and stay")
  func madeOnce() async throws {
    let pair = try await Pair(try await quick())
    try await pair.dkms("install quick/1.0 -k \(Self.first)").expect(0)
    let machine = pair.ours
    #expect(try await mode(machine, "var/mok.key") == "600")
    #expect(try await mode(machine, "var/mok.pub") == "644")
    let text = try await certificate(machine, "var/mok.pub")
    #expect(text.contains("CN = DKMS module signing key"), "\(text)")
    #expect(text.contains("Code Signing") && text.contains("Public-Key: (2048 bit)"), "\(text)")
    #expect(try await belong(machine, "var/mok.key", "var/mok.pub"))
    let signature = try await machine.signature("modules/\(Self.first)/updates/dkms/quick.ko")
    #expect(
      try await pair.theirs.signature("modules/\(Self.first)/updates/dkms/quick.ko").hash == signature.hash)
    #expect(signature.signer == "DKMS module signing key")
    let key = try machine.bytes("var/mok.key")
    try await pair.dkms("install quick/1.0 -k \(Self.second)").expect(0)
    #expect(try machine.bytes("var/mok.key") == key)
    #expect(
      try await machine.signature("modules/\(Self.second)/updates/dkms/quick.ko").key == signature.key)
  }

  @Test("generate_mok makes them, leaves those that are there, and the reference signs with them")
  func generate() async throws {
    let machine = try await quick()
    try await machine.dkms("generate_mok").expect(0)
    #expect(try await belong(machine, "var/mok.key", "var/mok.pub"))
    let key = try machine.bytes("var/mok.key")
    let again = try await machine.dkms("generate_mok").expect(0)
    #expect(again.run.output.contains("/var/lib/dkms/mok.key: is there"), "\(again)")
    #expect(try machine.bytes("var/mok.key") == key)
    let pair = try await Pair(machine)
    try await pair.dkms("build quick/1.0 -k \(Self.first)").expect(0)
    let module = "var/quick/1.0/\(Self.first)/x86_64/module/quick.ko"
    #expect(try pair.ours.bytes(module) == pair.theirs.bytes(module))
    #expect(try pair.theirs.bytes("var/mok.key") == key)
  }

  @Test("generate_mok makes those that framework.conf names, for the kernel that is named")
  func generateNamed() async throws {
    let machine = try MountedMachine()
    try machine.sign(
      "mok_signing_key=/etc/dkms/keys/$kernelver.key\nmok_certificate=/etc/dkms/certificates/pub")
    try await machine.dkms("generate_mok -k 1.2.3").expect(1, says: ["/etc/dkms/keys does not exist"])
    for name in ["keys", "certificates"] { try Files.makeDirectories(machine.path("etc/\(name)")) }
    let before = machine.tree
    let dryRun = try await machine.dkms("generate_mok -k 1.2.3 --dry-run").expect(0)
    dryRun.expectUnchanged(since: before)
    #expect(dryRun.run.output.contains("/etc/dkms/keys/1.2.3.key: would be made"), "\(dryRun)")
    try await machine.dkms("generate_mok -k 1.2.3").expect(0)
    #expect(try await belong(machine, "etc/keys/1.2.3.key", "etc/certificates/pub"))
    #expect(try await mode(machine, "etc/keys/1.2.3.key") == "600")
    #expect(!machine.exists("var/mok.key"))
  }

  @Test("generate_mok says why it cannot")
  func cannotGenerate() async throws {
    let machine = try MountedMachine()
    let before = machine.tree
    try await machine.dkms("generate_mok", as: .nobody)
      .expect(1, says: ["/var/lib/dkms", "sudo"]).expectUnchanged(since: before)
    try await machine.dkms("generate_mok --all").expect(5)
    let without = try await machine.shell("mount --bind /dev/null /usr/bin/openssl; exec dkms generate_mok")
    #expect(without.status == 1 && without.errorOutput.contains("pacman -S openssl"), "\(without)")
    try machine.write("mok_certificate=/var/lib/dkms/mok.key\n", to: "etc/framework.conf")
    try await machine.dkms("generate_mok").expect(1, says: ["the same file"]).expectUnchanged(since: before)
  }

  @Test("Nobody else may read the key while it is written, and a failure leaves nothing")
  func neverReadable() async throws {
    let machine = try MountedMachine()
    let path = ["PATH": "/usr/src/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"]
    try machine.addScript(
      #"""
      while [[ $1 != -keyout ]]; do shift; done
      stat -c %a "$2" > /etc/dkms/mode
      echo half > "$2"
      echo out of numbers >&2
      exit 1
      """#, at: "src/bin/openssl")
    try machine.write("", to: "etc/mode")
    // What a run left that was killed, and that somebody has made readable.
    try machine.write("", to: "var/.mok.key.alpm-dkms-new")
    let failed = try await machine.dkms("generate_mok", environment: path)
    failed.expect(1, says: ["/var/lib/dkms/mok.key could not be made: out of numbers"])
    #expect(try machine.text("etc/mode") == "600\n")
    #expect(!failed.tree.contains { $0.contains("mok.") })
  }

  @Test("A dry run shows that they would be made, once")
  func dryRun() async throws {
    let machine = try await quick()
    let before = machine.tree
    let outcome = try await machine.dkms("build quick/1.0 -k \(Self.first) -k \(Self.second) --dry-run")
    outcome.expect(0).expectUnchanged(since: before)
    let line = "  -> /var/lib/dkms/mok.key: would be made, with the certificate /var/lib/dkms/mok.pub"
    #expect(outcome.run.lines.filter { $0.hasPrefix(line) }.count == 1, "\(outcome)")
  }

  @Test("A key without its certificate is made anew, and what was enrolled is lost", arguments: Self.programs)
  func keyAlone(_ program: MountedMachine.Program) async throws {
    let machine = try await quick()
    try await machine.addKeys("var/mok.key", "var/mok.pub")
    try machine.remove("var/mok.pub")
    let kept = try machine.bytes("var/mok.key")
    let outcome = try await machine.dkms("install quick/1.0 -k \(Self.first)", by: program).expect(0)
    #expect((try machine.bytes("var/mok.key") == kept) == (program == .ours))
    guard program == .ours else { return }
    outcome.expect(0, says: ["/var/lib/dkms/mok.pub is missing", "put /var/lib/dkms/mok.pub back"])
    try await machine.dkms("generate_mok").expect(1, says: ["/var/lib/dkms/mok.pub is missing"])
    #expect(!machine.exists("var/mok.pub"))
  }

  @Test(
    "A certificate that has lost its key is replaced, and ours keeps the old one", arguments: Self.programs)
  func certificateAlone(_ program: MountedMachine.Program) async throws {
    let machine = try await quick()
    try await machine.addKeys("var/mok.key", "var/mok.pub")
    try machine.remove("var/mok.key")
    let lost = try machine.bytes("var/mok.pub")
    let outcome = try await machine.dkms("install quick/1.0 -k \(Self.first)", by: program).expect(0)
    #expect(try await belong(machine, "var/mok.key", "var/mok.pub"))
    #expect(!(try await machine.signature("modules/\(Self.first)/updates/dkms/quick.ko").key.isEmpty))
    guard program == .ours else { return }
    outcome.expect(0, says: ["/var/lib/dkms/mok.pub had lost its key", "/var/lib/dkms/mok.pub.old"])
    #expect(try machine.bytes("var/mok.pub.old") == lost)
  }

  private static let programs = [MountedMachine.Program.ours, .reference]

  @Test("Runs side by side make one pair")
  func sideBySide() async throws {
    let machine = try await quick()
    for number in 1...4 { try machine.addQuick("quick\(number)") }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 1...4 {
        group.addTask {
          try await machine.dkms("build quick\(number)/1.0 -k \(Self.first) -k \(Self.second)").expect(0)
        }
      }
      try await group.waitForAll()
    }
    #expect(try await belong(machine, "var/mok.key", "var/mok.pub"))
    var keys: Set<String> = []
    for number in 1...4 {
      for kernel in [Self.first, Self.second] {
        let module = "var/quick\(number)/1.0/\(kernel)/x86_64/module/quick\(number).ko"
        keys.insert(try await machine.signature(module).key)
      }
    }
    #expect(keys.count == 1 && !keys.contains(""), "\(keys)")
    #expect(!machine.tree.contains { $0.contains("alpm-dkms-new") })
  }

  @Test("A run that was killed between the two halves leaves no half", arguments: [1, 2])
  func killed(_ renames: Int) async throws {
    let machine = try await quick()
    try await machine.addKeys("var/made.key", "var/made.pub")
    let (key, certificate) = (try machine.bytes("var/made.key"), try machine.bytes("var/made.pub"))
    for name in ["made.key", "made.pub"] { try machine.remove("var/\(name)") }
    // What is there before the first rename, and after it.
    try machine.write(bytes: key, to: renames == 1 ? "var/.mok.key.alpm-dkms-new" : "var/mok.key")
    try machine.write(bytes: certificate, to: "var/.mok.pub.alpm-dkms-new")
    try await machine.dkms("build quick/1.0 -k \(Self.first)").expect(0)
    #expect(try await belong(machine, "var/mok.key", "var/mok.pub"))
    #expect((try machine.bytes("var/mok.key") == key) == (renames == 2))
    #expect(!machine.tree.contains { $0.contains("alpm-dkms-new") })
    let signature = try await machine.signature("var/quick/1.0/\(Self.first)/x86_64/module/quick.ko")
    #expect(!signature.key.isEmpty)
  }
}
