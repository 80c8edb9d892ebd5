// SPDX-License-Identifier: GPL-2.0-or-later

import TestSupport
import Testing

/// What `dkms add DIRECTORY` and its kin make of a source.
@Suite(.requiresRoot, .requiresKernelHeaders)
struct SourceTests {
  @Test("A source whose dkms.conf names a module twice is brought in, and refused")
  func repeated() async throws {
    let machine = try MountedMachine()
    try machine.addQuick(in: "etc/there", conf: "BUILT_MODULE_NAME[1]=quick\nDEST_MODULE_LOCATION[1]=/extra")
    try await machine.dkms("add /etc/dkms/there/quick-1.0").expect(8, says: ["repeats 'quick'"])
    #expect(machine.exists("src/quick-1.0/dkms.conf"))
    try await machine.dkms("status").expect(0, output: [])
  }

  @Test("A source that cannot be named is not brought in")
  func nameless() async throws {
    let machine = try MountedMachine()
    try machine.write("PACKAGE_VERSION=1.0\n", to: "etc/there/dkms.conf")
    let before = machine.tree
    try await machine.dkms("add /etc/dkms/there").expect(8).expectUnchanged(since: before)
  }

  @Test("Nothing is added where nothing says what system this is")
  func anonymousSystem() async throws {
    let machine = try MountedMachine()
    try machine.addQuick()
    let run = try await machine.shell(
      """
      mkdir /mnt/upper /mnt/work
      mount -t overlay overlay -o lowerdir=/usr/lib,upperdir=/mnt/upper,workdir=/mnt/work /usr/lib || exit 125
      rm -f /usr/lib/os-release
      exec dkms add quick/1.0
      """)
    #expect(run.status == 4 && run.errorOutput.contains("/etc/os-release"), "\(run)")
  }
}
