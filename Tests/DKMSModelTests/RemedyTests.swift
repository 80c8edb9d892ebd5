// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Testing

/// What fixes something, apart: what a shell can be given, and the rest.
@Suite struct RemedyTests {
  @Test(
    arguments: [
      ("dkms add a/1", "dkms add a/1", nil),
      ("rm /x && depmod 6.1", "rm /x && depmod 6.1", nil),
      ("reboot, then: rm -r /x", "rm -r /x", "reboot, then"),
      (
        "reinstall its package, or: dkms remove --force a/1 --all", "dkms remove --force a/1 --all",
        "reinstall its package, or"
      ),
      ("edit /etc/x.conf", nil, "edit /etc/x.conf"),
      ("dkms autoinstall -k 6.1 (after installing b)", nil, "dkms autoinstall -k 6.1 (after installing b)"),
      ("dkms build a/1, or ask for its source", nil, "dkms build a/1, or ask for its source"),
      ("the log is /x: y", nil, "the log is /x: y"), ("", nil, ""),
    ] as [(String, String?, String?)])
  func theCommandIsApart(_ words: String, _ command: String?, _ advice: String?) {
    let remedy = Remedy(words)
    #expect(remedy.command == command && remedy.advice == advice)
    #expect(remedy.words == words)
  }
}
