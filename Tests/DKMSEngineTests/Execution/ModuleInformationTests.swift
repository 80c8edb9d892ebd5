// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import SystemPackage
import TestSupport
import Testing

@testable import DKMSEngine

@Suite struct ModuleInformationTests {
  /// An ELF file whose sections are its own names and `.modinfo`.
  private func elf(_ text: String, isWide: Bool, isBigEndian: Bool) -> [UInt8] {
    let word = isWide ? 8 : 4
    func number(_ value: Int, _ size: Int) -> [UInt8] {
      let bytes = (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
      return isBigEndian ? bytes.reversed() : bytes
    }
    let names = Array("\0.shstrtab\0.modinfo\0".utf8)
    let start = isWide ? 64 : 52
    let (textStart, table) = (start + names.count, start + names.count + text.utf8.count)
    let entrySize = isWide ? 64 : 40
    func header(_ name: Int, _ offset: Int, _ size: Int) -> [UInt8] {
      let bytes =
        number(name, 4) + number(1, 4) + number(0, 2 * word) + number(offset, word) + number(size, word)
      return bytes + [UInt8](repeating: 0, count: entrySize - bytes.count)
    }
    let identity = [0x7F] + Array("ELF".utf8) + [isWide ? 2 : 1, isBigEndian ? 2 : 1]
    let fields =
      [UInt8](repeating: 0, count: 16 - identity.count) + number(0, 8) + number(0, 2 * word)
      + number(table, word) + number(0, 4) + number(start, 2) + number(0, 4) + number(entrySize, 2)
      + number(3, 2) + number(1, 2)
    return identity + fields + names + Array(text.utf8) + header(0, 0, 0) + header(1, start, names.count)
      + header(11, textStart, text.utf8.count)
  }

  @Test(arguments: [true, false], [true, false])
  func fields(_ isWide: Bool, _ isBigEndian: Bool) {
    let text = "license=GPL\0xvermagic=no\0vermagic=6.1.0 SMP mod_unload \0vermagic=second\0"
    let bytes = elf(text, isWide: isWide, isBigEndian: isBigEndian)
    let information = ModuleInformation(bytes)
    #expect(information[field: "vermagic"] == "6.1.0 SMP mod_unload ")
    #expect(information[field: "license"] == "GPL")
    #expect(information[field: "magic"] == nil)
  }

  @Test func damagedFilesSayNothing() {
    let whole = elf("vermagic=6.1.0\0", isWide: true, isBigEndian: false)
    #expect(ModuleInformation(whole)[field: "vermagic"] == "6.1.0")
    let sectionTable = 3 * 64
    for length in 0..<whole.count {
      let vermagic = ModuleInformation(Array(whole.prefix(length)))[field: "vermagic"]
      #expect(vermagic == nil || length > whole.count - sectionTable)
    }
    for index in 4..<whole.count {
      for byte: UInt8 in [0, 0x7F, 0xFF] {
        var bytes = whole
        bytes[index] = byte
        // Whatever it says of it, it does not fall over it.
        _ = ModuleInformation(bytes)[field: "vermagic"]
      }
    }
    #expect(ModuleInformation(Array("vermagic=6.1.0\0".utf8))[field: "vermagic"] == nil)
  }

  @Test(.requiresKernelHeaders)
  func realModule() async throws {
    let directory = try TemporaryDirectory()
    try directory.write("obj-m := small.o\n", to: "Makefile")
    try directory.write(
      "#include <linux/module.h>\nMODULE_LICENSE(\"GPL\");\nMODULE_VERSION(\"1.5\");\n", to: "small.c")
    let release = try #require(TestParts.kernels.first)
    let words = ["-C", TestParts.headers(of: release).string, "M=\(directory.path)"]
    let make = try await Run.program("/usr/bin/make", words)
    try #require(make.status == 0, "\(make)")
    let module = directory.path.appending("small.ko")
    for field in ["vermagic", "version", "name", "depends"] {
      let run = try await Run.program("/usr/sbin/modinfo", ["-F", field, module.string])
      #expect(
        ModuleInformation(try Files.read(module))[field: field] == run.output.split(separator: "\n").first
          .map(String.init) ?? ""
      )
    }
  }
}
