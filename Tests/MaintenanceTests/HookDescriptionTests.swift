// SPDX-License-Identifier: GPL-2.0-or-later

import Pacman
import SystemPackage
import TestSupport
import Testing

/// What pacman prints of our hooks, whatever a transaction does.
@Suite struct HookDescriptionTests {
  private static let directory = TestParts.repository.appending("hooks")

  private func descriptions() -> [String: String] {
    Disk.list(Self.directory).reduce(into: [:]) { descriptions, name in
      let lines = (Disk.text(Self.directory.appending(name)) ?? "").split(separator: "\n")
      let line = lines.first { $0.hasPrefix("Description = ") }
      descriptions[name] = line.map { String($0.dropFirst("Description = ".count)) }
    }
  }

  @Test func eachHookHasOne() {
    #expect(descriptions().count == Disk.list(Self.directory).count)
  }

  /// An upgrade of a kernel removes files, too.
  @Test func noneAnnouncesARemoval() {
    for (name, text) in descriptions() { #expect(!text.lowercased().contains("remov"), "\(name)") }
  }

  @Test func noneNamesAGeneratorThatMayNotBeInstalled() {
    for (name, text) in descriptions() {
      for generator in ["mkinitcpio", "dracut", "booster"] { #expect(!text.contains(generator), "\(name)") }
    }
    #expect(descriptions().values.count { $0.contains("images") } == 1)
  }
}
