// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import SystemPackage
import TestSupport
import Testing

@testable import DKMSEngine

/// What can be wrong with depmod's files, beside those that the real depmod wrote for a kernel with modules.
@Suite struct ModuleIndexTests {
  private let machine: TemporaryMachine
  private let kernel: Kernel

  private static let files = [
    "modules.dep", "modules.dep.bin", "modules.alias", "modules.alias.bin", "modules.softdep",
    "modules.symbols", "modules.symbols.bin", "modules.builtin.bin", "modules.builtin.alias.bin",
    "modules.devname",
  ]

  init() throws {
    machine = try TemporaryMachine()
    kernel = try machine.addKernel("6.1.0")
    try add("modules.builtin", "kernel/built-in.ko\n")
    try add("modules.builtin.modinfo", "built_in.alias=pci:v1\0")
    for file in ["kernel/drivers/other.ko", "kernel/my-other_one.ko", "updates/dkms/hello.ko"] {
      try add(file, "text")
    }
    try depmod()
  }

  private func add(_ file: String, _ text: String = "") throws {
    try machine.directory.write(text, to: "lib/modules/6.1.0/\(file)")
  }

  private func path(_ file: String) -> FilePath {
    machine.layout.kernel(kernel.release).appending(FilePath(file).components)
  }

  private func depmod() throws { try Depmod.run(on: machine.layout.installTree, for: "6.1.0") }

  private func flaw() throws -> IndexFlaw? {
    let facts = try machine.snapshot.kernel(kernel.release).facts()
    #expect(facts.hasStaleDependencies == (facts.indexFlaw != nil))
    return facts.indexFlaw
  }

  @Test func nothingIsWrongWithWhatDepmodWrote() throws {
    #expect(try flaw() == nil)
  }

  @Test(arguments: files)
  func everyFileIsMissed(_ file: String) throws {
    try Files.remove(path(file))
    #expect(try flaw() == .missing(file: file))
    try depmod()
    #expect(try flaw() == nil)
  }

  @Test(arguments: files.filter { $0 != "modules.devname" }, [0, 1, 2, 3])
  func noFileMayBeCutShort(_ file: String, _ quarters: Int) throws {
    let bytes = try Files.read(path(file))
    try #require(!bytes.isEmpty)
    try Files.write(Array(bytes.prefix(bytes.count * quarters / 4)), to: path(file))
    let flaw = try #require(try flaw())
    // Nothing but its counterpart tells that a file of lines has lost all of them.
    #expect(flaw.file == file || flaw == .contradictory(file: "\(file).bin", counterpart: file), "\(flaw)")
    try depmod()
    #expect(try self.flaw() == nil)
  }

  @Test(arguments: files.filter { $0 != "modules.devname" })
  func noFileMayBeOfZeros(_ file: String) throws {
    let size = try #require(try Files.size(path(file)))
    try Files.write([UInt8](repeating: 0, count: size), to: path(file))
    #expect(try flaw() == .damaged(file: file))
  }

  @Test func aBinaryFileThatLeadsInACircleIsDamaged() throws {
    // The only child of the root is the root itself.
    let header: [UInt8] = [0xB0, 0x07, 0xF4, 0x57, 0, 2, 0, 1, 0x20, 0, 0, 12]
    try Files.write(header + [0x61, 0x61, 0x20, 0, 0, 12], to: path("modules.dep.bin"))
    #expect(try flaw() == .damaged(file: "modules.dep.bin"))
  }

  @Test func emptyFilesAboutBuiltInModulesAreDepmodsOwnWhereTheKernelTellsNothing() throws {
    for file in ["modules.builtin", "modules.builtin.modinfo"] { try Files.remove(path(file)) }
    try depmod()
    #expect(Disk.size(path("modules.builtin.bin")) == 0)
    #expect(try flaw() == nil)
  }

  @Test func aBinaryFileOfAnotherRunIsFound() throws {
    let old = try Files.read(path("modules.dep.bin"))
    try add("updates/dkms/new.ko", "text")
    try depmod()
    try Files.write(old, to: path("modules.dep.bin"))
    #expect(try flaw() == .contradictory(file: "modules.dep.bin", counterpart: "modules.dep"))
  }

  @Test(arguments: ["modules.alias", "modules.symbols"])
  func aliasesMustBeTheSameInBoth(_ file: String) throws {
    let text = try #require(Disk.text(path(file)))
    try add(file, "\(text)\nalias symbol:a_name hello\n")
    #expect(try flaw() == .contradictory(file: "\(file).bin", counterpart: file))
    // depmod leaves out those with brackets that do not match.
    try add(file, "\(text)\nalias a]name hello\n")
    #expect(try flaw() == nil)
  }

  @Test func aModuleThatIsGoneIsFound() throws {
    try Files.remove(path("kernel/drivers/other.ko"))
    #expect(try flaw() == .gone(moduleFile: "kernel/drivers/other.ko"))
    try depmod()
    #expect(try flaw() == nil)
  }

  @Test(arguments: ["updates/dkms/new.ko", "kernel/fs/new.ko", "extra/new.ko"])
  func aModuleThatCameIsFound(_ file: String) throws {
    try add(file, "text")
    #expect(try flaw() == .unlisted(moduleFile: file))
    try depmod()
    #expect(try flaw() == nil)
  }

  @Test(arguments: [
    "extra/hello.ko", "kernel/my_other-one.ko", "build/new.ko", "kernel/fs/build/new.ko", "kernel/new.ko.gz",
  ])
  func whatDepmodMayLeaveOutIsNotMissed(_ file: String) throws {
    // Another file of the same module, none of the kernel's, or compressed in a way that not every depmod knows.
    try add(file, "text")
    #expect(try flaw() == nil)
  }

  /// The modules of `kernel`, in the reverse of the order in which depmod found them.
  private func reversedOrder() throws -> String {
    let text = try #require(Disk.text(path("modules.dep")))
    let files = text.split(separator: "\n").map { $0.dropLast() }.filter { $0.hasPrefix("kernel/") }
    return files.reversed().map { "\($0)\n" }.joined()
  }

  @Test func theOrderOfTheModulesIsTheKernels() throws {
    try add("modules.order", "kernel/not-built.ko\n\(try reversedOrder())")
    #expect(try flaw() == .unordered)
    try depmod()
    #expect(try flaw() == nil)
  }

  @Test func whatTheOrderNamesComesFirst() throws {
    let last = try #require(Disk.text(path("modules.dep"))?.split(separator: "\n").last?.dropLast())
    try add("modules.order", "\(last)\n")
    #expect(try flaw() == .unordered)
    try depmod()
    #expect(try flaw() == nil)
  }

  @Test func theLastOfSeveralLinesForAModuleCounts() throws {
    let order = try reversedOrder()
    try add("modules.order", order + order.split(separator: "\n").reversed().map { "\($0)\n" }.joined())
    try depmod()
    #expect(try flaw() == nil)
    try add("modules.order", order)
    #expect(try flaw() == .unordered)
  }

  @Test func anOrderThatIsCutShortIsNoneToDepmod() throws {
    try add("modules.order", String(try reversedOrder().dropLast()))
    #expect(try flaw() == nil)
    try depmod()
    #expect(try flaw() == nil)
  }

  @Test func theOrderOfCompressedModulesIsThatOfTheirPlainNames() throws {
    for name in ["kernel/drivers/other.ko", "kernel/my-other_one.ko"] {
      try Files.rename(path(name), to: path("\(name).xz"))
    }
    try depmod()
    let names = try reversedOrder()
    try add("modules.order", names.replacing(".xz", with: ""))
    #expect(try flaw() == .unordered)
    try depmod()
    #expect(try flaw() == nil)
  }

  @Test func modulesOfTheKernelItselfMustBeNamed() throws {
    try Files.remove(path("modules.builtin"))
    try add("modules.builtin")
    try depmod()
    try add("modules.builtin", "kernel/built-in.ko\n")
    #expect(try flaw() == .contradictory(file: "modules.builtin.bin", counterpart: "modules.builtin"))
    try depmod()
    #expect(try flaw() == nil)
  }

  @Test func linksToModulesCount() throws {
    let elsewhere = try machine.directory.write("text", to: "elsewhere/linked.ko")
    try Files.link(path("updates/dkms/linked.ko"), to: elsewhere)
    #expect(try flaw() == .unlisted(moduleFile: "updates/dkms/linked.ko"))
    try depmod()
    #expect(try flaw() == nil)
  }

  @Test(arguments: files)
  func anyFileThatIsOlderThanTheModulesIsFound(_ file: String) throws {
    // The clock of the machine stands at 1,700,000,000.
    for name in Self.files { try Disk.setTime(of: path(name), to: 1_650_000_000) }
    for place in ["updates/dkms/hello.ko", "updates/dkms"] {
      try Disk.setTime(of: path(place), to: 1_600_000_000)
    }
    #expect(try flaw() == nil)
    try Disk.setTime(of: path(file), to: 1_500_000_000)
    #expect(try flaw() == .old(file: file))
    try depmod()
    #expect(try flaw() == nil)
  }

  @Test(arguments: ["updates/dkms/hello.ko", "updates/dkms"])
  func aTimeThatLiesAheadSaysNothing(_ place: String) throws {
    for name in Self.files { try Disk.setTime(of: path(name), to: 1_650_000_000) }
    for place in ["updates/dkms/hello.ko", "updates/dkms"] {
      try Disk.setTime(of: path(place), to: 1_600_000_000)
    }
    try Disk.setTime(of: path(place), to: 1_700_000_001)
    #expect(try flaw() == nil)
  }

  @Test func aDirectoryWithoutAKernelNeedsNone() throws {
    for file in Self.files + ["modules.order", "kernel"] { try Files.remove(path(file)) }
    #expect(try flaw() == nil)
  }

  @Test(arguments: files, ["missing", "cut"])
  func theNextPlanForTheKernelWritesThemAnew(_ file: String, _ damage: String) async throws {
    if damage == "cut" {
      try Files.write([0], to: path(file))
    } else {
      try Files.remove(path(file))
    }
    let facts = try await machine.facts([], [kernel])
    let plan = Planner.autoinstall(for: [kernel], facts: facts, options: machine.options)
    #expect(plan.lines == ["depmod 6.1.0"])
    #expect(try await machine.execute(plan).failures.isEmpty)
    #expect(try flaw() == nil)
  }
}
