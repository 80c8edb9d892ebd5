// SPDX-License-Identifier: GPL-2.0-or-later

import TestSupport
import Testing

/// What happens seldom, and must not leave anything behind.
@Suite(.requiresPacman)
struct HardCasesTests {
  private static let install = "/usr/lib/alpm-dkms/alpm-dkms-install"
  private static let remove = "/usr/lib/alpm-dkms/alpm-dkms-remove"

  private func makeSource(
    _ name: String, _ version: String, modules: [String], extra: String = "", in system: System
  ) async throws {
    let script = System.source(name, version, modules: modules, extra: extra, below: "")
    try await system.root.shell(script).mustSucceed()
  }

  private func hook(_ program: String, _ target: String, in system: System) async throws -> Run {
    try await system.root.run([program], input: Array("\(target)\n".utf8))
  }

  @Test func aModuleThatAnUpdateDropsGoes() async throws {
    let system = try await System.withLTSKernel()
    try await makeSource("pair", "1", modules: ["pair_a", "pair_b"], in: system)
    try await hook(Self.install, "usr/src/pair-1/dkms.conf", in: system).mustSucceed()
    #expect(try await system.installedModules().count == 2)
    try await makeSource("pair", "1", modules: ["pair_a"], in: system)
    try await hook(Self.install, "usr/src/pair-1/dkms.conf", in: system).mustSucceed()
    #expect(try await system.installedModules() == ["\(System.lts)/updates/dkms/pair_a.ko"])
    try await system.expectTidy()
  }

  @Test func aFailingPostInstallIsAWarning() async throws {
    let system = try await System.withLTSKernel()
    let script = "printf '#!/bin/sh\\nexit 3\\n' > /usr/src/loud-1/post && chmod +x /usr/src/loud-1/post"
    try await makeSource("loud", "1", modules: ["loud"], extra: "POST_INSTALL=post", in: system)
    try await system.root.shell(script).mustSucceed()
    let run = try await hook(Self.install, "usr/src/loud-1/dkms.conf", in: system)
    try run.mustSucceed()
    #expect(run.all.contains("==> WARNING: loud/1: its POST_INSTALL script ended with status 3"), "\(run)")
    try await system.expectInstalled("loud", "1", for: System.lts)
  }

  @Test func aTransactionWhoseEndNobodySawIsSettledByTheNext() async throws {
    let system = try await System.withLTSKernel()
    try await makeSource("gone", "1", modules: ["gone"], in: system)
    try await hook(Self.install, "usr/src/gone-1/dkms.conf", in: system).mustSucceed()
    try await hook(Self.remove, "usr/src/gone-1/dkms.conf", in: system).mustSucceed()
    try await system.root.shell("rm -r /usr/src/gone-1").mustSucceed()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    #expect(try await system.status() == ["hello-world/1.0, \(System.lts), x86_64: installed"])
    try await system.expectTidy()
  }

  @Test func aStrayFileDoesNotKeepAModuleThatHasGone() async throws {
    let system = try await System.withLTSKernel()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    try await system.root.shell("touch /usr/src/hello-world-1.0/built.o").mustSucceed()
    try await system.remove("hello-world-dkms").mustSucceed()
    #expect(try await system.status().isEmpty)
    #expect(try await system.installedModules().isEmpty)
    try await system.expectTidy()
  }

  @Test func theAdministratorForbidsInstallationsAndTheOldModuleStays() async throws {
    let system = try await System.withLTSKernel()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    try await system.root.shell("touch /etc/dkms/no-autoinstall").mustSucceed()
    let run = try await system.install("hello-world-dkms=1.1-")
    #expect(run.all.contains("no-autoinstall forbids it"), "\(run)")
    #expect(run.all.contains("hello-world/1.0 stays installed for \(System.lts)"), "\(run)")
    try await system.expectInstalled("hello_world", "1.0", for: System.lts)
  }

  @Test func twoPackagesWithAModuleOfOneNameDoNotRemoveEachOthers() async throws {
    let system = try await System.withLTSKernel()
    for name in ["first", "second"] {
      try await makeSource(name, "1", modules: ["same"], in: system)
      try await system.root.shell("echo 'MODULE_DESCRIPTION(\"\(name)\");' >> /usr/src/\(name)-1/same.c")
        .mustSucceed()
      try await hook(Self.install, "usr/src/\(name)-1/dkms.conf", in: system).mustSucceed()
    }
    try await system.root.run(["dkms", "remove", "first/1", "--all"]).mustSucceed()
    #expect(try await system.status() == ["second/1, \(System.lts), x86_64: installed"])
    try await system.root.run(["dkms", "remove", "second/1", "--all"]).mustSucceed()
    #expect(try await system.installedModules().isEmpty)
    try await system.expectTidy()
  }

  @Test func removalAndInstallationAtOnceEndInOneStateOrTheOther() async throws {
    let system = try await System.withLTSKernel()
    try await makeSource("race", "1", modules: ["race"], in: system)
    let script = """
      for delay in 0.1 0.3 0.5 0.7; do
        dkms install race/1 -k \(System.lts) > /dev/null 2>&1 & sleep $delay
        dkms remove race/1 --all > /dev/null 2>&1
        wait
        if [ "$(dkms status)" = "race/1, \(System.lts), x86_64: installed" ]; then wanted=1; else wanted=0; fi
        [ "$(find /usr/lib/modules -name 'race.ko*' | wc -l)" = $wanted ] || echo "after $delay: $(dkms status)"
        find /var/lib/dkms -xtype l
        dkms remove race/1 --all > /dev/null 2>&1
      done
      true
      """
    let run = try await system.root.shell(script)
    #expect(run.output.isEmpty, "\(run)")
  }
}
