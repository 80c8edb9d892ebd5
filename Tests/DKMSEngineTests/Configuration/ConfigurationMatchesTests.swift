// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import SystemPackage
import Testing

@testable import DKMSEngine

/// What a dkms.conf says only for some kernels.
@Suite struct ConfigurationMatchesTests {
  private let machine: TemporaryMachine

  init() throws { machine = try TemporaryMachine() }

  @Test(arguments: [
    ("5.10.0", "make zero"), ("6.1.0", "make one"), ("6.12.1-arch1-1", "make two"), ("6.9-rt", "make three"),
    ("6.9-rt-arch1", "make three"),
  ])
  func lastMatchWins(_ release: String, _ command: String) async throws {
    let configuration = try await machine.read(
      adding: """
        MAKE[0]="make zero"
        MAKE[1]="make one"; MAKE_MATCH[1]="^6\\."
        MAKE[2]="make two"; MAKE_MATCH[2]="arch[0-9]+"
        MAKE[5]="make three"; MAKE_MATCH[5]="-(rt|lts)"
        MAKE[6]="never"
        MAKE_MATCH[7]=.
        """, for: release)
    #expect(configuration.makeCommand == command)
  }

  @Test func withoutAMatchTheKernelsOwnCommandIsUsed() async throws {
    let configuration = try await machine.read(
      adding: """
        MAKE[0]="make zero"; MAKE_MATCH[0]="^5\\."
        MAKE[1]="make one"; MAKE_MATCH[1]="^4\\."
        """)
    #expect(
      configuration.makeCommand
        == "make -C \(machine.layout.installTree)/6.1.5-x/build M=\(machine.layout.dkmsTree)/hello/1.0/build")
  }

  @Test(arguments: [
    ("5.4.0", ["always.patch", "old.patch", "last.patch"]), ("6.1.0", ["always.patch", "last.patch"]),
    ("6.2.0", ["always.patch", "new.patch", "last.patch"]),
  ])
  func patchesThatMatchInTheirOrder(_ release: String, _ patches: [String]) async throws {
    let configuration = try await machine.read(
      adding: """
        PATCH[0]=always.patch
        PATCH[1]=old.patch; PATCH_MATCH[1]="^[45]\\."
        PATCH[2]=new.patch; PATCH_MATCH[2]="^6\\.([2-9]|1[0-9])"
        PATCH[9]=last.patch
        """, for: release)
    #expect(configuration.patches == patches)
  }
}
