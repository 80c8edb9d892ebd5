// SPDX-License-Identifier: GPL-2.0-or-later

import SystemPackage
import TestSupport
import Testing

@testable import Host

@Suite struct SignatureEnforcementTests {
  @Test(arguments: [
    ("[none] integrity confidentiality\n", false), ("none [integrity] confidentiality\n", true),
    ("none integrity [confidentiality]\n", true), ("", false),
  ])
  func lockdown(_ text: String, _ isOn: Bool) throws {
    let sys = try TemporaryDirectory()
    try sys.write(text, to: "kernel/security/lockdown")
    #expect(SignatureEnforcement.isOn(sys: sys.path) == isOn)
  }

  @Test(arguments: [("Y\n", true), ("N\n", false)])
  func parameter(_ text: String, _ isOn: Bool) throws {
    let sys = try TemporaryDirectory()
    try sys.write(text, to: "module/module/parameters/sig_enforce")
    #expect(SignatureEnforcement.isOn(sys: sys.path) == isOn)
  }

  @Test func neither() throws {
    #expect(!SignatureEnforcement.isOn(sys: try TemporaryDirectory().path))
  }
}
