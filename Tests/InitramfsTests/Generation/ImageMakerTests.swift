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
        .generate([.lacks(kernelModule: "other", askedForBy: "add_drivers in dracut.conf")])
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
        "state/\(machine.path.string.dropFirst().split(separator: "/").joined(separator: ":")):boot:initramfs-linux.img.log"
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
    try await expectRefusal("nothing explains why")
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
    #expect(machine.maker.sweep(beside: recipes).isEmpty)
    #expect(Disk.list(machine.path.appending("real")) == ["i"])
    #expect(Disk.list(machine.path.appending("state")).isEmpty)
    try machine.install("hello", "new")
    try await machine.settle(recipes)
    #expect(Disk.kind(machine.path.appending(FilePath(Self.image).components)) == .link)
    #expect(await machine.plan(recipes).entries.map(\.decision) == [.keepFresh])
  }

  @Test(arguments: [
    ("mkfifo i", "it is a pipe, a socket or a device, and no image is put in its place"),
    ("mkfifo pipe && ln -s pipe i", "it is a pipe, a socket or a device, and no image is put in its place"),
    ("mkdir i", "it is a directory, and no image is put in its place"),
  ])
  func whatIsNoFileIsNotReplaced(_ words: String, _ reason: String) async throws {
    try machine.run("cd boot && \(words)")
    try machine.directory.write(
      "PRESETS=(one)\none_kver=\(BootMachine.release)\none_image=/boot/i\n",
      to: "etc/mkinitcpio.d/linux.preset")
    let before = Disk.list(machine.path.appending("boot"))
    let kind = Disk.kind(machine.path.appending("boot/i".components))
    let recipes = try await machine.recipes(.mkinitcpio, kernel)
    let error = await #expect(throws: GenerationError.self) { try await machine.settle(recipes) }
    #expect(error?.subject == machine.path.appending("boot/i".components).string)
    #expect(error?.reason == reason)
    #expect(
      error?.remedy
        == "name a file for the image in \(machine.path)/etc/mkinitcpio.d/linux.preset, "
        + "then: alpm-dkms initramfs \(BootMachine.release)")
    #expect(Disk.list(machine.path.appending("boot")) == before)
    #expect(Disk.kind(machine.path.appending("boot/i".components)) == kind)
    #expect(machine.calls.count == 1, "no generator is called for it")
  }

  @Test func whatCannotBeSweptIsTold() async throws {
    let recipes = try await machine.recipes(.dracut, kernel)
    try machine.run("rm -r boot && ln -s boot boot")
    let problems = machine.maker.sweep(beside: recipes)
    #expect(problems.map(\.subject) == [recipes[0].images[0].path])
    #expect(problems.allSatisfy { $0.reason.contains("Too many levels of symbolic links") })
  }

  // MARK: Plans

  @Test func anImageOfWhichNothingIsKnownIsNotMadeAnew() async throws {
    let recipes = try await machine.recipes(.dracut, kernel)
    let list = "usr/lib/modules/\(BootMachine.release)/modules.dep"
    try machine.run("rm \(list) && ln -s modules.dep \(list)")
    for policy in [ImagePolicy.auto, .always] {
      let plan = await machine.plan(recipes, policy: policy)
      #expect(plan.generated.isEmpty && plan.unknown.count == 1 && plan.kept.count == 1)
      #expect(
        plan.entries.map(\.words) == [
          "\(machine.path)/\(Self.image): stays: nothing is known about it: cannot read \(machine.path)/\(list): "
            + "Too many levels of symbolic links"
        ])
    }
    try machine.run("rm \(list)")
    try machine.install("hello", "new")
    #expect(
      await machine.plan(recipes).entries.map(\.decision) == [.generate([.differs(kernelModule: "hello")])])
  }

  @Test func aNewImageOfWhichNothingIsKnownIsRefused() async throws {
    let recipes = try await machine.recipes(.dracut, kernel)
    try machine.install("hello", "new")
    let plan = await machine.plan(recipes)
    let list = "usr/lib/modules/\(BootMachine.release)/modules.dep"
    try machine.run("rm \(list) && ln -s modules.dep \(list)")
    let before = try machine.bytes(Self.image)
    let error = await #expect(throws: GenerationError.self) {
      try await machine.maker.make(plan.entries[0])
    }
    #expect(error?.reason.hasPrefix("what dracut made is not used: nothing is known about it: ") == true)
    #expect(try machine.bytes(Self.image) == before)
  }

  @Test func theGoodImageStaysWhereAModuleThatItNeedsCouldNotBeBuilt() async throws {
    try machine.install("other", "1")
    try machine.directory.write("add_drivers+=' hello other '", to: "etc/dracut.conf")
    let recipes = try await machine.recipes(.dracut, kernel)
    let lacks = ImageFlaw.lacks(kernelModule: "other", askedForBy: "add_drivers in dracut.conf")
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
        == [.keepNever([.differs(kernelModule: "hello")])])
  }
}
