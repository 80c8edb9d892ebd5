// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import Initramfs
import SystemPackage
import TestSupport
import Testing

/// Images of every kind that generators make are read to their end.
@Suite(.requiresImageTools, .serialized) struct ImageFormatTests {
  static let filters = [
    "cat", "gzip -nc", "bzip2 -c", "lzma -c", "xz -c --check=crc32", "xz -c -9 --lzma2=dict=64MiB",
    "xz -c -T2 --block-size=64KiB", "xz -c --x86 --lzma2", "zstd -qc", "zstd -qc -19 --ultra --long=27",
    "zstd -qc --no-check", "lz4 -qc", "lz4 -qc -l", "lz4 -qc -BX --content-size",
  ]

  private static func filled() throws -> Imaging {
    let imaging = try Imaging()
    try imaging.fill(["kernel/net/a-b.ko": Imaging.noise(300_000), "updates/dkms/zfs.ko.xz": "z".bytes])
    try imaging.put("text".bytes, "tree/etc/modules.ko.conf")
    return imaging
  }

  @Test(arguments: filters) func everyCompressionIsRead(_ filter: String) async throws {
    let imaging = try Self.filled()
    try await imaging.run("\(Imaging.pack) | \(filter) > image")
    #expect(imaging.names("image") == ["a_b", "zfs"])
    #expect(
      try imaging.contents("image").size == Int64(try Files.read(imaging.path.appending("image")).count))
  }

  @Test(arguments: filters) func zerosAfterAnImageAreNoDamage(_ filter: String) async throws {
    let imaging = try Self.filled()
    try await imaging.run("(\(Imaging.pack) | \(filter); head -c 516 /dev/zero) > image")
    #expect(imaging.names("image") == ["a_b", "zfs"])
  }

  @Test(arguments: filters) func partsMayFollowACompressedOne(_ filter: String) async throws {
    let imaging = try Self.filled()
    try await imaging.run(
      """
      (\(Imaging.pack) | \(filter)) > image
      while (($(stat -c %s image) % 4)); do printf '\\0' >> image; done
      mkdir -p more/lib/modules/\(Imaging.release); echo m > more/lib/modules/\(Imaging.release)/more.ko
      (cd more; find . | cpio --quiet -o -H newc | \(filter)) >> image
      """)
    #expect(imaging.names("image") == ["more", "a_b", "zfs"])
  }

  /// One part ends where it ends, whatever the next is compressed with and however many zeros lie between them.
  ///
  /// Only the kind of lz4 that the kernel reads does not: another part right behind it can look like a block of it.
  @Test(arguments: [0, 1, 2, 3, 4, 7, 512]) func anyPartMayFollowAnyOther(_ zeros: Int) async throws {
    let imaging = try Imaging()
    let modules = "part/lib/modules/\(Imaging.release)"
    var parts: [[UInt8]] = []
    for (number, filter) in Self.filters.enumerated() {
      try await imaging.run(
        """
        mkdir -p \(modules); rm -f \(modules)/*; : > \(modules)/m\(number).ko
        (cd part; find . | cpio --quiet -o -H newc | \(filter)) > image
        """)
      parts.append(try Files.read(imaging.path.appending("image")))
    }
    for first in parts.indices {
      for second in parts.indices where second != first {
        if Self.filters[first] == "lz4 -qc -l", zeros < 4 { continue }
        try imaging.put(parts[first] + [UInt8](repeating: 0, count: zeros) + parts[second], "image")
        #expect(
          Set(imaging.names("image")) == ["m\(first)", "m\(second)"],
          "'\(Self.filters[second])' behind '\(Self.filters[first])'")
      }
    }
  }

  @Test(arguments: ["cpio -o -H newc", "cpio -o -H crc", "bsdcpio -o -H newc"])
  func whateverPacks(_ packer: String) async throws {
    let imaging = try Self.filled()
    try await imaging.run("(cd tree; find . | \(packer) 2> /dev/null) > image")
    #expect(imaging.names("image") == ["a_b", "zfs"])
  }

  @Test func earlyPartsAreRead() async throws {
    let imaging = try Self.filled()
    try imaging.put(Imaging.noise(5001), "early/kernel/x86/microcode/GenuineIntel.bin")
    try await imaging.run(
      """
      mkdir -p early2/usr/lib/modules/\(Imaging.release); echo e > early2/usr/lib/modules/\(Imaging.release)/early.ko
      (cd early; find . | cpio --quiet -o -H newc) > image
      (cd early2; find . | cpio --quiet -o -H newc; head -c 2044 /dev/zero) >> image
      \(Imaging.pack) | zstd -q >> image
      """)
    #expect(imaging.names("image") == ["early", "a_b", "zfs"])
  }

  @Test func anOldArchiveIsNone() async throws {
    let imaging = try Self.filled()
    try await imaging.run("(cd tree; find . | cpio --quiet -o -H odc) > image")
    #expect(
      imaging.names("image") == [
        "a header of a cpio archive in it is damaged, or of a kind that no kernel reads"
      ])
  }

  @Test func whatIsUnknownIsSaid() throws {
    let imaging = try Imaging()
    try imaging.put("hello".bytes, "image")
    #expect(
      imaging.names("image") == ["it is neither a cpio archive nor compressed in a way that is known here"])
    try imaging.put([], "image")
    #expect(imaging.names("image") == ["there is no archive in it"])
    try imaging.put([UInt8](repeating: 0, count: 4096), "image")
    #expect(imaging.names("image") == ["there is no archive in it"])
    #expect(imaging.names("nothing") == ["\(imaging.path)/nothing: No such file or directory"])
    try Files.makeDirectories(imaging.path.appending("directory"))
    #expect(imaging.names("directory") == ["it is not a regular file"])
  }

  @Test func aFileSystemInsideIsSaid() async throws {
    let imaging = try Self.filled()
    try imaging.put("hsqs".bytes, "tree/squashfs-root.img")
    try await imaging.run("\(Imaging.pack) | zstd -q > image")
    #expect(imaging.names("image") == ["its modules are in squashfs-root.img, which is not read here"])
  }
}
