// SPDX-License-Identifier: GPL-2.0-or-later

import SystemPackage
import TestSupport
import Testing

@testable import Host

@Suite struct ChrootTests {
  private let proc: TemporaryDirectory

  /// A /proc of a process that sees what process 1 sees.
  init() throws {
    proc = try TemporaryDirectory()
    for process in ["1", "self"] { try proc.write("22 1 8:1 / / rw - ext4\n", to: "\(process)/mountinfo") }
    try Files.link(proc.path.appending("1/root"), to: "/")
  }

  private func isEntered(_ environment: [String: String] = [:], isRoot: Bool = true) -> Bool {
    Chroot.isEntered(environment: environment, isRoot: isRoot, proc: proc.path)
  }

  @Test func sameMountsAndRoot() {
    #expect(!isEntered())
    #expect(!isEntered(isRoot: false))
  }

  @Test func otherMounts() throws {
    try proc.write("22 1 8:2 / / rw - ext4\n", to: "self/mountinfo")
    #expect(isEntered())
    #expect(isEntered(isRoot: false))
  }

  @Test func otherRoot() throws {
    try Files.link(proc.path.appending("1/root"), to: proc.path)
    #expect(isEntered())
    // Nobody but root may look there.
    #expect(!isEntered(isRoot: false))
  }

  @Test func nothingToAsk() throws {
    for name in Disk.list(proc.path) { try Files.remove(proc.path.appending(name)) }
    #expect(isEntered())
    #expect(!isEntered(isRoot: false))
  }

  @Test func fakechroot() {
    let environment = [
      "FAKECHROOT": "true", "FAKECHROOT_BASE": "/x", "LD_PRELOAD": "/usr/lib/libfakechroot.so",
    ]
    #expect(isEntered(environment))
    for name in environment.keys {
      #expect(!isEntered(environment.filter { $0.key != name }), "without \(name)")
    }
  }
}
