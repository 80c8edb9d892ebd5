// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import Initramfs
import SystemPackage
import TestSupport
import Testing

/// Images whose modules lie in a file system in a file, as dracut can make them.
@Suite(.requiresImageTools, .requiresFileSystemTools, .serialized) struct NestedFileSystemTests {
  static let module = Imaging.noise(50_000)

  /// An image with the tree in a file of this name, made by this call.
  private static func made(_ name: String, _ call: String) async throws -> Imaging {
    let imaging = try Imaging()
    try imaging.install(["updates/dkms/zfs.ko": module])
    try imaging.fill(["updates/dkms/zfs.ko": module])
    try await imaging.run(
      """
      mv tree inside; mkdir tree; ln -s usr/lib inside/lib
      call() { \(call); }; call > call.log; (cd tree; : > init)
      \(Imaging.pack) | zstd -q > image
      """)
    return imaging
  }

  static let forms = [
    ("squashfs-root.img", "mksquashfs inside tree/squashfs-root.img -quiet"),
    ("squash-root.img", "mksquashfs inside tree/squash-root.img -quiet"),
    ("erofs-root.img", "mkfs.erofs tree/erofs-root.img inside"),
  ]

  @Test(arguments: forms) func theModulesInItAreCompared(_ name: String, _ call: String) async throws {
    let imaging = try await Self.made(name, call)
    let condition = try await imaging.condition(of: "image")
    #expect(condition.flaws == [] && condition.modules == ["zfs"])
    #expect(imaging.directory.listing().filter { $0.hasPrefix("alpm-dkms") } == [], "copies are left")
    try imaging.install(["updates/dkms/zfs.ko": Self.module + [0]])
    #expect(try await imaging.condition(of: "image").flaws == [.differs(kernelModule: "zfs")])
  }

  @Test func whatNoProgramUnpacksIsUnknownAndNamed() async throws {
    let imaging = try await Self.made(Self.forms[0].0, Self.forms[0].1)
    var host = Host.live()
    host.environment["PATH"] = "/nonexistent"
    let condition = await ImageInspector(host: host, temporaryDirectory: imaging.path).condition(
      of: try imaging.image("image"), modulesDirectory: imaging.modules)
    #expect(
      condition.flaws == [
        .unknown(
          reason: "its modules are in squashfs-root.img, and unsquashfs, which reads that, is not installed")
      ])
  }

  @Test func aDamagedOneIsUnknown() async throws {
    let imaging = try await Self.made("squash-root.img", "echo hsqs > tree/squash-root.img")
    #expect(
      try await imaging.condition(of: "image").flaws == [
        .unknown(reason: "unsquashfs cannot unpack squash-root.img in it")
      ])
  }
}
