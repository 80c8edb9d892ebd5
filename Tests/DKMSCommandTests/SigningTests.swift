// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import SystemPackage
import TestSupport
import Testing

/// Modules are signed by the kernel's own program, with a pair of keys that nobody makes twice.
@Suite(.requiresRoot, .requiresKernelHeaders, .requiresReference)
struct SigningTests {
  private static let first = Kernels.first
  private static let built = "var/quick/1.0/\(first)/x86_64/module/quick.ko"
  private static let installed = "modules/\(first)/updates/dkms/quick.ko"
  private static let install = "install quick/1.0 -k \(first)"

  private func quick(_ framework: String = "") async throws -> MountedMachine {
    let machine = try await Prepared.sources()
    try machine.addQuick()
    try machine.sign(framework)
    return machine
  }

  // MARK: Signatures

  @Test("With one key both give one signature", arguments: [Kernels.first, Kernels.second])
  func sameSignature(_ kernel: String) async throws {
    let machine = try await quick(MountedMachine.ownKeys)
    try await machine.addKeys()
    let pair = try await Pair(machine)
    try await pair.dkms("install quick/1.0 -k \(kernel)").expect(0)
    let file = "modules/\(kernel)/updates/dkms/quick.ko"
    let signature = try await pair.ours.signature(file)
    #expect(signature.signer == "Tests of signing" && signature.kind == "PKCS#7")
    #expect(signature.hash == "sha256" && !signature.key.isEmpty)
    #expect(try await pair.theirs.signature(file) == signature)
    // The same signature of the same module, to the byte; the module itself is the one that was copied.
    #expect(try pair.theirs.bytes(file) == pair.ours.bytes(file))
    #expect(try pair.ours.bytes(file).starts(with: pair.ours.bytes("src/prebuilt/\(kernel).ko")))
    #expect(try pair.ours.bytes(file).suffix(28).elementsEqual("~Module signature appended~\n".utf8))
    try await pair.dkms("status").expect(0, output: ["quick/1.0, \(kernel), x86_64: installed"])
  }

  @Test("A module that is compiled is stripped first, then signed, then compressed")
  func order() async throws {
    let machine = try await Prepared.sources()
    try await machine.addKeys()
    try machine.sign(MountedMachine.ownKeys)
    try machine.write("", to: "modules/\(Self.first)/kernel/fs/own.ko.zst")
    try await machine.dkms("build hello-world/1.0 -k \(Self.first)").expect(0)
    let module = "var/hello-world/1.0/\(Self.first)/x86_64/module/hello_world.ko"
    let run = try await Run.program("/usr/bin/zstd", ["-dq", machine.path("\(module).zst").string])
    try #require(run.status == 0, "\(run)")
    #expect(try await machine.signature(module).signer == "Tests of signing")
    let sections = try await Run.program("/usr/bin/readelf", ["-SW", machine.path(module).string])
    #expect(sections.output.contains(".modinfo") && !sections.output.contains(".debug_info"))
  }

  @Test("The same source and key give the same bytes")
  func reproducible() async throws {
    let machine = try await Prepared.sources()
    try await machine.addKeys()
    try machine.sign(MountedMachine.ownKeys)
    let words = "build hello-world/1.0 -k \(Self.first) --force"
    let module = "var/hello-world/1.0/\(Self.first)/x86_64/module/hello_world.ko"
    try await machine.dkms(words).expect(0)
    let bytes = try machine.bytes(module)
    try await machine.dkms(words).expect(0)
    #expect(try machine.bytes(module) == bytes)
  }

  @Test(
    "Modules are not signed against the administrator's word, in a chroot, or for a kernel that asks for none",
    arguments: ["try_sign_modules=false", "try_sign_modules=not_in_chroot", "try_sign_modules=", ""])
  func unsigned(_ policy: String) async throws {
    let machine = try await quick()
    var words = Self.install
    if policy.isEmpty {
      try machine.write("CONFIG_MODULES=y\n", to: "etc/plain.config")
      words += " --config /etc/dkms/plain.config"
    } else {
      // A machine of these tests has mounts of its own, and so counts as a chroot.
      try machine.write("\(policy)\n", to: "etc/framework.conf")
    }
    let outcome = try await machine.dkms(words).expect(0)
    #expect(outcome.run.errorOutput.isEmpty, "\(outcome)")
    #expect(try await machine.signature(Self.installed) == .none)
    #expect(!outcome.tree.contains { $0.contains("mok.") })
  }

  @Test("The program of other headers signs, and paths may name the kernel")
  func namedByKernel() async throws {
    let machine = try await quick()
    try await machine.addKeys("etc/keys/\(Self.first).key", "etc/keys/\(Self.first).der")
    try machine.write(
      """
      try_sign_modules=true
      mok_signing_key="/etc/dkms/keys/${kernelver}.key"
      mok_certificate=/etc/dkms/keys/$kernelver.der

      """, to: "etc/framework.conf")
    try Files.makeDirectories(machine.path("src/headers/include"))
    try machine.addScript(
      #"echo "$@" > /etc/dkms/called; exec /usr/lib/modules/\#(Self.first)/build/scripts/sign-file "$@""#,
      at: "src/headers/scripts/sign-file")
    try machine.addEnforcingConfiguration()
    let options = "--kernelsourcedir /usr/src/headers --config /etc/dkms/enforcing.config"
    try await machine.dkms("build quick/1.0 -k \(Self.first) \(options)").expect(0)
    let arguments = try machine.text("etc/called").split(separator: " ")
    let keys = "/etc/dkms/keys/\(Self.first)"
    #expect(arguments.prefix(3) == ["sha256", "\(keys).key", "\(keys).der"])
    #expect(try await machine.signature(Self.built).signer == "Tests of signing")
  }

  @Test("A key on a token is used as it is named, and never made")
  func token() async throws {
    let uri = "pkcs11:object=mok;pin-value=1234"
    let machine = try await quick("mok_signing_key='\(uri)'\nmok_certificate=/etc/dkms/own.der")
    let alone = try await machine.dkms(Self.install)
    alone.expect(0, says: ["/etc/dkms/own.der is missing"])
    #expect(!alone.run.errorOutput.contains("1234"), "\(alone)")
    #expect(!alone.tree.contains { $0.contains("own.der") || $0.contains("mok.") })
    try await machine.dkms("generate_mok").expect(1, says: ["/etc/dkms/own.der is missing"])
    try await machine.addKeys()
    try machine.addScript(#"echo "$2" > /etc/dkms/called"#, at: "etc/sign")
    try machine.write(
      "\(machine.text("etc/framework.conf"))sign_file=/etc/dkms/sign\n", to: "etc/framework.conf")
    let again = try await machine.dkms("build quick/1.0 -k \(Self.first) --force --verbose")
    again.expect(0, says: ["/etc/dkms/sign failed: it left no signature"])
    #expect(!again.run.output.contains("1234"), "\(again)")
    #expect(try machine.text("etc/called") == "\(uri)\n")
  }

  // MARK: Failures

  /// A way in which signing fails.
  struct Failure: CustomTestStringConvertible {
    let testDescription: String
    var framework = MountedMachine.ownKeys
    var change: @Sendable (MountedMachine) throws -> Void = { _ in }
    /// What is missing from the machine for the time of the call.
    var hidden: String?
    let says: [String]
  }

  private static let failures = [
    Failure(
      testDescription: "no program", framework: "\(MountedMachine.ownKeys)\nsign_file=/nonexistent",
      says: ["/nonexistent is not a program", "headers"]),
    Failure(
      testDescription: "the program fails", change: { try $0.write("no key\n", to: "etc/own.key") },
      says: ["sign-file failed: "]),
    Failure(
      testDescription: "the program does nothing",
      framework: "\(MountedMachine.ownKeys)\nsign_file=/bin/true",
      says: ["/bin/true failed: it left no signature"]),
    Failure(
      testDescription: "no certificate", change: { try $0.remove("etc/own.der") },
      says: ["/etc/dkms/own.der is missing", "put /etc/dkms/own.der back"]),
    Failure(
      testDescription: "nothing to make keys with", framework: "", hidden: "/usr/bin/openssl",
      says: ["openssl, which makes keys, is not installed", "pacman -S openssl"]),
  ]

  private func machine(for failure: Failure) async throws -> MountedMachine {
    let machine = try await quick(failure.framework)
    try await machine.addKeys()
    try failure.change(machine)
    try machine.addEnforcingConfiguration()
    return machine
  }

  private func dkms(_ words: String, _ machine: MountedMachine, _ failure: Failure) async throws -> Run {
    let hide = failure.hidden.map { "mount --bind /dev/null \($0); " } ?? ""
    return try await machine.shell("\(hide)exec dkms \(words)")
  }

  @Test("Where the kernel loads no unsigned module a failed signature is an error", arguments: failures)
  func enforced(_ failure: Failure) async throws {
    let machine = try await machine(for: failure)
    let run = try await dkms("\(Self.install) --config /etc/dkms/enforcing.config", machine, failure)
    #expect(run.status == 7, "\(run)")
    #expect(run.errorOutput.contains("==> ERROR: quick/1.0 for \(Self.first): not signed"), "\(run)")
    for text in failure.says { #expect(run.errorOutput.contains(text), "\(run)") }
    #expect(!machine.exists(Self.built) && !machine.exists(Self.installed))
    #expect(!machine.tree.contains { $0.contains(".tmp_") || $0.contains("~signed~") })
  }

  @Test("Elsewhere it is a warning, said once and last", arguments: failures)
  func tolerated(_ failure: Failure) async throws {
    let machine = try await machine(for: failure)
    try machine.addQuick("other")
    for name in ["quick", "other"] { try await machine.dkms("add \(name)/1.0").expect(0) }
    let run = try await dkms("autoinstall -k \(Self.first)", machine, failure)
    #expect(run.status == 0, "\(run)")
    for text in failure.says { #expect(run.errorOutput.contains(text), "\(run)") }
    let consequence = "==> WARNING: modules for kernel \(Self.first) are not signed"
    #expect(run.errorOutput.ranges(of: consequence).count == 1, "\(run)")
    #expect(try machine.bytes(Self.installed) == machine.bytes("src/prebuilt/\(Self.first).ko"))
  }

  @Test("The module that stands stays where its successor cannot be signed")
  func predecessor() async throws {
    let machine = try await quick("\(MountedMachine.ownKeys)\nsign_file=/nonexistent")
    try machine.addEnforcingConfiguration()
    try await machine.dkms(Self.install).expect(0)
    let before = try machine.bytes(Self.installed)
    let words = "build quick/1.0 -k \(Self.first) --force --config /etc/dkms/enforcing.config"
    try await machine.dkms(words).expect(7)
    #expect(try machine.bytes(Self.built) == before)
    #expect(try machine.bytes(Self.installed) == before)
  }

  @Test(
    "A failed signature passes in silence, whatever the kernel asks for",
    arguments: [MountedMachine.Program.ours, .reference])
  func silentFailure(_ program: MountedMachine.Program) async throws {
    let machine = try await quick(MountedMachine.ownKeys)
    try await machine.addKeys()
    try machine.write("no key\n", to: "etc/own.key")
    try machine.addEnforcingConfiguration()
    let words = "\(Self.install) --config /etc/dkms/enforcing.config"
    try await machine.dkms(words, by: program).expect(program == .ours ? 7 : 0)
    #expect(machine.exists(Self.installed) == (program == .reference))
  }
}
