// SPDX-License-Identifier: GPL-2.0-or-later

import TestSupport
import Testing

/// A machine boots with the module that its transactions have installed.
@Suite(.requiresPacman, .requiresBoot)
struct BootTests {
  @Test func theModuleThatIsInstalledIsTheOneThatBoots() async throws {
    let system = try await System.withBootableKernel()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    let first = try await system.boot()
    #expect(first.release == System.bootable && first.loadedVersion == "1.0")
    #expect(try await first.digest == system.installedDigest())

    try await system.install("hello-world-dkms=1.1-").mustSucceed()
    let second = try await system.boot()
    #expect(second.loadedVersion == "1.1")

    let failing = try await system.makePackage(
      "hello-world-dkms", "1.2-1",
      content: System.source("hello-world", "1.2", modules: ["hello_world"], extra: System.failing))
    let upgrade = try await system.pacman("-U", [failing])
    #expect(upgrade.reportsFailedHook, "\(upgrade)")
    #expect(try await system.boot() == second)

    try await system.remove("hello-world-dkms").mustSucceed()
    #expect(try await system.boot().loadedVersion == nil)
  }
}
