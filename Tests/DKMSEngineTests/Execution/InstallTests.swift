// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Glibc
import Host
import SystemPackage
import TestSupport
import Testing

@testable import DKMSEngine

@Suite struct InstallTests {
  private let machine: TemporaryMachine
  private let id: ModuleID
  private let kernel: Kernel

  init() throws { (machine, id, kernel) = try TemporaryMachine.withKernel() }

  private var dkms: [String] { machine.listing(of: kernel) }

  @Test func installedModule() async throws {
    try machine.addTextModule(id)
    #expect(try await machine.install(id, kernel).failures.isEmpty)
    #expect(dkms == ["updates/", "updates/dkms/", "updates/dkms/hello.ko"])
    #expect(machine.installed("hello.ko", kernel) == "text")
    #expect(machine.dkmsListing.contains("hello/kernel-6.1.0-x86_64 -> 1.0/6.1.0/x86_64"))
    #expect(machine.state[id]?.builds == [BuildRecord(kernel: kernel, isInstalled: true)])
    #expect(try ModuleTree(machine.layout).integrity(of: id, kernel, nil) == .sound)
  }

  /// As in an image that is made on a machine with another kernel.
  @Test func confNeedNotFitTheRunningKernel() async throws {
    try machine.addTextModule(id, conf: "[[ $kernelver == 9.9.9-running ]] && DEST_MODULE_LOCATION[0]=\n:\n")
    let report = try await machine.install(id, kernel)
    #expect(report.failures == [])
    #expect(machine.installed("hello.ko", kernel) == "text")
  }

  @Test func uninstalledModuleIsStillBuilt() async throws {
    try machine.addTextModule(id)
    #expect(try await machine.install(id, kernel).failures.isEmpty)
    #expect(try await machine.uninstall(id, kernel).failures.isEmpty)
    #expect(dkms.isEmpty)
    #expect(machine.state[id]?.builds == [BuildRecord(kernel: kernel, isInstalled: false)])
    #expect(Disk.kind(machine.layout.activeLink("hello", kernel)) == nil)
  }

  @Test func unbuiltModuleIsStillRegistered() async throws {
    let source = try machine.addTextModule(id)
    #expect(try await machine.install(id, kernel).failures.isEmpty)
    #expect(try await machine.unbuild(id, kernel).failures.isEmpty)
    #expect(machine.dkmsListing == ["hello/", "hello/1.0/", "hello/1.0/source -> \(source)"])
    #expect(dkms.isEmpty)
  }

  @Test func removedModuleLeavesNothing() async throws {
    let other = try machine.addKernel("6.2.0")
    try machine.addTextModule(id)
    #expect(try await machine.install(id, kernel, other).failures.isEmpty)
    #expect(try await machine.remove(id, kernel).failures.isEmpty)
    #expect(machine.state[id]?.builds == [BuildRecord(kernel: other, isInstalled: true)])
    #expect(try await machine.remove(id, other).failures.isEmpty)
    #expect(machine.dkmsListing.isEmpty)
    #expect(dkms.isEmpty && machine.listing(of: other).isEmpty)
    #expect(Disk.isDirectory(machine.layout.source(id)))
  }

  @Test func removalWithoutSourceOrKernel() async throws {
    let source = try machine.addTextModule(id)
    #expect(try await machine.install(id, kernel).failures.isEmpty)
    try Files.remove(source)
    try Files.remove(machine.layout.kernel(kernel.release))
    #expect(try await machine.remove(id, kernel).failures.isEmpty)
    #expect(machine.dkmsListing.isEmpty)
    #expect(Disk.kind(machine.layout.kernel(kernel.release)) == nil)
  }

  @Test func otherVersionTakesThePlace() async throws {
    let newer = try module("hello", "1.1")
    try machine.addTextModule(
      id,
      conf:
        """
        BUILT_MODULE_NAME[1]=second
        DEST_MODULE_LOCATION[1]=/extra
        MAKE[0]="cp text hello.ko; cp text second.ko"
        """
    )
    try machine.addTextModule(newer, text: "newer")
    #expect(try await machine.install(id, kernel).failures.isEmpty)
    #expect(dkms.suffix(2) == ["updates/dkms/hello.ko", "updates/dkms/second.ko"])
    #expect(try await machine.install(newer, kernel).failures.isEmpty)
    #expect(dkms == ["updates/", "updates/dkms/", "updates/dkms/hello.ko"])
    #expect(machine.installed("hello.ko", kernel) == "newer")
    #expect(machine.state.installedVersion(of: "hello", for: kernel) == newer)
    #expect(machine.state[id]?.builds == [BuildRecord(kernel: kernel, isInstalled: false)])
    #expect(try !ModuleTree(machine.layout).hasOriginals("hello", kernel))
  }

  @Test func modulesOfOthersStay() async throws {
    try machine.directory.write("foreign", to: "lib/modules/6.1.0/updates/dkms/foreign.ko")
    try machine.directory.write("foreign", to: "lib/modules/6.1.0/updates/dkms/hello-more.ko")
    try machine.addTextModule(id)
    #expect(try await machine.install(id, kernel).failures.isEmpty)
    #expect(try await machine.uninstall(id, kernel).failures.isEmpty)
    #expect(dkms.suffix(2) == ["updates/dkms/foreign.ko", "updates/dkms/hello-more.ko"])
  }

  @Test func leftoversOfAKilledInstallationAreCleared() async throws {
    try machine.directory.write("half", to: "lib/modules/6.1.0/updates/dkms/.hello.ko.alpm-dkms-new")
    try machine.directory.write("half", to: "lib/modules/6.1.0/updates/dkms/.other.ko.xz.alpm-dkms-new")
    try machine.addTextModule(id)
    #expect(try await machine.build(id, kernel).failures.isEmpty)
    try Files.link(Files.stagingPath(for: machine.layout.activeLink("hello", kernel)), to: "half")
    #expect(try await machine.install(id, kernel).failures.isEmpty)
    #expect(dkms == ["updates/", "updates/dkms/", "updates/dkms/hello.ko"])
    #expect(!machine.dkmsListing.contains { $0.contains(Files.stagingSuffix) })
  }

  @Test func moduleThatIsMissingFromTheTree() async throws {
    try machine.addTextModule(id)
    #expect(try await machine.build(id, kernel).failures.isEmpty)
    try Files.remove(machine.product("hello.ko", id, kernel))
    #expect(
      try await machine.install(id, kernel).failures == [.productIncomplete(id, kernel, file: "hello.ko")])
    #expect(dkms.isEmpty)
  }

  @Test func changedModuleIsMendedByForce() async throws {
    try machine.addTextModule(id)
    #expect(try await machine.install(id, kernel).failures.isEmpty)
    try machine.directory.write("broken", to: "lib/modules/6.1.0/updates/dkms/hello.ko")
    #expect(try await machine.forced.install(id, kernel).failures.isEmpty)
    #expect(machine.installed("hello.ko", kernel) == "text")
    #expect(try !ModuleTree(machine.layout).hasOriginals("hello", kernel))
  }

  // MARK: Modules that were there before

  @Test func originalIsArchivedAndComesBack() async throws {
    let bytes = (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    let origin = machine.layout.installed(kernel.release).appending("hello.ko.xz")
    try Files.makeDirectories(origin.removingLastComponent())
    try Files.write(bytes, to: origin)
    try machine.directory.write("", to: "lib/modules/6.1.0/kernel/own.ko")
    try machine.addTextModule(id)
    #expect(try await machine.install(id, kernel).failures.isEmpty)
    let archive = machine.layout.originals("hello", kernel)
    #expect(archive == machine.layout.dkmsTree.appending("hello/original_module/6.1.0/x86_64"))
    #expect(Disk.list(archive) == ["hello.ko.xz", "hello.ko.xz.origin"])
    #expect(try Files.read(archive.appending("hello.ko.xz")) == bytes)
    #expect(Disk.text(archive.appending("hello.ko.xz.origin")) == origin.string)
    #expect(dkms.last == "updates/dkms/hello.ko")
    #expect(try await machine.uninstall(id, kernel).failures.isEmpty)
    #expect(dkms.last == "updates/dkms/hello.ko.xz")
    #expect(try Files.read(origin) == bytes)
    #expect(Disk.kind(machine.layout.module("hello").appending("original_module")) == nil)
  }

  @Test func originalSurvivesFurtherInstallations() async throws {
    let newer = try module("hello", "1.1")
    try machine.directory.write("original", to: "lib/modules/6.1.0/updates/dkms/hello.ko")
    try machine.addTextModule(id)
    try machine.addTextModule(newer, text: "newer")
    #expect(try await machine.install(id, kernel).failures.isEmpty)
    #expect(try await machine.install(newer, kernel).failures.isEmpty)
    #expect(try await machine.forced.install(newer, kernel).failures.isEmpty)
    #expect(machine.installed("hello.ko", kernel) == "newer")
    #expect(try await machine.uninstall(newer, kernel).failures.isEmpty)
    #expect(machine.installed("hello.ko", kernel) == "original")
  }

  @Test func originalComesBackByWhateverPathItsHomeWasNamed() async throws {
    try machine.addTextModule(id)
    #expect(try await machine.install(id, kernel).failures.isEmpty)
    try Files.link(machine.directory.path.appending("alias"), to: machine.layout.installTree)
    let archive = "dkms/hello/original_module/6.1.0/x86_64"
    try machine.directory.write("original", to: "\(archive)/hello.ko")
    try machine.directory.write(
      "\(machine.directory.path)/alias/6.1.0/updates/dkms/hello.ko\n", to: "\(archive)/hello.ko.origin")
    #expect(try await machine.uninstall(id, kernel).failures.isEmpty)
    #expect(machine.installed("hello.ko", kernel) == "original")
    #expect(try !ModuleTree(machine.layout).hasOriginals("hello", kernel))
  }

  @Test func originalIsNotPutBackOutsideItsKernel() async throws {
    try machine.addTextModule(id)
    #expect(try await machine.install(id, kernel).failures.isEmpty)
    let outside = machine.directory.path.appending("outside.ko")
    for (name, origin) in [
      ("one.ko", "\(outside)"), ("two.ko", "\(machine.layout.kernel(kernel.release))/../../../outside.ko"),
    ] {
      try machine.directory.write("evil", to: "dkms/hello/original_module/6.1.0/x86_64/\(name)")
      try machine.directory.write("\(origin)\n", to: "dkms/hello/original_module/6.1.0/x86_64/\(name).origin")
    }
    #expect(try await machine.uninstall(id, kernel).failures.isEmpty)
    #expect(Disk.kind(outside) == nil)
  }

  @Test func kernelsOwnEqualModuleStays() async throws {
    try machine.directory.write("text", to: "lib/modules/6.1.0/kernel/misc/hello.ko")
    try machine.addTextModule(id)
    let report = try await machine.install(id, kernel)
    guard case .nothingInstalled(id, kernel, let reasons) = report.failures.first else {
      throw try #require(report.failures.first)
    }
    #expect(reasons.count == 1 && reasons[0].contains("kernel/misc/hello.ko"))
    #expect(dkms == ["kernel/", "kernel/misc/", "kernel/misc/hello.ko"])
    #expect(try await machine.forced.install(id, kernel).failures.isEmpty)
    #expect(machine.installed("hello.ko", kernel) == "text")
    #expect(Disk.text(machine.layout.kernel(kernel.release).appending("kernel/misc/hello.ko")) == "text")
  }

  // MARK: depmod

  @Test func depmodLooksAtTheInstallTree() async throws {
    let other = try machine.addKernel("6.2.0")
    try machine.addTextModule(id)
    #expect(try await machine.install(id, kernel, other).failures.isEmpty)
    let commands = machine.launcher.commands("depmod")
    #expect(commands.count == 2)
    #expect(Set(commands.compactMap(\.arguments.last)) == ["6.1.0", "6.2.0"])
    #expect(commands.allSatisfy { $0.arguments.first == "-b" && $0.arguments.contains("-a") })
    #expect(commands.allSatisfy { Disk.kind(FilePath($0.arguments[1])) == nil })
    for release in ["6.1.0", "6.2.0"] {
      let dependencies = Disk.text(machine.layout.installTree.appending("\(release)/modules.dep"))
      #expect(dependencies == "updates/dkms/hello.ko:")
    }
  }

  @Test(
    "depmod's files take the place of older ones only if all are whole, however it ends",
    arguments: ["modules.dep.bin", "modules.alias", "modules.devname"], ["missing", "cut"])
  func depmodThatEndsWellWithoutHavingWrittenEverything(_ file: String, _ damage: String) async throws {
    try machine.addTextModule(id)
    let before = try indexes()
    machine.launcher.answers { command in
      let tree = FilePath(command.arguments[1]).appending("lib/modules")
      do {
        try Depmod.run(on: tree, for: "6.1.0")
        let path = tree.appending("6.1.0").appending(file)
        if damage == "missing" { try Files.remove(path) } else { try Files.write([0, 0], to: path) }
        return CommandResult(.exited(0))
      } catch { return CommandResult(.exited(99)) }
    }
    let report = try await machine.install(id, kernel)
    guard case .depmodFailed(kernel.release, let detail) = report.failures.first else {
      throw try #require(report.failures.first)
    }
    #expect(detail.contains(file), "\(detail)")
    #expect(try indexes() == before)
  }

  private func indexes() throws -> [String: [UInt8]] {
    let directory = machine.layout.kernel(kernel.release)
    return try Disk.list(directory).filter { $0.contains("modules.") }
      .reduce(into: [:]) { $0[$1] = try Files.read(directory.appending($1)) }
  }

  @Test func failingDepmodIsAnError() async throws {
    machine.launcher.answers { _ in CommandResult(.exited(1), errorOutput: Array("depmod: no room\n".utf8)) }
    try machine.addTextModule(id)
    let report = try await machine.install(id, kernel)
    guard case .depmodFailed(kernel.release, let detail) = report.failures.first else {
      throw try #require(report.failures.first)
    }
    #expect(detail.contains("no room"))
    #expect(report.failures.map(\.exitStatus) == [.installFailed])
  }

  @Test func depmodLeavesAKernelAloneThatIsNone() async throws {
    for file in ["modules.order", "modules.dep"] {
      try Files.remove(machine.layout.kernel(kernel.release).appending(file))
    }
    var plan = Plan()
    plan.append(.depmod(kernel.release), because: .modulesChange)
    let report = try await machine.execute(plan)
    #expect(report.failures.isEmpty)
    #expect(machine.launcher.commands("depmod").isEmpty)
  }

  @Test func whatAKilledDepmodWasWritingGoesWithTheNext() async throws {
    // No process has a number beyond four million; this one has its own.
    let others = [
      "modules.alias.\(getpid()).123456.1700000000", "modules.mine.4194305.1.2", "modules.dep.1.2",
    ]
    let index = Disk.list(machine.layout.kernel(kernel.release)).filter { $0.hasPrefix("modules.") }
    let ours = [".modules.dep.bin", "..modules.dep.bin\(Files.stagingSuffix)"].map {
      $0 + Files.stagingSuffix
    }
    for file in ["modules.alias.4194305.123456.1700000000", "modules.dep.bin.4194305.1.2"] + ours + others {
      try machine.directory.write("", to: "lib/modules/6.1.0/\(file)")
    }
    var plan = Plan()
    plan.append(.depmod(kernel.release), because: .modulesChange)
    #expect(try await machine.execute(plan).failures.isEmpty)
    let left = Disk.list(machine.layout.kernel(kernel.release)).filter { $0.contains("modules.") }
    #expect(left == (others + index).sorted())
  }

  @Test func whatDepmodLeftOfAGoneKernelIsClearedAway() async throws {
    try Files.remove(machine.layout.kernel(kernel.release))
    for file in [
      "modules.dep", "modules.dep.bin", "modules.alias.bin", "modules.softdep", "modules.dep.9.9.9",
      ".modules.dep\(Files.stagingSuffix)",
    ] {
      try machine.directory.write("", to: "lib/modules/6.1.0/\(file)")
    }
    try machine.directory.write("", to: "lib/modules/6.2.0/modules.dep")
    try machine.directory.write("", to: "lib/modules/6.2.0/mine")
    var plan = Plan()
    plan.append(.depmod(kernel.release), because: .kernelGone)
    plan.append(.depmod(try KernelRelease("6.2.0")), because: .kernelGone)
    #expect(try await machine.execute(plan).failures.isEmpty)
    #expect(Disk.list(machine.layout.installTree) == ["6.2.0"])
    let left = Disk.list(machine.layout.installTree.appending("6.2.0"))
    #expect(left.filter { !$0.hasPrefix("modules.") } == ["mine"])
  }

  // MARK: Sources that go

  @Test func whatAKilledDepmodWasAboutToRenameGoes() async throws {
    try machine.addTextModule(id)
    let others = ["modules.dep.old", "modules.dep.\(getpid()).1.2", "mine.4194305.1.2"]
    for name in others + ["modules.dep.4194305.123.456", "modules.alias.bin.4194305.123.456"] {
      try machine.directory.write("half", to: "lib/modules/6.1.0/\(name)")
    }
    #expect(try await machine.install(id, kernel).failures.isEmpty)
    let left = Disk.list(machine.layout.kernel(kernel.release)).filter { $0.last?.isNumber == true }
    #expect(left == others.dropFirst().sorted(), "that of a process that runs stays")
  }

  @Test func aSourceThatIsBeingCopiedIsNotSweptAway() async throws {
    let machine = try TemporaryMachine(intercepting: ["depmod", "cp"])
    try machine.addTextModule(id)
    #expect(try await machine.add(id).failures.isEmpty)
    let layout = machine.layout
    machine.launcher.answers { command in
      // Another run begins in the middle of it.
      if command.program == "cp" { try? LeftoverSweeper(layout).sweep() }
      return CommandResult(.exited(0))
    }
    try await SourceKeeper(layout: layout, host: machine.host).keep(id)
    #expect(Disk.isDirectory(layout.keptSource(id)))
  }

  @Test func keptSourceTakesThePlaceOfOneThatIsGone() async throws {
    let source = try machine.addTextModule(
      id, conf: "POST_REMOVE=note.sh\n",
      files: [
        "note.sh": "#!/bin/sh\ntouch '\(machine.directory.path)/removed'\n"
      ])
    #expect(try await machine.install(id, kernel).failures.isEmpty)
    try machine.directory.write("stale", to: "dkms/hello/1.0/.source/stale")
    try machine.directory.write("half", to: "dkms/hello/1.0/..source.alpm-dkms-new/half")
    try await SourceKeeper(layout: machine.layout, host: machine.host).keep(id)
    #expect(
      TemporaryDirectory.listing(of: machine.layout.keptSource(id)) == ["dkms.conf", "note.sh", "text"])
    #expect(machine.state[id]?.usesKeptSource == false)
    try Files.remove(source)
    var plan = Plan()
    plan.append(.relink(id, source: "\(machine.layout.keptSource(id))"), because: .sourceGone)
    #expect(try await machine.execute(plan).failures.isEmpty)
    #expect(machine.state[id]?.usesKeptSource == true)
    #expect(machine.state[id]?.isBroken == false)
    #expect(try await machine.remove(id, kernel).failures.isEmpty)
    #expect(Disk.isFile(machine.directory.path.appending("removed")))
    #expect(machine.dkmsListing.isEmpty)
  }

  @Test func sourceThatCannotBeKeptIsAnError() async throws {
    let source = try machine.addTextModule(id)
    #expect(try await machine.add(id).failures.isEmpty)
    try Files.remove(source)
    await #expect(throws: DKMSError.self) {
      try await SourceKeeper(layout: machine.layout, host: machine.host).keep(id)
    }
    #expect(Disk.list(machine.layout.registration(id)) == ["build", "source"])
  }
}
