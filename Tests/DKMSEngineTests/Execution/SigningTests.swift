// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Glibc
import Host
import SystemPackage
import TestSupport
import Testing

@testable import DKMSEngine

/// When modules are signed, by a program that only appends the mark of a signature.
@Suite(.timeLimit(.minutes(60))) struct SigningTests {
  private var machine: TemporaryMachine
  private let id: ModuleID
  private let kernel: Kernel
  private let other: Kernel

  init() throws {
    machine = try TemporaryMachine()
    machine.isInChroot = false
    id = try module("hello", "1.0")
    kernel = try machine.addKernel("6.1.0")
    other = try machine.addKernel("6.2.0")
    try machine.addTextModule(id)
    for kernel in [kernel, other] {
      try machine.directory.write(
        "CONFIG_MODULE_SIG_HASH=\"sha512\"\n", to: "lib/modules/\(kernel.release)/build/.config")
      try setProgram(#"printf '%s~Module signature appended~\n' "$1 " >> "$4""#, kernel)
    }
    for name in ["mok.key", "mok.pub"] { try machine.directory.write("a \(name)\n", to: "dkms/\(name)") }
  }

  private func setProgram(_ text: String, _ kernel: Kernel) throws {
    let program = try machine.directory.write(
      "#!/bin/sh\n\(text)\n", to: "lib/modules/\(kernel.release)/build/scripts/sign-file")
    chmod(program.string, 0o755)
  }

  private func product(_ kernel: Kernel) -> String? { Disk.text(machine.product("hello.ko", id, kernel)) }

  private let signed = "textsha512 ~Module signature appended~"

  @Test(arguments: [
    (SigningOptions.Policy.outsideChroots, false, true), (.outsideChroots, true, false),
    (.always, false, true), (.always, true, true), (.never, false, false), (.never, true, false),
  ])
  func policy(_ policy: SigningOptions.Policy, _ isInChroot: Bool, _ signs: Bool) async throws {
    var machine = machine
    machine.options.signing.policy = policy
    machine.isInChroot = isInChroot
    let report = try await machine.build(id, kernel)
    #expect(report.failures.isEmpty && report.warnings.isEmpty)
    #expect(product(kernel) == (signs ? signed : "text"))
  }

  @Test func runningKernelThatEnforcesTakesNoUnsignedModule() async throws {
    var machine = machine
    machine.enforcesSignatures = true
    machine.runningRelease = "6.1.0"
    for kernel in [kernel, other] { try setProgram("echo out of order >&2; exit 3", kernel) }
    let report = try await machine.install(id, kernel, other)
    let program = machine.layout.kernel(kernel.release).appending("build/scripts/sign-file")
    let problem = SigningProblem.programFailed(path: program.string, detail: "out of order")
    #expect(report.failures == [.notSigned(id, kernel, problem)])
    #expect(report.warnings.count == 1 && report.warnings[0].contains("6.2.0"))
    #expect(product(kernel) == nil && machine.installed("hello.ko", kernel) == nil)
    #expect(machine.installed("hello.ko", other) == "text")
  }

  @Test func nothingIsCompiledThatCannotBeSigned() async throws {
    try machine.addTextModule(id, conf: "MAKE[0]='touch \(machine.directory.path)/ran; cp text hello.ko'\n")
    try machine.directory.write(
      "CONFIG_MODULE_SIG_HASH=sha512\nCONFIG_MODULE_SIG_FORCE=y\n", to: "lib/modules/6.1.0/build/.config")
    try Files.remove(machine.layout.dkmsTree.appending("mok.pub"))
    let report = try await machine.build(id, kernel)
    let pair = KeyPair(
      key: "\(machine.layout.dkmsTree)/mok.key", certificate: "\(machine.layout.dkmsTree)/mok.pub")
    #expect(report.failures == [.notSigned(id, kernel, .certificateMissing(pair))])
    #expect(Disk.kind(machine.directory.path.appending("ran")) == nil)
  }

  @Test func kernelThatWillNotLoadWhatAChrootBuildsIsTold() async throws {
    var machine = machine
    machine.isInChroot = true
    try machine.directory.write(
      "CONFIG_MODULE_SIG_HASH=sha512\nCONFIG_MODULE_SIG_FORCE=y\n", to: "lib/modules/6.1.0/build/.config")
    let report = try await machine.build(id, kernel, other)
    #expect(report.failures.isEmpty)
    #expect(report.warnings.count == 1 && report.warnings[0].contains("6.1.0"))
    #expect(report.warnings[0].contains("try_sign_modules=true"))
  }

  @Test func keyThatGoesDuringTheBuildIsNoticed() async throws {
    try machine.addTextModule(id, conf: "MAKE[0]='rm $dkms_tree/mok.key; cp text hello.ko'\n")
    try setProgram("cat \"$2\"", kernel)
    let report = try await machine.build(id, kernel)
    #expect(report.failures.isEmpty && report.warnings.count == 1)
  }

  @Test func linkThatLeadsNowhereIsNotReplaced() async throws {
    // As of a key on a medium that is not plugged in.
    for name in ["mok.key", "mok.pub"] {
      try Files.link(machine.layout.dkmsTree.appending(name), to: FilePath("/nonexistent/\(name)"))
    }
    try setProgram("cat \"$2\"", kernel)
    let report = try await machine.build(id, kernel)
    #expect(report.failures.isEmpty && report.warnings.count == 1)
    #expect(Disk.linkTarget(machine.layout.dkmsTree.appending("mok.key")) == "/nonexistent/mok.key")
  }

  @Test func failedStepThatIsOptionalStopsNothing() async throws {
    let impossible = KeyPair(key: "/proc/nowhere/key", certificate: "/proc/nowhere/pub")
    var plan = Plan()
    plan.append(.makeKeys(impossible), because: .signing, isOptional: true)
    let basis = try await machine.basis(id, kernel)
    plan.append(.add(id, source: "\(machine.layout.source(id))"), because: .requested, basis: basis)
    plan.append(.build(id, kernel), because: .requested, requires: [0, 1], basis: basis)
    let report = try await machine.execute(plan)
    #expect(report.outcomes.map(\.isDone) == [false, true, true])
    #expect(report.failures.isEmpty && report.toleratedFailures.count == 1)
    #expect(product(kernel) == signed)
  }

  @Test(arguments: [
    ("6.1.0-49-amd64", "6.1"), ("6.12.57+deb13-amd64", "6.12"), ("6.16-rc1-amd64", "6.16"),
    ("6.17.1-arch1-1", "6.17"),
  ])
  func programOfDebian(_ release: String, _ series: String) throws {
    let tree = KernelTree(try KernelRelease(release), in: machine.layout, options: machine.options)
    #expect(
      ModuleSigner.candidates(for: tree, machine.options.signing).map(\.string) == [
        "\(machine.layout.installTree)/\(release)/build/scripts/sign-file",
        "/usr/lib/linux-kbuild-\(series)/scripts/sign-file",
      ])
    var options = SigningOptions()
    options.program = KernelText("/x/${kernelver}/sign")
    #expect(ModuleSigner.candidates(for: tree, options) == [FilePath("/x/\(release)/sign")])
  }
}
