// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import Initramfs
import SystemPackage
import TestSupport
import Testing

/// Images are judged by the bytes of the modules in them, and of nothing else.
@Suite(.requiresImageTools, .serialized) struct ComparisonTests {
  static let one = Imaging.noise(200_000, seed: 1)
  static let two = Imaging.noise(200_000, seed: 2)

  /// An image that holds what is installed.
  private static func settled() async throws -> Imaging {
    let imaging = try Imaging()
    let files = ["kernel/net/a-b.ko": one, "updates/dkms/zfs.ko": two]
    try imaging.install(files, builtin: ["ext4"])
    try imaging.fill(files)
    return imaging
  }

  private static func flaws(
    of imaging: Imaging, requested: [ModuleRequest] = [], compress: String = "zstd -qc"
  ) async throws -> [ImageFlaw] {
    try await imaging.run("\(Imaging.pack) | \(compress) > image")
    return try await imaging.condition(of: "image", requested: requested).flaws
  }

  @Test func equalModulesAreFresh() async throws {
    let imaging = try await Self.settled()
    #expect(try await Self.flaws(of: imaging) == [])
    #expect(try await imaging.condition(of: "image").modules == ["a_b", "zfs"])
  }

  @Test func oneByteMakesItStale() async throws {
    for place in [0, 100_000, 199_999] {
      let imaging = try await Self.settled()
      var changed = Self.two
      changed[place] ^= 1
      try imaging.fill(["updates/dkms/zfs.ko": changed])
      #expect(try await Self.flaws(of: imaging) == [.differs(kernelModule: "zfs")])
    }
  }

  @Test(arguments: [Array(two.dropLast()), two + [0], []]) func aByteMoreOrLessMakesItStale(
    _ bytes: [UInt8]
  ) async throws {
    let imaging = try await Self.settled()
    try imaging.fill(["updates/dkms/zfs.ko": bytes])
    #expect(try await Self.flaws(of: imaging) == [.differs(kernelModule: "zfs")])
  }

  @Test(arguments: ["gzip -nc gz", "xz -c --check=crc32 xz", "zstd -qc zst"], [true, false])
  func compressionOfModulesDoesNotMatter(_ call: String, isInstalled: Bool) async throws {
    let imaging = try await Self.settled()
    let words = call.split(separator: " ").map(String.init)
    let (compress, suffix) = (words.dropLast().joined(separator: " "), words[words.count - 1])
    let place = isInstalled ? "installed" : "tree/usr/lib/modules"
    let file = "\(place)/\(Imaging.release)/updates/dkms/zfs.ko"
    try await imaging.run("\(compress) \(file) > \(file).\(suffix); rm \(file)")
    if isInstalled {
      try await imaging.run("sed -i s/zfs.ko/zfs.ko.\(suffix)/ installed/\(Imaging.release)/modules.dep")
    }
    #expect(try await Self.flaws(of: imaging) == [])
    try await imaging.run("echo changed | \(compress) > \(file).\(suffix)")
    #expect(try await Self.flaws(of: imaging) == [.differs(kernelModule: "zfs")])
  }

  @Test func aModuleThatIsInstalledNoLongerMakesItStale() async throws {
    let imaging = try await Self.settled()
    try imaging.install(["kernel/net/a-b.ko": Self.one])
    #expect(try await Self.flaws(of: imaging) == [.gone(kernelModule: "zfs")])
  }

  @Test func aModuleThatModulesDepNamesInVainIsGone() async throws {
    let imaging = try await Self.settled()
    try Files.remove(imaging.modules.appending("updates/dkms/zfs.ko".components))
    #expect(try await Self.flaws(of: imaging) == [.gone(kernelModule: "zfs")])
  }

  @Test func anotherFileOfTheNameThatModprobePrefersMakesItStale() async throws {
    let imaging = try await Self.settled()
    try imaging.put(Self.one, "installed/\(Imaging.release)/updates/dkms/a_b.ko")
    try await imaging.run(
      "sed -i s,kernel/net/a-b.ko,updates/dkms/a_b.ko, installed/\(Imaging.release)/modules.dep")
    #expect(try await Self.flaws(of: imaging) == [], "it has the same bytes")
    try imaging.put(Self.two, "installed/\(Imaging.release)/updates/dkms/a_b.ko")
    #expect(try await Self.flaws(of: imaging) == [.differs(kernelModule: "a_b")])
  }

  @Test func ofTwoFilesInTheImageTheOneInTheInstalledPlaceCounts() async throws {
    let imaging = try await Self.settled()
    try imaging.fill(["kernel/fs/zfs.ko": Self.one])
    #expect(try await Self.flaws(of: imaging) == [])
    try imaging.fill(["kernel/fs/zfs.ko": Self.two, "updates/dkms/zfs.ko": Self.one])
    #expect(try await Self.flaws(of: imaging) == [.differs(kernelModule: "zfs")])
  }

  @Test func otherKernelsModulesAreNoneOfIts() async throws {
    let imaging = try await Self.settled()
    try imaging.put(Self.one, "tree/usr/lib/modules/5.4.0-other/updates/dkms/zfs.ko")
    try imaging.put(Self.one, "tree/usr/lib/modules/5.4.0-other/updates/dkms/gone.ko")
    #expect(try await Self.flaws(of: imaging) == [])
    #expect(try await imaging.condition(of: "image").modules == ["a_b", "zfs"])
  }

  @Test func oneDirectoryForAllKernelsIsTheKernels() async throws {
    let imaging = try await Self.settled()
    try Files.remove(imaging.path.appending("tree"))
    try imaging.put(Self.one, "tree/usr/lib/modules/zfs.ko")
    #expect(try await Self.flaws(of: imaging) == [.differs(kernelModule: "zfs")])
    try imaging.put(Self.two, "tree/usr/lib/modules/zfs.ko")
    #expect(try await Self.flaws(of: imaging) == [])
  }

  @Test func whatTheConfigurationAsksForMustBeThere() async throws {
    let imaging = try await Self.settled()
    let files = ["kernel/net/a-b.ko": Self.one, "updates/dkms/zfs.ko": Self.two, "kernel/x-y.ko": Self.one]
    try imaging.install(files, builtin: ["kernel/ext4"])
    let requested = ["a-b", "a_b", "zfs", "x_y", "ext4", "nowhere"].map {
      ModuleRequest(module: $0, place: "MODULES in /etc/mkinitcpio.conf")
    }
    #expect(
      try await Self.flaws(of: imaging, requested: requested)
        == [.lacks(kernelModule: "x_y", askedForBy: "MODULES in /etc/mkinitcpio.conf")])
  }

  @Test func aMissingOrUnreadableImageIsStale() async throws {
    let imaging = try await Self.settled()
    #expect(try await imaging.condition(of: "image").flaws == [.missing])
    try imaging.put("junk".bytes, "image")
    #expect(
      try await imaging.condition(of: "image").flaws == [
        .unreadable(reason: "it is neither a cpio archive nor compressed in a way that is known here")
      ])
  }

  @Test func namesOfOneFileAreTold() async throws {
    let imaging = try await Self.settled()
    let tree = "tree/usr/lib/modules/\(Imaging.release)"
    try await imaging.run("ln \(tree)/updates/dkms/zfs.ko \(tree)/kernel/net/linked.ko")
    try imaging.install([
      "kernel/net/a-b.ko": Self.one, "updates/dkms/zfs.ko": Self.two, "kernel/net/linked.ko": Self.two,
    ])
    for pack in ["cpio --quiet -o -H newc", "bsdcpio --quiet -o -H newc"] {
      try await imaging.run("(cd tree; find . | sort | \(pack)) > image")
      #expect(try await imaging.condition(of: "image").flaws == [])
      #expect(try await imaging.condition(of: "image").modules == ["a_b", "linked", "zfs"])
    }
  }

  @Test func aLaterArchiveTakesTheFirstOnesPlace() async throws {
    let imaging = try await Self.settled()
    try await imaging.run("\(Imaging.pack) > good")
    try imaging.fill(["updates/dkms/zfs.ko": Self.one])
    try await imaging.run("\(Imaging.pack) > bad; cat good bad > image; cat bad good > other")
    #expect(try await imaging.condition(of: "image").flaws == [.differs(kernelModule: "zfs")])
    #expect(try await imaging.condition(of: "other").flaws == [])
  }
}
