// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import SystemPackage
import TestSupport
import Testing

@testable import DKMSEngine

/// Builds and scripts that print nothing and never end, or leave something behind.
@Suite(.timeLimit(.minutes(60))) struct HangingBuildTests {
  private var machine: TemporaryMachine
  private let id: ModuleID
  private let kernel: Kernel
  private let limit = Duration.seconds(2)
  /// With it a script says that its silence has been long enough.
  private let sign: FilePath

  init() throws {
    machine = try TemporaryMachine()
    machine.options.silenceLimit = limit
    sign = machine.directory.path.appending("silent")
    machine.launcher.runs(with: ExpiringLauncher(sign: sign))
    id = try module("hello", "1.0")
    kernel = try machine.addKernel("6.1.0")
  }

  private var hang: String { "#!/bin/sh\necho begun\n: > '\(sign)'\nsleep 300\n" }

  private var silentBuild: DKMSError {
    .buildSilent(id, kernel, limit: limit, log: machine.layout.failureLog(id, kernel).string)
  }

  @Test(arguments: ["MAKE[0]=./hang.sh", "PRE_BUILD=hang.sh", "POST_BUILD=hang.sh"])
  func silentBuildFails(_ conf: String) async throws {
    try machine.addTextModule(id, conf: "\(conf)\n", files: ["hang.sh": hang])
    #expect(try await machine.install(id, kernel).failures == [silentBuild])
    let log = try #require(Disk.text(machine.layout.failureLog(id, kernel)))
    #expect(log.contains("begun"))
    #expect(log.contains("stopped because it had printed nothing for 2 seconds"))
    #expect(machine.listing(of: kernel).isEmpty)
    #expect(!machine.dkmsListing.contains { $0.contains(Layout.stagingPrefix) })
  }

  @Test func silentPatchFails() async throws {
    // patch itself waits for nothing, so one that does is found before it.
    let bin = machine.directory.path.appending("bin")
    try Files.makeDirectories(bin)
    try Files.write(
      Array(hang.utf8), to: bin.appending("patch"),
      permissions: [.ownerReadWriteExecute, .groupReadExecute, .otherReadExecute])
    var machine = machine
    machine.environment["PATH"] = "\(bin):\(machine.environment["PATH"] ?? "")"
    try machine.addTextModule(id, conf: "PATCH[0]=a.patch\n", files: ["patches/a.patch": ""])
    #expect(try await machine.build(id, kernel).failures == [silentBuild])
  }

  @Test func lastGoodBuildStays() async throws {
    try machine.addTextModule(id)
    #expect(try await machine.install(id, kernel).failures.isEmpty)
    try machine.addTextModule(
      id, text: "new", conf: "MAKE[0]=./hang.sh\n", files: ["hang.sh": hang])
    #expect(try await machine.forced.build(id, kernel).failures == [silentBuild])
    #expect(Disk.text(machine.product("hello.ko", id, kernel)) == "text")
    #expect(machine.installed("hello.ko", kernel) == "text")
    #expect(machine.state[id]?.build(for: kernel)?.isInstalled == true)
  }

  @Test func silentScriptsAreToldOf() async throws {
    let scripts: [ScriptKind] = [.postAdd, .postInstall, .postRemove]
    try machine.addTextModule(
      id, conf: scripts.map { "\($0.rawValue)=hang.sh\n" }.joined(), files: ["hang.sh": hang])
    let installation = try await machine.install(id, kernel)
    #expect(installation.failures.isEmpty)
    let removal = try await machine.remove(id, kernel)
    #expect(removal.failures.isEmpty)
    #expect(
      installation.warnings + removal.warnings == [
        "\(DKMSError.scriptSilent(id, script: .postAdd, limit: limit))",
        "\(DKMSError.scriptSilent(id, script: .postInstall, limit: limit))",
        "\(DKMSError.scriptSilent(id, script: .postRemove, limit: limit))",
      ])
  }

  @Test func silentPreInstallStopsTheInstallation() async throws {
    try machine.addTextModule(id, conf: "PRE_INSTALL=hang.sh\n", files: ["hang.sh": hang])
    let report = try await machine.install(id, kernel)
    #expect(report.failures == [.scriptSilent(id, script: .preInstall, limit: limit)])
    #expect(machine.listing(of: kernel).isEmpty)
  }

  @Test func silentCommandAfterATransactionIsToldOf() async throws {
    var plan = Plan()
    plan.append(.follow(command: "sleep 300 > '\(sign)'"), because: .modulesChange)
    let report = try await machine.execute(plan)
    #expect(report.failures.isEmpty)
    #expect(report.warnings.count == 1)
    let warning = "'sleep 300 > '\(sign)'' was stopped because it had printed nothing"
    #expect(report.warnings.first?.hasPrefix(warning) == true, "\(report.warnings)")
  }

  @Test(.requiresRoot) func daemonsOfABuildEndWithIt() async throws {
    let marker = "daemon-of-\(machine.directory.path.lastComponent?.string ?? "")"
    let daemon =
      "#!/bin/bash\n(setsid bash -c 'exec -a \(marker) sleep 300' &)\n"
      + "until grep -qs \(marker) /proc/[0-9]*/cmdline; do sleep 0.05; done\ncp text hello.ko\n"
    try machine.addTextModule(id, conf: "MAKE[0]=./daemon.sh\n", files: ["daemon.sh": daemon])
    #expect(try await machine.build(id, kernel).failures.isEmpty)
    #expect(processes(with: marker).isEmpty)
  }

  @Test(arguments: [("exit 3", 3), ("kill -TERM $$; sleep 60", 143), ("kill -KILL $$; sleep 60", 137)])
  func statusOfABuildIsItsOwn(_ script: String, _ status: Int) async throws {
    try machine.addTextModule(id, conf: "MAKE[0]=./end.sh\n", files: ["end.sh": "#!/bin/sh\n\(script)\n"])
    #expect(try await machine.build(id, kernel).failures.map(\.exitStatus) == [.buildFailed])
    let log = try #require(Disk.text(machine.layout.failureLog(id, kernel)))
    #expect(log.contains("# exit code: \(status)\n"))
  }
}
