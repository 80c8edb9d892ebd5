// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Testing

@Suite struct HookTargetTests {
  @Test(arguments: [
    ("usr/src/hello-1.0/dkms.conf", "hello-1.0"),
    ("usr/src/hello-world-2.0-rc1/dkms.conf", "hello-world-2.0-rc1"),
    ("usr/src/with space/dkms.conf", "with space"),
  ])
  func moduleSource(_ line: String, _ directory: String) {
    #expect(HookTarget(line: line) == .moduleSource(directory: directory))
  }

  @Test(arguments: ["modules.order", "modules.alias", "vmlinuz", "pkgbase"])
  func kernel(_ file: String) throws {
    let release = try KernelRelease("6.12.1-arch1-1")
    #expect(HookTarget(line: "usr/lib/modules/6.12.1-arch1-1/\(file)") == .kernel(release))
  }

  @Test func headers() throws {
    let release = try KernelRelease("6.12.1-arch1-1")
    #expect(HookTarget(line: "usr/lib/modules/6.12.1-arch1-1/build/include/") == .headers(release))
  }

  @Test(arguments: ["linux", "linux-headers", "libstdc++", "lib32-a_b.c@1"])
  func package(_ name: String) {
    #expect(HookTarget(line: name) == .package(name))
  }

  @Test(arguments: ["usr/lib/alpm-dkms/alpm-dkms-install", "usr/lib/alpm-dkms/alpm-dkms-remove"])
  func suite(_ line: String) {
    #expect(HookTarget(line: line) == .suite)
  }

  @Test(arguments: [
    "usr/src/hello-1.0/sub/dkms.conf", "usr/src/hello-1.0/dkms.conf/", "usr/src/dkms.conf",
    "usr/lib/modules/6.12.1-arch1-1/kernel/modules.order",
    "usr/lib/modules/6.12.1-arch1-1/build/modules.order",
    "usr/lib/modules/6.12.1-arch1-1/build/include/linux/",
    "usr/lib/modules/6.12.1-arch1-1/build/include/linux/kernel.h",
    "usr/lib/alpm-dkms/sub/file",
  ])
  func deeperPathsAreIgnored(_ line: String) {
    #expect(HookTarget(line: line) == nil)
  }

  @Test(arguments: [
    "", "/", "//", " ", "linux headers", "linux\theaders", "/usr/src/hello-1.0/dkms.conf",
    "usr//src/hello-1.0/dkms.conf", "usr/src//dkms.conf", "usr/src/hello-1.0/dkms.config",
    "usr/share/hello-1.0/dkms.conf", "usr/lib/modules/", "usr/lib/modules/6.12.1-arch1-1/",
    "usr/lib/modules/6.12.1-arch1-1/build/include", "usr/lib/modules/6.12.1-arch1-1/build/",
    "usr/lib/modules/6.12.1-arch1-1/modules.builtin", "usr/lib/modules/../modules.order",
    "usr/lib/modules//modules.order", "usr/lib/modules/a b/vmlinuz", "etc/pacman.conf", "usr/",
    "usr/lib/alpm-dkms",
  ])
  func unknownLinesAreNone(_ line: String) {
    #expect(HookTarget(line: line) == nil)
  }
}
