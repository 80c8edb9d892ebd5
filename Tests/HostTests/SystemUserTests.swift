// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import SystemPackage
import TestSupport
import Testing

/// Users as the machine's file of them has them.
@Suite struct SystemUserTests {
  @Test func aUserIsFoundByTheWholeName() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write(
      """
      root:x:0:0::/root:/bin/bash
      builder-2:x:7:8::/:/bin/false
      broken:x:none:8::/:/bin/false
      builder:x:901:902:A:B:C:/:/bin/false
      builder:x:963:964:Builder of modules:/:/usr/bin/nologin

      """, to: "passwd")
    #expect(
      try SystemUser.named("builder", in: file) == SystemUser(name: "builder", identifier: 963, group: 964))
    for name in ["build", "broken", ""] { #expect(try SystemUser.named(name, in: file) == nil) }
    #expect(try SystemUser.named("builder", in: directory.path.appending("absent")) == nil)
    #expect(throws: HostError.self) { try SystemUser.named("builder", in: directory.path) }
  }
}
