// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import Initramfs
import SystemPackage
import TestSupport
import Testing

/// Images that dracut itself has made, in which modules are not the bytes that are installed: it strips them.
@Suite(.requiresDracut, .serialized) struct DracutImageTests {
  /// A module, as far as kmod looks at it, with debugging information.
  private static let source = #"""
    #define INFO(name, text) \
      static const char name[] __attribute__((section(".modinfo"), used)) = #name "=" text;
    INFO(license, "GPL")
    INFO(depends, "")
    INFO(vermagic, "6.12.1-test SMP mod_unload ")
    int init_module(void) { return VALUE; }
    """#

  private static func compile(_ value: Int, in imaging: Imaging) async throws {
    try await imaging.run(
      """
      mkdir -p root/lib/modules/\(Imaging.release)/updates/dkms; ln -sfn root/lib/modules installed
      gcc -g -c -DVALUE=\(value) -o installed/\(Imaging.release)/updates/dkms/zfs.ko module.c
      depmod -b root \(Imaging.release) 2> /dev/null
      """)
  }

  private static func made(_ compression: String = "--zstd", _ options: String = "") async throws -> Imaging {
    let imaging = try Imaging()
    try imaging.put(source.bytes, "module.c")
    try await compile(1, in: imaging)
    try await imaging.run(
      """
      touch dracut.conf; mkdir conf.d
      dracut --force --quiet --conf dracut.conf --confdir conf.d --tmpdir "$PWD" --no-hostonly \
        --no-early-microcode --kver \(Imaging.release) --kmoddir "$PWD/root/lib/modules/\(Imaging.release)" \
        -m base --add-drivers zfs \(compression) \(options) image 2> dracut.log
      """)
    return imaging
  }

  @Test func strippedModulesAreNoOthers() async throws {
    let imaging = try await Self.made()
    #expect(
      try await imaging.condition(of: "image", .archive, .mkinitcpio).flaws == [.differs(kernelModule: "zfs")]
    )
    #expect(try await imaging.condition(of: "image", .archive, .dracut).flaws == [])
    #expect(try await imaging.condition(of: "image", .archive, .dracut).modules == ["zfs"])
    #expect(imaging.directory.listing().filter { $0.hasPrefix(".") } == [], "copies are left")
    try await Self.compile(2, in: imaging)
    #expect(
      try await imaging.condition(of: "image", .archive, .dracut).flaws == [.differs(kernelModule: "zfs")])
    // dracut leaves signed modules as they are, so one in an image that is not signed is another one.
    try await Self.compile(1, in: imaging)
    try await imaging.run(
      "printf '%28s' '~Module signature appended~\n' >> installed/\(Imaging.release)/updates/dkms/zfs.ko")
    #expect(
      try await imaging.condition(of: "image", .archive, .dracut).flaws == [.differs(kernelModule: "zfs")])
  }

  @Test(arguments: [
    "-R '.note.*' -R .comment -R .go.buildinfo -R .gosymtab -R '*orc_unwind*' -R .BTF --strip-unneeded",
    "--strip-unneeded",
  ])
  func whatBoosterStripsIsNoOther(_ options: String) async throws {
    let imaging = try Imaging()
    let source =
      Self.source + #"""

        asm(".section .note.test, \"a\", @note\n .long 1\n .section .orc_unwind, \"a\"\n .long 1\n.text");
        asm(".section .BTF\n .long 1\n.text");
        """#
    try imaging.put(source.bytes, "module.c")
    try await Self.compile(1, in: imaging)
    let module = "usr/lib/modules/\(Imaging.release)/updates/dkms/zfs.ko"
    let strip = """
      mkdir -p tree/${module%/*}; strip \(options) -o tree/$module installed/\(Imaging.release)/updates/dkms/zfs.ko
      \(Imaging.pack) > image
      """
    try await imaging.run("module=\(module); \(strip)")
    #expect(try await imaging.condition(of: "image", .archive, .booster).flaws == [])
    try await Self.compile(2, in: imaging)
    #expect(
      try await imaging.condition(of: "image", .archive, .booster).flaws == [.differs(kernelModule: "zfs")])
  }

  @Test func modulesMayBeLeftAlone() async throws {
    let imaging = try await Self.made("--xz", "--nostrip")
    #expect(try await imaging.condition(of: "image", .archive, .dracut).flaws == [])
  }
}
