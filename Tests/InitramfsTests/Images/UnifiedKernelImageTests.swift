// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import Initramfs
import SystemPackage
import TestSupport
import Testing

/// The initramfs in a unified kernel image is found, whatever else is in the file.
@Suite(.requiresImageTools, .serialized) struct UnifiedKernelImageTests {
  static let stub: FilePath = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub"
  static let module = Imaging.noise(100_000)

  /// A file as ukify and mkinitcpio make it.
  static func made(_ compress: String = "zstd -qc", name: String = ".initrd") async throws -> Imaging {
    let imaging = try Imaging()
    try imaging.install(["updates/dkms/zfs.ko": module])
    try imaging.fill(["updates/dkms/zfs.ko": module])
    try await imaging.run(
      """
      \(Imaging.pack) | \(compress) > initrd; head -c 70001 /dev/zero > linux; echo root=x > cmdline
      objcopy --add-section .cmdline=cmdline --change-section-vma .cmdline=0x30000 \
        --add-section \(name)=initrd --change-section-vma \(name)=0x3000000 \
        --add-section .linux=linux --change-section-vma .linux=0x2000000 \(stub) uki
      """)
    return imaging
  }

  @Test(arguments: ImageFormatTests.filters) func itsInitramfsIsRead(_ filter: String) async throws {
    let imaging = try await Self.made(filter)
    let condition = try await imaging.condition(of: "uki", .unifiedKernelImage)
    #expect(condition.flaws == [])
    #expect(condition.modules == ["zfs"])
    #expect(
      imaging.names("uki") == ["it is neither a cpio archive nor compressed in a way that is known here"])
  }

  @Test func whatIsOldInItMakesItStale() async throws {
    let imaging = try await Self.made()
    try imaging.install(["updates/dkms/zfs.ko": Self.module + [0]])
    #expect(
      try await imaging.condition(of: "uki", .unifiedKernelImage).flaws == [.differs(kernelModule: "zfs")])
  }

  @Test func whatHasNoInitramfsIsSaid() async throws {
    let imaging = try await Self.made(name: ".initrdx")
    #expect(imaging.names("uki", .unifiedKernelImage) == ["it has no .initrd section"])
    #expect(imaging.names("initrd", .unifiedKernelImage) == ["it is not a PE file"])
  }
}
