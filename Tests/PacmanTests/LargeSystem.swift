// SPDX-License-Identifier: GPL-2.0-or-later

@testable import Pacman

/// The packages of a large system: 1,500, some 100,000 paths.
enum LargeSystem {
  static let packageCount = 1_500
  static let kernelRelease = "6.12.9-arch1-1"

  static func database() throws -> TemporaryDatabase {
    let database = try TemporaryDatabase()
    for package in packages { try database.add(package) }
    return database
  }

  static let packages: [FixturePackage] =
    special + (special.count..<packageCount).map(ordinary)

  private static let special: [FixturePackage] = [
    FixturePackage(
      name: "linux", version: "6.12.9.arch1-1", base: "linux",
      files: tree(
        ["modules.order", "modules.builtin", "pkgbase", "vmlinuz"]
          + (0..<1_000).map { "kernel/drivers/d\($0 % 90)/module\($0).ko.zst" },
        under: "usr/lib/modules/\(kernelRelease)/")),
    FixturePackage(
      name: "linux-headers", version: "6.12.9.arch1-1", base: "linux",
      files: tree(
        (0..<3_000).map { "build/include/h\($0 % 300)/header\($0).h" } + ["build/.config"],
        under: "usr/lib/modules/\(kernelRelease)/")),
    FixturePackage(
      name: "foo-dkms", version: "1:2.0-3", base: "foo",
      files: tree(["dkms.conf", "Makefile", "foo.c", "tests/dkms.conf"], under: "usr/src/foo-2.0/")),
    FixturePackage(name: "meta-nothing", version: "20250101-1"),
    FixturePackage(
      name: "naïve-names", version: "0.1-1", base: "other-base",
      files: tree(
        [
          "ärger.txt", "日本語/ファイル", "emoji 🐧", "space in name", "[brackets]", "%FILES%", "back\\slash",
        ],
        under: "usr/share/naïve/"),
      backup: ["etc/naive.conf"]),
    FixturePackage(name: "only-backup", backup: ["etc/only.conf"]),
    FixturePackage(name: "no-base", version: "3-1", files: tree(["no-base"], under: "usr/bin/")),
  ]

  private static func ordinary(_ number: Int) -> FixturePackage {
    let name = "package\(number)"
    let paths = (0..<(number % 29 * 3 + 10)).map { "d\($0 % 17)/some-longer-file-name-\($0).txt" }
    return FixturePackage(
      name: name, version: "\(number % 3 == 0 ? "1:" : "")\(number % 7).\(number)-\(number % 5 + 1)",
      base: number % 4 == 0 ? "base\(number / 40)" : name,
      files: tree(paths, under: "usr/share/\(name)/"),
      backup: number % 10 == 0 ? ["etc/\(name).conf"] : [])
  }

  /// The file list of a directory: its parents, itself and everything within, in byte order.
  static func tree(_ paths: [String], under directory: String) -> [String] {
    var list: Set<String> = []
    for path in [directory] + paths.map({ directory + $0 }) {
      list.insert(path)
      var rest = path.dropLast()
      while let slash = rest.utf8.lastIndex(of: .slash), list.insert(String(path[...slash])).inserted {
        rest = path[..<slash]
      }
    }
    return list.sorted(by: String.inByteOrder)
  }
}
