// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import SystemPackage
import TestSupport
import Testing

@testable import Initramfs

/// Boot partitions that have no room for an old image and a new one.
@Suite(.requiresRoot) struct SmallBootTests {
  private let machine: BootMachine
  private let kernel: BootableKernel
  private static let image = "boot/initramfs-linux.img"
  private static let mebibyte = 1 << 20

  /// Has a boot partition of 8 MiB.
  init() async throws {
    machine = try BootMachine()
    kernel = try machine.kernel()
    try machine.run(
      "sed -i 's|head -c 4000 /dev/zero|head -c $(cat \"$ROOT/size\") /dev/urandom|' bin/dracut")
    try machine.directory.write("add_drivers+=' hello '", to: "etc/dracut.conf")
    try machine.install("hello", "old")
    try machine.run("mount -t tmpfs -o size=8m boot boot; touch boot/vmlinuz-linux")
  }

  private func withBoot(_ body: () async throws -> Void) async throws {
    do { try await body() } catch {
      try machine.run("umount boot")
      throw error
    }
    try machine.run("umount boot")
  }

  private func settle(_ size: Int) async throws {
    try machine.directory.write("\(size)", to: "size")
    try await machine.settle(machine.recipes(.dracut, kernel))
  }

  private var state: [String] { Disk.list(machine.path.appending("state")) }

  @Test func theOldImageGivesWayToOneThatIsCheckedElsewhere() async throws {
    try await withBoot {
      try await settle(5 * Self.mebibyte)
      try machine.install("hello", "new")
      try await settle(6 * Self.mebibyte)
      #expect(try machine.modules(in: Self.image) == ["hello"])
      let recipes = try await machine.recipes(.dracut, kernel)
      #expect(await machine.plan(recipes).entries.map(\.decision) == [.keepFresh])
      #expect(Disk.list(machine.path.appending("boot")) == ["initramfs-linux.img", "vmlinuz-linux"])
      #expect(state.isEmpty, "nothing is left elsewhere")
    }
  }

  @Test func whatHasNoRoomIsToldInMebibytesAndTheOldImageStays() async throws {
    try await withBoot {
      try await settle(5 * Self.mebibyte)
      let before = try machine.bytes(Self.image)
      try machine.install("hello", "new")
      let error = await #expect(throws: GenerationError.self) { try await settle(9 * Self.mebibyte) }
      #expect(
        error?.reason.hasPrefix("no room: 10 MiB needed, 7 free on ") == true, "\(String(describing: error))")
      #expect(error?.reason.hasSuffix("/boot") == true)
      #expect(try machine.bytes(Self.image) == before)
      #expect(state.isEmpty)
    }
  }

  @Test func anImageThatWasReadyWhenItsRunWasKilledIsPutIntoItsPlace() async throws {
    try await withBoot {
      try await settle(5 * Self.mebibyte)
      let recipe = try await machine.recipes(.dracut, kernel)[0]
      let whole = try machine.bytes(Self.image)
      let name = FilePath(recipe.images[0].path).asOneName
      try Files.write(whole, to: machine.path.appending("state/\(name).ready".components))
      try machine.run("rm \(Self.image)")
      try await machine.maker.resume(recipe)
      #expect(try machine.bytes(Self.image) == whole)
      #expect(state.isEmpty)
    }
  }
}
