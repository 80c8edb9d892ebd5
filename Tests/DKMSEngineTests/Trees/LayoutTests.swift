// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import SystemPackage
import Testing

@testable import DKMSEngine

@Suite struct LayoutTests {
  @Test(arguments: [
    ("/updates", "/usr/lib/modules/6.1/updates"), ("/kernel/../updates/", "/usr/lib/modules/6.1/updates"),
    ("/kernel/..", "/usr/lib/modules/6.1"), ("/kernel/../../6.2/updates", nil), ("/kernel/../../../etc", nil),
    ("/extra/../../6.1/extra", "/usr/lib/modules/6.1/extra"),
  ])
  func placeInAKernel(_ location: String, _ path: String?) throws {
    #expect(Layout().place(location, in: try KernelRelease("6.1"))?.string == path)
  }
}
