// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import SystemPackage
import TestSupport
import Testing

@testable import Initramfs

/// That an image is never replaced by a worse one, and not touched without need.
@Suite struct ImageMakerTests {
  private let machine: BootMachine
  private let kernel: BootableKernel
  private static let image = "boot/initramfs-linux.img"

  init() async throws {
    machine = try BootMachine()
    kernel = try machine.kernel()
    try machine.directory.write("", to: "boot/vmlinuz-linux")
    try machine.directory.write("add_drivers+=' hello '", to: "etc/dracut.conf")
    try machine.install("hello", "old")
    try await machine.settle(machine.recipes(.dracut, kernel))
    try #require(machine.calls.count == 1)
  }

  private func settle() async throws { try await machine.settle(machine.recipes(.dracut, kernel)) }

  private func behave(_ behaviour: String) throws { try machine.directory.write(behaviour, to: "behaviour") }

  /// Tries to make the image, which must fail for this reason and leave all as it was.
  private func expectRefusal(_ reason: String, _ location: SourceLocation = #_sourceLocation) async throws {
    let before = try machine.bytes(Self.image)
    let recipes = try await machine.recipes(.dracut, kernel)
    let error = await #expect(throws: GenerationError.self, sourceLocation: location) {
      try await machine.settle(recipes)
    }
    #expect(error?.reason.contains(reason) == true, "\(String(describing: error))", sourceLocation: location)
    #expect(try machine.bytes(Self.image) == before, sourceLocation: location)
    #expect(
      Disk.list(machine.path.appending("boot")) == ["initramfs-linux.img", "vmlinuz-linux"],
      sourceLocation: location)
    #expect(
      !(await machine.plan(recipes)).generated.isEmpty, "it is still known to be old",
      sourceLocation: location)
  }

  @Test func anImageIsMadeOnceForAModuleInIt() async throws {
    try await settle()
    #expect(machine.calls.count == 1)
    try machine.install("hello", "new")
    try await settle()
    try await settle()
    #expect(machine.calls.count == 2)
    try machine.uninstall("hello")
    try await settle()
    #expect(try machine.modules(in: Self.image).isEmpty)
    #expect(machine.calls.count == 3)
  }

  @Test func aModuleInNoImageChangesNothing() async throws {
    try machine.install("other", "1")
    try machine.run("sed -i /other/d included")
    try await settle()
    #expect(machine.calls.count == 1)
  }

  @Test func aModuleThatIsAskedForComesIn() async throws {
    try machine.install("other", "1")
    try machine.directory.write("add_drivers+=' hello other '", to: "etc/dracut.conf")
    let plan = await machine.plan(try await machine.recipes(.dracut, kernel))
    #expect(
      plan.entries.map(\.decision) == [
        .generate([.lacks(module: "other", askedForBy: "add_drivers in dracut.conf")])
      ])
    try await settle()
    #expect(try machine.modules(in: Self.image) == ["hello", "other"])
  }

  @Test func aGeneratorThatFailsLeavesTheOldImageAndALog() async throws {
    try machine.install("hello", "new")
    try behave("fail")
    try await expectRefusal("dracut ended with status 1: ==> ERROR: no such luck")
    #expect(
      machine.text(
        "state/\(machine.path.string.dropFirst().split(separator: "/").joined(separator: "-"))-boot-initramfs-linux.img.log"
      ) == "==> ERROR: no such luck")
    try behave("")
    try await settle()
    #expect(Disk.list(machine.path.appending("state")).isEmpty, "the log goes with what it tells")
  }

  @Test func aDamagedImageIsRefused() async throws {
    try machine.install("hello", "new")
    try behave("cut")
    try await expectRefusal("what dracut made is not used: it cannot be read: ")
  }

  @Test func anImageWithoutTheModuleItMustHoldIsRefused() async throws {
    try machine.install("hello", "new")
    try behave("forgetful")
    try await expectRefusal("it lacks the module hello, which add_drivers in dracut.conf asks for")
  }

  @Test func anImageOfLessThanHalfTheSizeIsRefusedUnlessThereIsAReason() async throws {
    try machine.install("hello", "new")
    try behave("large")
    try await settle()
    try machine.install("hello", "newer")
    try machine.run("touch -d '1 hour ago' etc/dracut.conf")
    try behave("tiny")
    try await expectRefusal("nothing tells why")
    try machine.run("touch -d '1 hour' etc/dracut.conf")
    try await settle()
    #expect(machine.calls.count == 4)
  }

  @Test func whatAKilledRunLeftIsSweptAndALinkStaysALink() async throws {
    try machine.run(
      "mkdir real && mv boot/initramfs-linux.img real/i && ln -s ../real/i boot/initramfs-linux.img")
    try machine.directory.write("half", to: "real/.i.alpm-dkms-new")
    try machine.directory.write("half", to: "real/.gone.img.alpm-dkms-new")
    try machine.directory.write("half", to: "state/archive.img")
    let recipes = try await machine.recipes(.dracut, kernel)
    machine.maker.sweep(beside: recipes)
    #expect(Disk.list(machine.path.appending("real")) == ["i"])
    #expect(Disk.list(machine.path.appending("state")).isEmpty)
    try machine.install("hello", "new")
    try await machine.settle(recipes)
    #expect(Disk.kind(machine.path.appending(FilePath(Self.image).components)) == .link)
    #expect(await machine.plan(recipes).entries.map(\.decision) == [.keepFresh])
  }

  // MARK: Plans

  @Test func theGoodImageStaysWhereAModuleThatItNeedsCouldNotBeBuilt() async throws {
    try machine.install("other", "1")
    try machine.directory.write("add_drivers+=' hello other '", to: "etc/dracut.conf")
    let recipes = try await machine.recipes(.dracut, kernel)
    let lacks = ImageFlaw.lacks(module: "other", askedForBy: "add_drivers in dracut.conf")
    let decision = { (modules: Set<String>) in
      await machine.plan(recipes, unbuilt: [kernel.kernel: modules]).entries.map(\.decision)
    }
    #expect(await decision(["hello"]) == [.keepGood([lacks], withoutBuild: ["hello"])])
    #expect(await decision(["unrelated"]) == [.generate([lacks])])
    try machine.directory.write("no image", to: Self.image)
    let broken = await machine.plan(recipes, unbuilt: [kernel.kernel: ["hello"]])
    #expect(broken.generated.count == 1, "there is nothing good about it")
  }

  @Test func theAdministratorHasTheLastWord() async throws {
    let recipes = try await machine.recipes(.dracut, kernel)
    #expect(await machine.plan(recipes, policy: .always).entries.map(\.decision) == [.generateAlways])
    try machine.install("hello", "new")
    #expect(
      await machine.plan(recipes, policy: .never).entries.map(\.decision)
        == [.keepNever([.differs(module: "hello")])])
  }
}
