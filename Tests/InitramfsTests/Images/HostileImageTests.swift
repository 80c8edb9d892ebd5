// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import Initramfs
import SystemPackage
import TestSupport
import Testing

/// No image, whatever is in it, ends the program or fills the memory.
@Suite(.requiresImageTools, .serialized) struct HostileImageTests {
  static let filters = ["cat", "gzip -nc", "xz -c --check=crc32", "zstd -qc", "lz4 -qc", "lz4 -qc -l"]

  /// Lengths at which to cut: all short ones, then steps, then all just before the end.
  private static func cuts(_ length: Int) -> [Int] {
    Array(1..<min(130, length)) + Array(stride(from: 130, to: length, by: max(1, length / 40)))
      + Array(max(1, length - 40)..<length)
  }

  @Test(arguments: filters) func whatIsCutIsAnError(_ filter: String) async throws {
    let imaging = try Imaging()
    try imaging.fill(["updates/dkms/zfs.ko": Imaging.noise(3000)])
    try await imaging.run("\(Imaging.pack) | \(filter) > whole")
    let whole = try Files.read(imaging.path.appending("whole"))
    // The zeros after the last entry carry nothing; a frame for the kernel ends where the file ends.
    let end = try #require(filter == "cat" ? whole.lastIndex { $0 != 0 } : whole.count)
    for length in Self.cuts(end) {
      try imaging.put(Array(whole.prefix(length)), "image")
      #expect(throws: ImageError.self, "\(length) of \(whole.count) bytes") {
        try imaging.contents("image")
      }
    }
    #expect(imaging.names("whole") == ["zfs"])
  }

  @Test func aCutUnifiedKernelImageIsAnError() async throws {
    let imaging = try await UnifiedKernelImageTests.made()
    let whole = try Files.read(imaging.path.appending("uki"))
    let initrd = try Files.read(imaging.path.appending("initrd"))
    let start = try #require(
      whole.indices.first { whole[$0...].starts(with: initrd.prefix(64)) })
    for length in Self.cuts(start + initrd.count) {
      try imaging.put(Array(whole.prefix(length)), "image")
      #expect(throws: ImageError.self, "\(length) of \(whole.count) bytes") {
        try imaging.contents("image", .unifiedKernelImage)
      }
    }
  }

  @Test(arguments: filters + ["uki"]) func junkInItIsNeverMore(_ filter: String) async throws {
    let form: InitramfsImage.Form = filter == "uki" ? .unifiedKernelImage : .archive
    let imaging = filter == "uki" ? try await UnifiedKernelImageTests.made() : try Imaging()
    if filter != "uki" {
      try imaging.fill(["updates/dkms/zfs.ko": Imaging.noise(3000)])
      try await imaging.run("\(Imaging.pack) | \(filter) > uki")
    }
    let whole = try Files.read(imaging.path.appending("uki"))
    let places = Imaging.noise(600, seed: 7)
    for round in 0..<100 {
      var bytes = whole
      let random = places[round * 4..<round * 4 + 4].reduce(0) { $0 << 8 | Int($1) }
      // Headers are what can lead astray; the rest is only data.
      let place = round % 2 == 0 ? random % min(1024, bytes.count) : random % bytes.count
      bytes[place] = UInt8(truncatingIfNeeded: random >> 5)
      try imaging.put(bytes, "image")
      // Either it is read or it is an error of this kind; anything else ends the test.
      let names = imaging.names("image", form)
      #expect(!names.contains(""))
    }
  }

  /// A header of a newc archive with these numbers.
  private static func header(mode: UInt32 = 0o100644, size: UInt32 = 0, nameLength: UInt32) -> [UInt8] {
    let fields: [UInt32] = [1, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, nameLength, 0]
    let digits = fields.map { field in
      let text = String(field, radix: 16)
      return String(repeating: "0", count: 8 - text.count) + text
    }
    return ("070701" + digits.joined()).bytes
  }

  @Test func sizesThatCannotBeAreErrors() throws {
    let imaging = try Imaging()
    let name = "usr/lib/modules/\(Imaging.release)/a.ko\0".bytes
    try imaging.put(Self.header(size: .max, nameLength: UInt32(name.count)) + name, "image")
    #expect(imaging.names("image") == ["it is truncated"])
    for length: UInt32 in [0, 1, 4097, .max] {
      try imaging.put(Self.header(nameLength: length) + [UInt8](repeating: 0x61, count: 9000), "image")
      #expect(imaging.names("image") == ["a cpio archive in it has a name of \(length) bytes"])
    }
  }

  @Test(arguments: [".", "/", "..", "a\0b", "../../usr/lib/modules/x.ko", "\u{1B}[2J", "lib/modules/.ko"])
  func namesLeadNowhere(_ name: String) throws {
    let imaging = try Imaging()
    var bytes: [UInt8] = []
    for name in [name, "TRAILER!!!"] {
      bytes += Self.header(nameLength: UInt32(name.utf8.count + 1)) + name.bytes + [0]
      bytes += [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4)
    }
    try imaging.put(bytes, "image")
    let inside = name.hasSuffix("x.ko") ? ["x"] : []
    #expect(imaging.names("image") == inside)
    #expect(imaging.directory.listing() == ["image"])
  }

  @Test(arguments: ["gzip -nc", "xz -c", "zstd -qc", "lz4 -qc"]) func aBombIsAnError(
    _ filter: String
  ) async throws {
    let imaging = try Imaging()
    try imaging.fill([:])
    try await imaging.run(
      "mkdir tree; head -c 64M /dev/zero > tree/zeros; \(Imaging.pack) | \(filter) > image")
    var limits = ImageLimits()
    limits.bytes = 1 << 20
    #expect(imaging.names("image", limits: limits) == ["it unpacks to more than 1048576 bytes"])
    #expect(imaging.names("image") == [])
  }

  @Test func aModuleThatIsABombIsAnError() async throws {
    let imaging = try Imaging()
    try imaging.install(["updates/zfs.ko": "z".bytes])
    try imaging.fill(["updates/zfs.ko.zst": []])
    let tree = "tree/usr/lib/modules/\(Imaging.release)/updates"
    try await imaging.run("head -c 64M /dev/zero | zstd -qc > \(tree)/zfs.ko.zst; \(Imaging.pack) > image")
    var limits = ImageLimits()
    limits.moduleBytes = 1 << 20
    let condition = await ImageInspector(host: .live(), limits: limits).condition(
      of: try imaging.image("image"), modulesDirectory: imaging.modules)
    #expect(condition.flaws == [.unreadable(reason: "it unpacks to more than 1048576 bytes")])
  }

  @Test(arguments: [
    "xz -qc --lzma2=preset=0,dict=4MiB", "lzma -qc --lzma1=preset=0,dict=4MiB",
    "xz -qc -0 > a; (cat a; head -c 9 a | xz -qc --lzma2=preset=0,dict=4MiB)",
  ]) func aLargeDictionaryIsAnError(_ filter: String) async throws {
    let imaging = try Imaging()
    try await imaging.run("mkdir tree; \(Imaging.pack) | \(filter) > image")
    var limits = ImageLimits()
    limits.dictionary = 1 << 20
    #expect(imaging.names("image", limits: limits) == ["unpacking it takes 4 MiB, more than the 1 allowed"])
  }

  @Test func moreEntriesThanMayBeAreAnError() async throws {
    let imaging = try Imaging()
    try await imaging.run("mkdir tree; touch tree/{1..20}; \(Imaging.pack) > image")
    var limits = ImageLimits()
    limits.entries = 10
    #expect(imaging.names("image", limits: limits) == ["it has more than 10 entries"])
  }

  @Test func aPipeOrADeviceKeepsNobodyWaiting() async throws {
    let imaging = try Imaging()
    try await imaging.run("mkfifo image; ln -s /dev/zero device")
    #expect(imaging.names("image") == ["it is not a regular file"])
    #expect(imaging.names("device") == ["it is not a regular file"])
  }
}
