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

/// Packages and kernels are as they were, and the tree has lost what it knew of them.
@Suite struct LostRecordsTests {
  private let system: HookedSystem
  private let hello: ModuleID
  private let other: ModuleID
  private let releases = ["6.1.0", "6.2.0"]

  /// Two modules that are installed for two kernels.
  init() throws {
    system = try HookedSystem()
    for release in releases {
      try system.addKernel(release, base: "linux-\(release)")
      try system.directory.write("symbols", to: "usr/lib/modules/\(release)/build/Module.symvers")
      try system.directory.write("CONFIG_X=y\n", to: "usr/lib/modules/\(release)/build/.config")
      try system.addPackage("linux-\(release)", files: ["usr/lib/modules/\(release)/"])
    }
    hello = try system.addSource("hello", "1.0")
    other = try system.addSource("other", "2.0")
    for release in releases {
      for id in [hello, other] { try system.layWhole(id, for: release, listed: false) }
      try system.list(["hello", "other"], for: release)
    }
    for name in HookInstallation.needed() { try system.addHook(name) }
  }

  private func path(_ name: String) -> FilePath { system.directory.path.appending(name) }

  private func findings() async throws -> [String] {
    try await system.verification().verdicts.flatMap { verdict in
      verdict.findings.map { "\(verdict.kernel.release) \($0.subject): \($0.remedy ?? "")" }
    }
  }

  private func diagnosis() async -> [DoctorFinding] {
    await Diagnosis(
      DoctorFacts(system.layout, host: system.host, database: Database(root: system.directory.path))
    ).findings
  }

  private func reconcile() async -> Int32 {
    await ReconcileCommand().run(layout: system.layout, host: system.host)
  }

  private func isAsLaid(_ id: ModuleID, for release: String) -> Bool {
    let file = system.installedFile(id.name, release)
    return (try? Files.read(file)) == ModuleImage.bytes(for: release, version: id.version)
  }

  @Test func wholeTree() async throws {
    #expect(try await findings() == [])
    #expect(await diagnosis() == [])
    try Files.remove(system.layout.dkmsTree)
    #expect(
      try await findings() == [
        "6.1.0 hello/1.0: alpm-dkms reconcile", "6.1.0 other/2.0: alpm-dkms reconcile",
        "6.2.0 hello/1.0: alpm-dkms reconcile", "6.2.0 other/2.0: alpm-dkms reconcile",
      ])
    #expect(await VerifyCommand().run(layout: system.layout, host: system.host) == 2)
    #expect(
      system.transcript.output.contains(
        "  -> hello/1.0: it is not registered, though its source is in \(system.layout.source(hello)); "
          + "hello.ko works on, but nothing looks after it; to fix it:"))
    #expect(system.transcript.output.contains("     alpm-dkms reconcile"))
    let diagnosis = await diagnosis()
    #expect(
      diagnosis.count == 4 && diagnosis.allSatisfy { $0.remedy == "alpm-dkms reconcile" }, "\(diagnosis)")
    #expect(await reconcile() == 0, "\(system.transcript.error)")
    for (id, release) in [hello, other].flatMap({ id in releases.map { (id, $0) } }) {
      let kernel = try Kernel(release: KernelRelease(release), architecture: "x86_64")
      #expect(system.state.installedVersion(of: id.name, for: kernel) == id)
      #expect(isAsLaid(id, for: release), "it was not built")
    }
    #expect(system.depmods.isEmpty)
    #expect(try await findings() == [])
    #expect(await self.diagnosis() == [])
    #expect(await reconcile() == 0)
    #expect(isAsLaid(hello, for: "6.1.0"), "it is known by now for which kernel it was built")
  }

  @Test func whatWasBuiltForOneKernel() async throws {
    try Files.remove(path("var/lib/dkms/hello/1.0/6.1.0"))
    try Files.remove(path("var/lib/dkms/hello/kernel-6.1.0-x86_64"))
    #expect(try await findings() == ["6.1.0 hello/1.0: alpm-dkms reconcile"])
    #expect(await diagnosis().map(\.remedy) == ["alpm-dkms reconcile"])
    #expect(await reconcile() == 0)
    #expect(isAsLaid(hello, for: "6.1.0"))
    #expect(try await !findings().contains { $0.hasPrefix("6.1.0 hello") })
  }

  @Test func oneRegistrationWithoutModulesInPlace() async throws {
    try Files.remove(path("var/lib/dkms/hello"))
    for release in releases {
      try Files.remove(system.installedFile("hello", release))
      try system.list(["other"], for: release)
    }
    let found = try await system.verification().verdicts.flatMap(\.findings)
    #expect(found.map(\.effect) == [.unusable, .unusable])
    #expect(found.allSatisfy { $0.subject == "hello/1.0" && $0.remedy == "alpm-dkms reconcile" })
    #expect(await reconcile() == 0)
    #expect(system.installed("hello", "6.1.0") == "text of hello/1.0")
  }

  @Test func whatIsOnlyRegisteredIsRegisteredAgain() async throws {
    let manual = try system.addSource("manual", "1.0", conf: "AUTOINSTALL=no")
    try Files.remove(system.layout.dkmsTree)
    #expect(await reconcile() == 0)
    #expect(system.state[manual]?.builds == [])
  }

  @Test func whatWasInstalledByHandIsTakenOverToo() async throws {
    let manual = try system.addSource("manual", "1.0", conf: "AUTOINSTALL=no")
    try system.layWhole(manual, for: "6.2.0", listed: false)
    try system.list(["hello", "other", "manual"], for: "6.2.0")
    try Files.remove(system.layout.dkmsTree)
    #expect(try await findings().contains("6.2.0 manual/1.0: alpm-dkms reconcile"))
    #expect(await reconcile() == 0)
    #expect(system.state[manual]?.builds.map(\.isInstalled) == [true])
  }

  /// Things that tell that the file may have been built from something else.
  enum Doubt: CaseIterable { case source, edit, kernel, packageOfSource, packageOfKernel, otherKernel, rival }

  @Test(arguments: Doubt.allCases) func whatMayBeOfSomethingElseIsBuilt(_ doubt: Doubt) async throws {
    let file = system.installedFile("hello", "6.1.0")
    let later = 4_000_000_000
    switch doubt {
    case .source: try Disk.setTime(of: file, to: 1_000_000_000)
    case .edit: try Disk.setTime(of: system.layout.source(hello).appending("text"), to: later)
    case .kernel:
      try system.addPackage("linux-6.1.0", files: ["usr/lib/modules/6.1.0/"], installedAt: 1_000_000_000)
      try Disk.setTime(of: file, to: 1_600_000_000)
    case .packageOfSource:
      try system.addPackage("hello-dkms", files: ["usr/src/hello-1.0/dkms.conf"], installedAt: later)
    case .packageOfKernel:
      try system.addPackage(
        "linux-6.1.0", files: ["usr/lib/modules/6.1.0/", "usr/lib/modules/6.1.0/modules.order"],
        installedAt: later)
    case .otherKernel: try Files.write(ModuleImage.bytes(for: "6.2.0"), to: file)
    case .rival: try system.addSource("rival", "1.0", conf: "DEST_MODULE_NAME[0]=hello")
    }
    try Files.remove(system.layout.dkmsTree)
    #expect(await diagnosis().allSatisfy { $0.kind != .strayFile })
    _ = await reconcile()
    #expect(!isAsLaid(hello, for: "6.1.0"))
  }

  @Test func aPackageThatWasThereBeforeRaisesNoDoubt() async throws {
    let before = 1_000_000_000
    try system.addPackage("hello-dkms", files: ["usr/src/hello-1.0/dkms.conf"], installedAt: before)
    for file in ["dkms.conf", "text", ""] {
      try Disk.setTime(of: system.layout.source(hello).appending(file), to: before)
    }
    try system.addPackage(
      "linux-6.1.0",
      files: ["", "modules.order", "build/.config", "build/Module.symvers"].map {
        "usr/lib/modules/6.1.0/\($0)"
      },
      installedAt: before)
    // As after a restoration from a backup, which keeps this time and no other.
    try Disk.setTime(of: system.installedFile("hello", "6.1.0"), to: before + 60)
    try Files.remove(system.layout.dkmsTree)
    #expect(await reconcile() == 0)
    #expect(isAsLaid(hello, for: "6.1.0"))
  }

  @Test func aDkmsConfThatCannotBeRead() async throws {
    try Files.remove(path("var/lib/dkms/hello"))
    try system.directory.write("if then fi (\n", to: "usr/src/hello-1.0/dkms.conf")
    let source = system.layout.source(hello).string
    let found = try await system.verification().verdicts.flatMap(\.findings)
    #expect(found.map(\.subject) == [source, source], "\(found)")
    #expect(found.allSatisfy { $0.reason.contains("dkms.conf") && $0.remedy != nil })
    let diagnosis = await diagnosis()
    #expect(diagnosis.map(\.kind) == [.configuration] && diagnosis.map(\.subject) == [source], "\(diagnosis)")
    try system.directory.write("critical = hello\n", to: "etc/alpm-dkms.conf")
    #expect(try await system.verification().standing == .blocked)
    try system.directory.write("ignored = hello\n", to: "etc/alpm-dkms.conf")
    #expect(try await findings() == [])
  }

  @Test func aSourceThatOnlyItsPackageKnowsOf() async throws {
    try system.addPackage("hello-dkms", files: ["usr/src/hello-1.0/", "usr/src/hello-1.0/dkms.conf"])
    try Files.remove(path("var/lib/dkms/hello"))
    try system.removeSource(hello)
    let source = system.layout.source(hello).string
    #expect(
      try await findings() == [
        "6.1.0 \(source): pacman -S hello-dkms", "6.2.0 \(source): pacman -S hello-dkms",
      ])
    let diagnosis = await diagnosis()
    #expect(diagnosis.map(\.kind) == [.danglingSource], "\(diagnosis)")
    #expect(diagnosis.map(\.remedy) == ["pacman -S hello-dkms"])
  }

  @Test func aNewerSourceThatIsNotRegistered() async throws {
    try system.addSource("hello", "1.1")
    let found = try await system.verification().verdicts.flatMap(\.findings)
    #expect(
      found.map(\.subject) == ["hello/1.1", "hello/1.1"] && found.map(\.effect) == [.impaired, .impaired])
    #expect(found.allSatisfy { $0.reason.hasSuffix("hello/1.0 stays installed") })
    #expect(await reconcile() == 0)
    #expect(try await findings().allSatisfy { !$0.contains("reconcile") })
  }

  @Test func missingHeadersAreNamedThoughNothingIsRegistered() async throws {
    try Files.remove(system.layout.dkmsTree)
    try Files.remove(path("usr/lib/modules/6.1.0/build"))
    #expect(await diagnosis().contains { $0.kind == .headersMissing && $0.subject == "6.1.0" })
    #expect(await reconcile() == 0, "what is in place needs no headers")
    #expect(isAsLaid(hello, for: "6.1.0"))
  }

  @Test func nothingIsRegisteredByALook() async throws {
    try Files.remove(system.layout.dkmsTree)
    _ = try await findings()
    _ = await diagnosis()
    #expect(Disk.kind(system.layout.dkmsTree) == nil)
  }
}
