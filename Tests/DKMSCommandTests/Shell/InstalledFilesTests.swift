// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import SystemPackage
import TestSupport
import Testing

/// What `make install` lays down beside the programs.
@Suite(.requiresPacman)
struct InstalledFilesTests {
  @Test(
    "Completions and the manual page are where shells and man look for them",
    arguments: [
      ("completions/dkms.bash", "share/bash-completion/completions/dkms"),
      ("completions/_dkms", "share/zsh/site-functions/_dkms"),
      ("completions/dkms.fish", "share/fish/vendor_completions.d/dkms.fish"),
      ("man/dkms.8", "share/man/man8/dkms.8"),
    ])
  func places(_ file: String, _ place: String) throws {
    let source = TestParts.repository.appending(FilePath(file).components)
    let installed = TestParts.stage.appending(FilePath("usr/\(place)").components)
    #expect(try Files.read(installed) == Files.read(source))
  }
}
