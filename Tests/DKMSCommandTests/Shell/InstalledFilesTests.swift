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
      ("man/alpm-dkms.8", "share/man/man8/alpm-dkms.8"),
      ("man/alpm-dkms-json.5", "share/man/man5/alpm-dkms-json.5"),
      ("packaging/schemas/record.json", "share/alpm-dkms/schemas/record.json"),
      ("packaging/schemas/status.json", "share/alpm-dkms/schemas/status.json"),
    ])
  func places(_ file: String, _ place: String) throws {
    let source = TestParts.repository.appending(FilePath(file).components)
    let installed = TestParts.stage.appending(FilePath("usr/\(place)").components)
    #expect(try Files.read(installed) == Files.read(source))
  }

  /// `alpm-dkms` writes its own completions, so they offer what its grammar has.
  @Test(
    "Completions of alpm-dkms are scripts that their shells take, and know every command", .requiresShells,
    arguments: [
      ("bash", ["-n"], "share/bash-completion/completions/alpm-dkms"),
      ("zsh", ["-n"], "share/zsh/site-functions/_alpm-dkms"),
      ("fish", ["--no-execute"], "share/fish/vendor_completions.d/alpm-dkms.fish"),
    ])
  func completions(_ shell: String, _ arguments: [String], _ place: String) async throws {
    let installed = TestParts.stage.appending(FilePath("usr/\(place)").components)
    let check = try await Run.program(FilePath("/usr/bin/\(shell)"), arguments + [installed.string])
    #expect(check.status == 0, "\(check)")
    let script = try #require(Disk.text(installed))
    let commands = "verify reconcile history show replay record doctor prune cache".split(separator: " ")
    for command in commands { #expect(script.contains(command), "\(command)") }
    for option in ["from-log", "transaction", "fix", "json"] { #expect(script.contains(option), "\(option)") }
  }
}
