// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import Inspection
import SystemPackage
import SystemSupport
import TestSupport
import Testing

@testable import DKMSEngine
@testable import Maintenance

@Suite struct PruneTests {
  private let system: HookedSystem
  private let id: ModuleID

  init() throws {
    system = try HookedSystem()
    try system.addKernel("6.1.0")
    try system.addPackage(
      "linux", files: ["usr/lib/modules/6.1.0/", "usr/lib/modules/6.1.0/modules.order"])
    id = try system.addSource("hello", "1.0")
    try system.layWhole(id, for: "6.1.0")
  }

  private func path(_ name: String) -> FilePath { system.directory.path.appending(name) }

  private func names(_ system: HookedSystem) -> [String] {
    Disk.answer { () throws(HostError) in
      PrunePlan(try PruneFacts(system.snapshot, Database(root: system.directory.path)))
    }
    .items.map { item in
      var path = item.path
      _ = path.removePrefix(system.directory.path)
      return path.string
    }
  }

  @Test func aHealthySystemHasNothingToLose() async {
    #expect(names(system) == [])
    #expect(await PruneCommand().run(layout: system.layout, host: system.host) == 0)
    #expect(system.transcript.output == ["==> There is nothing to remove"])
  }

  @Test func whatIsLeftOfAKernelGoesWithItsBuilds() async throws {
    try system.layWhole(id, for: "5.0.0")
    try system.directory.write("", to: "usr/lib/modules/5.0.0/modules.alias.bin")
    #expect(
      names(system) == [
        "usr/lib/modules/5.0.0", "var/lib/dkms/hello/1.0/5.0.0", "var/lib/dkms/hello/kernel-5.0.0-x86_64",
      ])
    #expect(
      await PruneCommand(isAgreed: true).run(layout: system.layout, host: system.host) == 0)
    #expect(Disk.list(system.layout.installTree) == ["6.1.0"])
    #expect(system.state.modules.flatMap(\.builds).map(\.kernel.release.description) == ["6.1.0"])
    #expect(names(system) == [])
    #expect(system.installed("hello", "6.1.0") != nil)
  }

  @Test(arguments: ["modules.order", "kernel/a.ko", "build/Makefile", "vmlinuz", "extra/mine.ko"])
  func aDirectoryWithAnythingElseStays(_ name: String) throws {
    try system.layWhole(id, for: "5.0.0")
    try system.directory.write("", to: "usr/lib/modules/5.0.0/\(name)")
    #expect(names(system) == [])
  }

  @Test func aDirectoryInWhichAPackageOwnsAFileStays() throws {
    try system.layWhole(id, for: "5.0.0")
    try system.addPackage("some", files: ["usr/lib/modules/5.0.0/updates/dkms/hello.ko"])
    #expect(names(system) == [])
  }

  @Test func whatARemovalLeftEmptyGoes() async throws {
    try system.lay(id)
    try Files.makeDirectories(path("var/lib/dkms/hello/1.0/4.0.0"))
    #expect(names(system) == ["var/lib/dkms/hello/1.0/4.0.0"])
    #expect(await PruneCommand(isAgreed: true).run(layout: system.layout, host: system.host) == 0)
    #expect(Disk.kind(path("var/lib/dkms/hello/1.0/4.0.0")) == nil)
    #expect(Disk.isDirectory(path("var/lib/dkms/hello/1.0")))
  }

  @Test func theRunningKernelStays() throws {
    var system = system
    try system.layWhole(id, for: "5.0.0")
    system.runningRelease = "5.0.0"
    #expect(names(system) == [])
  }

  @Test func aKernelThatWasRemovedWhileItRanStaysInThatBoot() throws {
    var system = system
    try system.layWhole(id, for: "5.0.0")
    try system.directory.write("the first boot\n", to: "var/lib/alpm-dkms/booted/5.0.0")
    #expect(names(system) == [])
    system.bootIdentifier = "the second boot"
    #expect(names(system).contains("usr/lib/modules/5.0.0"))
  }

  @Test func buildsStayWhereNoKernelIsThereAtAll() throws {
    try Files.remove(system.layout.installTree)
    #expect(!names(system).contains { $0.hasPrefix("var/lib/dkms/hello/1.0") })
  }

  @Test func nothingGoesWithoutADatabase() async throws {
    try system.layWhole(id, for: "5.0.0")
    try Files.remove(path("var/lib/pacman"))
    #expect(await PruneCommand(isAgreed: true).run(layout: system.layout, host: system.host) == 1)
    #expect(Disk.isDirectory(path("usr/lib/modules/5.0.0")))
  }

  @Test func nothingGoesWhereTheListOfAPackageCannotBeRead() async throws {
    try system.layWhole(id, for: "5.0.0")
    try system.addPackage("some", files: ["usr/lib/modules/5.0.0/updates/dkms/hello.ko"])
    let local = path("var/lib/pacman/local")
    let package = try #require(Disk.list(local).first { $0.hasPrefix("some-") })
    try Files.remove(local.appending("\(package)/files"))
    #expect(await PruneCommand(isAgreed: true).run(layout: system.layout, host: system.host) == 1)
    #expect(system.transcript.error.joined().contains("some"))
    #expect(Disk.isDirectory(path("usr/lib/modules/5.0.0")))
  }

  @Test func nothingGoesWithoutAYesOrWithoutRoot() async throws {
    var system = system
    try system.layWhole(id, for: "5.0.0")
    for answer in [false, nil] {
      let command = PruneCommand(asks: { _ in answer })
      #expect(await command.run(layout: system.layout, host: system.host) == 0)
      #expect(Disk.isDirectory(path("usr/lib/modules/5.0.0")))
    }
    system.isRoot = false
    #expect(await PruneCommand(isAgreed: true).run(layout: system.layout, host: system.host) == 1)
    #expect(Disk.isDirectory(path("usr/lib/modules/5.0.0")))
    system.isRoot = true
    try system.directory.write("", to: "var/lib/pacman/db.lck")
    #expect(await PruneCommand(isAgreed: true).run(layout: system.layout, host: system.host) == 1)
    #expect(Disk.isDirectory(path("usr/lib/modules/5.0.0")))
  }

  @Test func whatARemovalThatWasCutOffHasEmptiedGoes() async throws {
    try Files.makeDirectories(path("var/lib/dkms/hello/1.0/5.0.0/x86_64"))
    #expect(names(system) == ["var/lib/dkms/hello/1.0/5.0.0/x86_64"])
    #expect(await PruneCommand(isAgreed: true).run(layout: system.layout, host: system.host) == 0)
    #expect(!Disk.isDirectory(path("var/lib/dkms/hello/1.0/5.0.0")))
    #expect(names(system) == [])
    #expect(system.installed("hello", "6.1.0") != nil)
  }

  @Test func eachThingIsListedWithItsSize() async throws {
    try system.directory.write(
      String(repeating: "x", count: 1 << 20), to: "var/lib/dkms/hello/.tmp_1.0_removed/big")
    let leftover = path("var/lib/dkms/hello/.tmp_1.0_removed")
    let size = try Files.diskUsage(leftover)
    #expect(size >= 1 << 20)
    _ = await PruneCommand(asks: { _ in nil }).run(layout: system.layout, host: system.host)
    #expect(
      system.transcript.output == [
        "\(ByteCount(size))  \(leftover)  a killed run left it half made",
        "==> 1 item could be removed, \(ByteCount(size))",
      ])
    #expect(
      await PruneCommand(printsJSON: true).run(layout: system.layout, host: system.host) == 0)
    let json = try #require(system.transcript.output.last)
    #expect(try JSONSchema("prune").faults(in: json) == [])
    #expect(json.contains("\"kind\": \"leftover\"") && json.contains("\"size\": \(size)"))
  }

  @Test func sizesReadAsPacmanHasThem() {
    #expect(
      [0, 1023, 1536, 5 << 20].map { "\(ByteCount($0))" } == ["0 B", "1023 B", "1.50 KiB", "5.00 MiB"])
  }

  // MARK: Trees of any shape

  @Test(arguments: 0..<20)
  func nothingThatIsOwnedOrNeededIsEverNamed(_ seed: Int) throws {
    var system = try HookedSystem()
    var random = SeededNumbers(seed: UInt64(seed))
    let releases = (0..<6).map { "6.\($0).0" }
    system.runningRelease = releases[Int.random(in: 0..<6, using: &random)]
    let names = [
      "modules.order", "kernel/a.ko", "updates/dkms/hello.ko", "updates/dkms/other.ko", "modules.dep",
      "modules.alias", "build/include/x", "updates/dkms/.hello.ko\(Files.stagingSuffix)", "notes",
    ]
    let id = try system.addSource("hello", "1.0")
    try system.lay(id)
    var owned: Set<String> = []
    for release in releases {
      for name in names where Int.random(in: 0..<3, using: &random) == 0 {
        let file = "usr/lib/modules/\(release)/\(name)"
        try system.directory.write("", to: file)
        if Int.random(in: 0..<4, using: &random) == 0 { owned.insert(file) }
      }
      if Bool.random(using: &random) { try system.lay(id, builtFor: release) }
      if Int.random(in: 0..<4, using: &random) == 0 { owned.insert("usr/lib/modules/\(release)/") }
      let product = "var/lib/dkms/hello/1.0/\(release)/x86_64/module/hello.ko"
      if Int.random(in: 0..<8, using: &random) == 0 { owned.insert(product) }
    }
    try system.addPackage("some", files: Array(owned))
    let before = self.names(system)
    for name in before {
      #expect(!owned.contains { $0 == name || $0 == "\(name)/" || $0.hasPrefix("\(name)/") }, "\(name)")
      #expect(!name.hasPrefix("usr/lib/modules/\(system.runningRelease)") || name.contains("/."), "\(name)")
      #expect(name != "var/lib/dkms/hello/1.0/\(system.runningRelease)", "\(name)")
      for release in releases where isNeeded(release, owned) {
        #expect(name != "usr/lib/modules/\(release)", "\(name)")
        #expect(name != "var/lib/dkms/hello/1.0/\(release)", "\(name)")
      }
    }
    // And it is not for want of naming anything.
    let expected = releases.filter { release in
      Disk.isDirectory(system.layout.installTree.appending(release)) && release != system.runningRelease
        && !isNeeded(release, owned, in: system)
    }
    #expect(
      Set(before.filter { $0.split(separator: "/").count == 4 })
        == Set(expected.map { "usr/lib/modules/\($0)" }))
  }

  /// Whether a package owns the kernel's directory or anything in it, or it holds what only a kernel has.
  private func isNeeded(_ release: String, _ owned: Set<String>, in system: HookedSystem? = nil) -> Bool {
    let directory = "usr/lib/modules/\(release)"
    if owned.contains(where: { $0.hasPrefix("\(directory)/") }) { return true }
    guard let system else { return false }
    return ["modules.order", "kernel", "build", "notes"].contains {
      Disk.kind(system.directory.path.appending("\(directory)/\($0)")) != nil
    }
  }
}
