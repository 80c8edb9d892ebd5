// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import SystemPackage
import TestSupport
import Testing

@testable import Initramfs

/// That what is remembered of an image is believed only while the image is what it was.
@Suite struct ImageMemoryTests {
  private let machine: BootMachine
  private let kernel: BootableKernel
  private static let image = "boot/initramfs-linux.img"

  init() async throws {
    machine = try BootMachine()
    kernel = try machine.kernel()
    try machine.directory.write("", to: "boot/vmlinuz-linux")
    try machine.install("hello", "old")
    try await machine.settle(machine.recipes(.dracut, kernel))
    try await waitAndLook()
  }

  /// Looks once the clock of the file system has moved on, so that nothing can have happened unseen.
  private func waitAndLook() async throws {
    try machine.run("sleep 0.1")
    #expect(try await decision == .keepFresh)
    try #require(memory.count == 1)
  }

  private var memory: [String] { Disk.list(machine.path.appending("memory")) }

  private var decision: ImagePlan.Decision? {
    get async throws {
      await machine.plan(try await machine.recipes(.dracut, kernel)).entries.first?.decision
    }
  }

  /// Has the memory tell something else of the module.
  private func falsify() throws {
    let before = try machine.bytes("memory/\(memory[0])")
    try machine.run(#"sed -i 's/"digest": "[^"]*"/"digest": "0-0"/' memory/*"#)
    try #require(try machine.bytes("memory/\(memory[0])") != before)
  }

  @Test func anImageThatIsWhatItWasIsNotReadAgain() async throws {
    try falsify()
    #expect(try await decision == .generate([.differs(kernelModule: "hello")]), "the memory says so")
  }

  @Test(arguments: ["touch IMAGE", "touch -d '1 hour ago' IMAGE", "cp IMAGE other && mv other IMAGE"])
  func anImageThatWasChangedIsReadAgain(_ words: String) async throws {
    try falsify()
    try machine.run(words.replacing("IMAGE", with: Self.image))
    #expect(try await decision == .keepFresh)
  }

  @Test func aChangeThatKeepsSizeAndTimeIsSeen() async throws {
    let words =
      "cp --preserve=timestamps \(Self.image) old && printf X | dd conv=notrunc of=\(Self.image) bs=1 seek=0"
    try machine.run("\(words) && touch -r old \(Self.image)")
    #expect(
      try await decision
        == .generate([
          .unreadable(reason: "it is neither a cpio archive nor compressed in a way that is known here")
        ]))
  }

  @Test(arguments: ["{", "", "[]", "{\"schema\": 0}", "null"])
  func aDamagedMemoryIsDroppedAndTheImageRead(_ text: String) async throws {
    let name = memory[0]
    try machine.directory.write(text, to: "memory/\(name)")
    #expect(try await decision == .keepFresh)
    #expect(machine.text("memory/\(name)") != text, "it is remembered anew")
    try machine.directory.write(text, to: "memory/\(name)")
    #expect(machine.maker.sweep(beside: []).isEmpty)
    #expect(memory.isEmpty)
  }

  @Test func whatIsMadeIsRememberedInItsPlaceAndWhatIsGoneForgotten() async throws {
    try machine.install("hello", "new")
    try await machine.settle(machine.recipes(.dracut, kernel))
    #expect(machine.maker.sweep(beside: []).isEmpty)
    #expect(memory.count == 1)
    try machine.run("rm \(Self.image)")
    #expect(machine.maker.sweep(beside: []).isEmpty)
    #expect(memory.isEmpty)
  }

  @Test func whereNothingCanBeRememberedImagesAreRead() async throws {
    try machine.run("rm -r memory && : > memory")
    #expect(try await decision == .keepFresh)
    try machine.install("hello", "new")
    #expect(try await decision == .generate([.differs(kernelModule: "hello")]))
  }

  @Test(arguments: [1, 2, 64]) func manyImagesAreLookedIntoInTheirOrder(_ processors: Int) async throws {
    var recipes = try await machine.recipes(.dracut, kernel)
    for number in 0..<9 {
      var recipe = recipes[0]
      recipe.images[0].path += "-\(number)"
      if number % 3 > 0 { try machine.run("cp \(Self.image) \(Self.image)-\(number)") }
      if number % 3 > 1 { try machine.run("truncate -s 600 \(Self.image)-\(number)") }
      recipes.append(recipe)
    }
    var host = machine.system.host
    host.processorCount = processors
    let system = BootSystem(
      root: machine.path, installTree: machine.path.appending("usr/lib/modules".components), host: host)
    var expected: [ImageFacts.Run] = []
    for recipe in recipes { expected.append(await ImageSurvey(system).run(recipe)) }
    #expect(await ImageSurvey(system).runs(recipes) == expected)
    #expect(Set(expected.map { $0.conditions[0].flaws.count }) == [0, 1])
  }
}
