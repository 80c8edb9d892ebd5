// SPDX-License-Identifier: GPL-2.0-or-later

import TestSupport
import Testing

/// What arrives on a helper's standard input, good and bad.
@Suite(.requiresPacman)
struct HelperInputTests {
  private static let helpers = [
    "/usr/lib/alpm-dkms/alpm-dkms-install", "/usr/lib/alpm-dkms/alpm-dkms-remove",
  ]

  private static let junk: [[UInt8]] = [
    [],
    Array("\n\n\n".utf8),
    Array("not ours\nusr/bin/ls\nusr/src/\nusr/lib/modules/\nusr/src/no-such/dkms.conf\n".utf8),
    Array(
      "usr/lib/modules/9.9.9-gone/modules.order\nno-such-package\n../../etc/passwd\nusr/src/../dkms.conf\n"
        .utf8),
    [0xFF, 0xFE, 0x00, 0x0A, 0xC3, 0x28, 0x0A] + Array("usr/src/".utf8) + [0xFF] + Array("/dkms.conf".utf8),
    Array((0..<100_000).map { "usr/share/doc/package/file-\($0)\n" }.joined().utf8),
  ]

  @Test(arguments: helpers)
  func whatIsNotOursChangesNothing(helper: String) async throws {
    let system = try await System.withLTSKernel()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    let everything = "find /var/lib/dkms /usr/lib/modules /usr/src -printf '%p %l %s %T@\\n' | sort"
    let before = try await system.root.shell(everything).output
    for input in Self.junk {
      let run = try await system.root.run([helper], input: input)
      #expect(run.status == 0, "\(input.prefix(40)): \(run)")
    }
    #expect(try await system.root.shell(everything).output == before)
  }

  @Test(arguments: helpers)
  func allOfTheInputIsRead(helper: String) async throws {
    let system = try await System.withLTSKernel()
    let run = try await system.root.run(
      ["/bin/bash", "-c", "set -o pipefail; seq 1 100000 | \(helper)"])
    #expect(run.status == 0, "\(run)")
  }

  @Test(arguments: [
    "hello-world-dkms", "usr/src/hello-world-1.0/dkms.conf",
    "hello-world-dkms\nusr/src/hello-world-1.0/dkms.conf\nlinux",
  ])
  func pathsAndPackageNamesNameTheSameThing(targets: String) async throws {
    let system = try await System.withLTSKernel()
    try await system.root.shell("mv /usr/share/libalpm/hooks/70-dkms-install.hook /root").mustSucceed()
    let installation = try await system.install("hello-world-dkms=1.0-")
    #expect(
      installation.all.contains("hello-world/1.0: it is neither registered nor installed"), "\(installation)")
    #expect(try await system.status().isEmpty)
    // The last line has no end on purpose.
    let run = try await system.root.run([Self.helpers[0]], input: Array(targets.utf8))
    #expect(run.status == 0, "\(run)")
    try await system.expectInstalled("hello_world", "1.0", for: System.lts)
  }

  @Test func aHelperWorksWithoutLibalpm() async throws {
    let system = try await System.withLTSKernel()
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    try await system.root.shell("find /usr -xdev -name 'libalpm.so*' -delete").mustSucceed()
    #expect(try await system.root.run(["pacman", "--version"]).status != 0, "libalpm is really gone")
    let run = try await system.root.run([Self.helpers[0]], input: Array("hello-world-dkms\n".utf8))
    #expect(run.status == 0, "\(run)")
    #expect(run.all.contains("hello-world/1.0 for \(System.lts): installed"), "\(run)")
  }

  @Test func aHelperIsForRoot() async throws {
    let system = try await System.withLTSKernel()
    let run = try await system.root.run(
      ["setpriv", "--reuid=65534", "--clear-groups", Self.helpers[0]], input: Array("linux-lts\n".utf8))
    #expect(run.status == 1)
    #expect(run.errorOutput.contains("as root"), "\(run)")
  }
}
