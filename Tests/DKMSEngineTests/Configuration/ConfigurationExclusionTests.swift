// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import SystemPackage
import TestSupport
import Testing

@testable import DKMSEngine

/// BUILD_EXCLUSIVE_* and OBSOLETE_BY, for kernel 6.1.5-x on x86_64.
@Suite struct ConfigurationExclusionTests {
  private let machine: TemporaryMachine

  init() throws { machine = try TemporaryMachine() }

  private func addKernelConfiguration() throws {
    try machine.directory.write(
      """
      CONFIG_BUILTIN=y
      CONFIG_MODULE=m
      # CONFIG_UNSET is not set
      CONFIG_LONGER_NAME=y
      CONFIG_NUMBER=1
      CONFIG_TEXT="yes"

      """, to: "lib/modules/6.1.5-x/build/.config")
  }

  @Test(arguments: [
    "BUILD_EXCLUSIVE_KERNEL='^6\\.'", "BUILD_EXCLUSIVE_KERNEL='^(5\\.10|6\\.[0-9]+)\\.'",
    "BUILD_EXCLUSIVE_KERNEL=x", "BUILD_EXCLUSIVE_KERNEL_MIN=6.1.5-x", "BUILD_EXCLUSIVE_KERNEL_MIN=6.1",
    "BUILD_EXCLUSIVE_KERNEL_MAX=6.1.5-x", "BUILD_EXCLUSIVE_KERNEL_MAX=6.1.10", "BUILD_EXCLUSIVE_ARCH=x86_64",
    "BUILD_EXCLUSIVE_ARCH='^(i.86|x86_64)$'", "BUILD_EXCLUSIVE_CONFIG=CONFIG_BUILTIN",
    "BUILD_EXCLUSIVE_CONFIG=CONFIG_MODULE", "BUILD_EXCLUSIVE_CONFIG='!CONFIG_UNSET !CONFIG_NOWHERE'",
    "BUILD_EXCLUSIVE_CONFIG='CONFIG_BUILTIN CONFIG_MODULE !CONFIG_UNSET'", "OBSOLETE_BY=6.1.5-x",
    "OBSOLETE_BY=7.0", "OBSOLETE_BY=6.0; BUILD_EXCLUSIVE_KERNEL_MAX=7.0", "BUILD_EXCLUSIVE_KERNEL=''",
  ])
  func kernelIsFine(_ line: String) async throws {
    try addKernelConfiguration()
    let configuration = try await machine.read(adding: line)
    #expect(configuration.exclusion == nil)
    #expect(configuration.modules.count == 1)
  }

  @Test(arguments: [
    ("BUILD_EXCLUSIVE_KERNEL='^5\\.'", "^5\\."),
    ("BUILD_EXCLUSIVE_KERNEL='^6\\.1\\.5$'", "^6\\.1\\.5$"),
    ("BUILD_EXCLUSIVE_KERNEL_MIN=6.1.10", "6.1.10"),
    ("BUILD_EXCLUSIVE_KERNEL_MIN=6.2", "6.2"),
    ("BUILD_EXCLUSIVE_KERNEL_MAX=6.1", "6.1"),
    ("BUILD_EXCLUSIVE_KERNEL_MAX=5.19", "5.19"),
    ("BUILD_EXCLUSIVE_ARCH=aarch64", "aarch64"),
    ("BUILD_EXCLUSIVE_CONFIG=CONFIG_UNSET", "CONFIG_UNSET"),
    ("BUILD_EXCLUSIVE_CONFIG=CONFIG_NOWHERE", "CONFIG_NOWHERE"),
    ("BUILD_EXCLUSIVE_CONFIG=CONFIG_LONGER", "CONFIG_LONGER"),
    ("BUILD_EXCLUSIVE_CONFIG=CONFIG_NUMBER", "CONFIG_NUMBER"),
    ("BUILD_EXCLUSIVE_CONFIG=CONFIG_TEXT", "CONFIG_TEXT"),
    ("BUILD_EXCLUSIVE_CONFIG='!CONFIG_BUILTIN'", "CONFIG_BUILTIN"),
    ("BUILD_EXCLUSIVE_CONFIG='!CONFIG_MODULE'", "CONFIG_MODULE"),
    ("BUILD_EXCLUSIVE_CONFIG='CONFIG_BUILTIN CONFIG_UNSET CONFIG_MODULE'", "CONFIG_UNSET"),
    ("OBSOLETE_BY=6.0", "6.0"),
    ("OBSOLETE_BY=7.0; BUILD_EXCLUSIVE_KERNEL_MAX=6.0", "6.0"),
    ("BUILD_EXCLUSIVE_KERNEL='^6'; BUILD_EXCLUSIVE_ARCH=aarch64", "aarch64"),
  ])
  func kernelIsExcluded(_ line: String, _ subject: String) async throws {
    try addKernelConfiguration()
    let configuration = try await machine.read(adding: line)
    #expect(configuration.exclusion?.contains(subject) == true)
    #expect(configuration.modules.isEmpty)
  }

  @Test(arguments: [
    "OBSOLETE_BY[1]=5", "OBSOLETE_BY=5; BUILD_EXCLUSIVE_KERNEL_MAX[1]=7", "BUILD_EXCLUSIVE_ARCH[9]=i686",
  ])
  func bothModulesAreKept(_ line: String) async throws {
    let configuration = try await machine.read(
      adding: "BUILT_MODULE_NAME[1]=second; DEST_MODULE_LOCATION[1]=/extra; \(line)")
    #expect(configuration.modules.map(\.builtName) == ["hello", "second"])
  }

  @Test func packageWithoutModulesMayBeExcluded() async throws {
    let conf = "PACKAGE_NAME=tools\nPACKAGE_VERSION=1\n"
    #expect(try await machine.read(conf).exclusion == nil)
    #expect(try await machine.read(conf + "BUILD_EXCLUSIVE_KERNEL='^5'\n").exclusion != nil)
  }

  @Test func optionsAreNotHeldAgainstAKernelWithoutConfiguration() async throws {
    let configuration = try await machine.read(adding: "BUILD_EXCLUSIVE_CONFIG='CONFIG_UNSET !CONFIG_SET'")
    #expect(configuration.exclusion == nil)
  }

  @Test(arguments: [
    "BUILD_EXCLUSIVE_KERNEL[1]='^5'", "BUILD_EXCLUSIVE_KERNEL_MIN[1]=7", "BUILD_EXCLUSIVE_KERNEL_MAX[1]=5",
    "BUILD_EXCLUSIVE_ARCH[1]=aarch64", "BUILD_EXCLUSIVE_CONFIG[1]=CONFIG_UNSET",
    "BUILD_EXCLUSIVE_KERNEL[0]='^6'; BUILD_EXCLUSIVE_KERNEL[1]='^5'",
    "BUILD_EXCLUSIVE_KERNEL_MAX[1]=5; OBSOLETE_BY=5",
  ])
  func oneOfTwoModulesIsLeftOut(_ line: String) async throws {
    try addKernelConfiguration()
    let configuration = try await machine.read(
      adding: "BUILT_MODULE_NAME[1]=second; DEST_MODULE_LOCATION[1]=/extra; \(line)")
    #expect(configuration.modules.map(\.builtName) == ["hello"])
    #expect(configuration.exclusion == nil)
  }

  @Test(arguments: [
    "BUILD_EXCLUSIVE_KERNEL='^5'; BUILD_EXCLUSIVE_KERNEL[1]='^6'",
    "BUILD_EXCLUSIVE_KERNEL_MIN=7; BUILD_EXCLUSIVE_KERNEL_MIN[1]=5",
    "BUILD_EXCLUSIVE_KERNEL_MAX=5; BUILD_EXCLUSIVE_KERNEL_MAX[1]=7",
    "BUILD_EXCLUSIVE_ARCH=aarch64; BUILD_EXCLUSIVE_ARCH[1]=x86_64", "OBSOLETE_BY=5; OBSOLETE_BY[1]=7",
    "BUILD_EXCLUSIVE_ARCH[0]=aarch64; BUILD_EXCLUSIVE_ARCH[1]=i686", "BUILD_EXCLUSIVE_ARCH=aarch64",
    "BUILD_EXCLUSIVE_ARCH[0]=aarch64; BUILD_EXCLUSIVE_KERNEL[1]='^5'; BUILD_EXCLUSIVE_KERNEL[0]='^6'",
  ])
  func kernelIsExcludedWhenNoModuleIsLeft(_ line: String) async throws {
    let configuration = try await machine.read(
      adding: "BUILT_MODULE_NAME[1]=second; DEST_MODULE_LOCATION[1]=/extra; \(line)")
    #expect(configuration.modules.isEmpty)
    #expect(configuration.exclusion != nil)
  }
}
