// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import Initramfs
import Inspection
import SystemPackage
import SystemSupport
import TestSupport
import Testing

@testable import DKMSEngine
@testable import Maintenance

/// Each thing that can be wrong, in a system that has nothing wrong otherwise.
@Suite struct DoctorTests {
  private var system: HookedSystem
  private let id: ModuleID
  private let temporary: FilePath

  init() throws {
    system = try HookedSystem()
    temporary = system.directory.path.appending("tmp")
    try Files.makeDirectories(temporary)
    try system.directory.write(
      "tmp_location=\(temporary)\ntry_sign_modules=yes\n", to: "etc/dkms/framework.conf")
    try system.addKernel("6.1.0", base: "linux")
    try system.addPackage(
      "linux", files: ["usr/lib/modules/6.1.0/", "usr/lib/modules/6.1.0/modules.order"])
    id = try system.addSource("hello", "1.0")
    try system.layWhole(id, for: "6.1.0")
    for name in HookInstallation.needed() { try system.addHook(name) }
  }

  private func findings() async -> [DoctorFinding] {
    await Diagnosis(
      DoctorFacts(system.layout, host: system.host, database: Database(root: system.directory.path))
    ).findings
  }

  /// Expects just one finding, and that `--fix` leaves it if it is not safe and nothing if it is.
  private func expect(
    _ kind: DoctorFinding.Kind, _ subject: String, remedy: String?, isSafe: Bool,
    at location: SourceLocation = #_sourceLocation
  ) async {
    let found = await findings()
    #expect(found.map(\.kind) == [kind], "\(found)", sourceLocation: location)
    #expect(found.map(\.subject) == [subject], sourceLocation: location)
    #expect(found.map(\.remedy) == [remedy], sourceLocation: location)
    #expect(found.map(\.isSafe) == [isSafe], sourceLocation: location)
    let status = await DoctorCommand(fixes: true, isAgreed: true).run(
      layout: system.layout, host: system.host)
    if case .depmod(let release)? = found.first?.repair {
      #expect(system.depmods == ["\(release)"], sourceLocation: location)
    }
    let ending: Int32 = [.failedLook, .unknownImage].contains(kind) ? 4 : 2
    #expect(status == (isSafe ? 0 : ending), sourceLocation: location)
    #expect(await self.findings() == (isSafe ? [] : found), sourceLocation: location)
    if !isSafe { await expectEnd(of: found, at: location) }
  }

  /// Types a command that needs nothing but files, and expects that it leaves nothing to find.
  private func expectEnd(of found: [DoctorFinding], at location: SourceLocation) async {
    let command = found.first?.remedy.flatMap { Remedy($0).command } ?? "dkms"
    guard !["depmod", "dkms", "pacman"].contains(where: command.contains) || command.hasPrefix("rm -r /")
    else {
      return
    }
    let run = try? await Run.program("/bin/sh", ["-c", command])
    #expect(run?.status == 0, "\(command)", sourceLocation: location)
    #expect(await self.findings() == [], "\(command)", sourceLocation: location)
  }

  private func removal(_ registration: String) -> String {
    let place = path("var/lib/dkms/\(registration)")
    return "rm -r \(place) && rmdir --ignore-fail-on-non-empty \(place.removingLastComponent())"
  }

  private func path(_ name: String) -> FilePath { system.directory.path.appending(name) }

  @Test func nothingIsWrongWithAHealthySystem() async {
    #expect(await findings() == [])
    #expect(await DoctorCommand().run(layout: system.layout, host: system.host) == 0)
    #expect(system.transcript.output == ["==> Nothing is wrong"])
  }

  @Test func settingsThatPacmanHasPutAway() async throws {
    let place = path("etc/dkms/framework.conf")
    let kept = path("etc/dkms/framework.conf.pacsave")
    try Files.rename(place, to: kept)
    await expect(.configuration, "\(kept)", remedy: "mv \(kept) \(place)", isSafe: false)
    try Files.rename(kept, to: place)
    #expect(await findings() == [])
  }

  @Test func missingHeaders() async throws {
    try Files.remove(path("usr/lib/modules/6.1.0/build"))
    await expect(.headersMissing, "6.1.0", remedy: "pacman -S linux-headers", isSafe: false)
  }

  @Test func aKernelThatNobodyOwns() async throws {
    try system.addKernel("5.0.0")
    await expect(
      .orphanedKernel, "5.0.0", remedy: "rm -r \(path("usr/lib/modules/5.0.0"))", isSafe: false)
  }

  @Test func whatIsLeftOfAKernelThatIsGone() async throws {
    try system.layWhole(id, for: "5.0.0")
    let found = await findings()
    #expect(
      Set(found.map(\.kind)) == [.orphanedKernel, .staleBuild, .leftover]
        && found.allSatisfy { $0.remedy == "alpm-dkms prune" }, "\(found)")
    #expect(
      await DoctorCommand(fixes: true, isAgreed: true).run(layout: system.layout, host: system.host) == 0)
    #expect(!Disk.isDirectory(path("usr/lib/modules/5.0.0")))
    #expect(await findings() == [])
  }

  @Test func whatAnEarlierDkmsHasLeftOfAKernelThatIsGoneIsOneThing() async throws {
    try system.directory.write("", to: "usr/lib/modules/4.9.0/updates/dkms/stranger.ko")
    try system.directory.write("", to: "usr/lib/modules/4.9.0/modules.dep")
    await expect(
      .orphanedKernel, path("usr/lib/modules/4.9.0").string, remedy: "alpm-dkms prune", isSafe: true)
  }

  @Test func aCommandStandsAloneOnItsLine() async throws {
    try system.directory.write("", to: "var/lib/dkms/old/0.1/6.1.0/x86_64/module/old.ko")
    try Files.remove(path("usr/lib/modules/6.1.0/build"))
    #expect(await DoctorCommand().run(layout: system.layout, host: system.host) == 2)
    let output = system.transcript.output
    #expect(
      output.contains("     pacman -S linux-headers") && output.contains("     \(removal("old/0.1"))"),
      "\(output)")
    #expect(
      output.filter { $0.hasPrefix("  -> fix") } == [
        "  -> fix  with this command:", "  -> fix  with this command:",
      ])
  }

  @Test func aSourceThatLeadsNowhere() async throws {
    let gone = try system.addSource("gone", "1.0")
    try system.lay(gone)
    try system.removeSource(gone)
    await expect(
      .danglingSource, "gone/1.0", remedy: removal("gone/1.0"), isSafe: true)
  }

  @Test func aSourceThatLeadsNowhereThoughItsModuleIsInstalled() async throws {
    try system.removeSource(id)
    await expect(
      .danglingSource, "hello/1.0", remedy: DKMSError.moduleBroken(id, link: "").remedy,
      isSafe: false)
  }

  @Test func aSourceThatLeadsNowhereThoughAPackageHasBroughtIt() async throws {
    try system.addPackage("hello-dkms", files: ["usr/src/hello-1.0/", "usr/src/hello-1.0/dkms.conf"])
    try system.removeSource(id)
    await expect(
      .danglingSource, "hello/1.0", remedy: "put its source back: pacman -S hello-dkms", isSafe: false)
  }

  @Test func aSourceThatSaysNothingThoughAPackageHasBroughtIt() async throws {
    try system.addPackage("hello-dkms", files: ["usr/src/hello-1.0/", "usr/src/hello-1.0/dkms.conf"])
    try system.directory.write("PACKAGE_NAME=$(", to: "usr/src/hello-1.0/dkms.conf")
    await expect(
      .configuration, "hello/1.0",
      remedy: "fix the file, or put back what its package has brought: pacman -S hello-dkms", isSafe: false)
  }

  @Test func aModuleThatNobodyBuilt() async throws {
    let file = "usr/lib/modules/6.1.0/updates/dkms/stranger.ko.zst"
    try system.directory.write("", to: file)
    try system.list(["hello"], for: "6.1.0")
    await expect(
      .strayFile, path(file).string, remedy: "rm \(path(file)) && depmod 6.1.0", isSafe: false)
  }

  @Test func aModuleThatAPackageOwnsIsNotForeign() async throws {
    let file = "usr/lib/modules/6.1.0/updates/dkms/packaged.ko"
    try system.directory.write("", to: file)
    try system.list(["hello", "packaged"], for: "6.1.0")
    try system.addPackage("packaged", files: [file])
    #expect(await findings() == [])
  }

  @Test func aModuleThatIsHalfMade() async throws {
    let file = "usr/lib/modules/6.1.0/updates/dkms/.hello.ko\(Files.stagingSuffix)"
    try system.directory.write("", to: file)
    try system.list(["hello"], for: "6.1.0")
    let found = await findings()
    #expect(found.map(\.kind) == [.halfMade] && found.allSatisfy(\.isSafe), "\(found)")
    _ = await DoctorCommand(fixes: true, isAgreed: true).run(layout: system.layout, host: system.host)
    #expect(Disk.kind(path(file)) == nil)
    // The directory has changed, so depmod follows.
    #expect(system.depmods == ["6.1.0"])
    #expect(await findings() == [])
  }

  /// Damages the file list of the kernel's package, as a loss of power does.
  private func damage(_ how: String, _ list: FilePath) throws {
    switch how {
    case "missing": try Files.remove(list)
    case "empty": try Files.write([], to: list)
    case "cut": try Files.write(Array(try Files.read(list).dropLast(9)), to: list)
    default: try Files.write([UInt8](repeating: 0, count: Disk.size(list) ?? 1), to: list)
    }
  }

  @Test(arguments: ["missing", "empty", "cut", "zeros"])
  func whatTheDatabaseCannotTellIsOwned(_ how: String) async throws {
    try system.addKernel("6.2.0")
    try system.addPackage("linux-lts", files: ["usr/lib/modules/6.2.0/"], size: 9)
    try system.layWhole(id, for: "6.2.0")
    try system.addKernel("5.0.0")
    try system.addPackage("other", files: ["usr/lib/modules/5.0.0/"])
    try system.layWhole(id, for: "5.0.0")
    let list = path("var/lib/pacman/local/linux-lts-1.0-1/files")
    try damage(how, list)
    let touch = how == "missing" ? "touch \(list) && " : ""
    await expect(
      .damagedFileList, "linux-lts", remedy: "\(touch)pacman -Syu --overwrite '*' linux-lts", isSafe: false)
    #expect(Disk.isDirectory(path("usr/lib/modules/6.2.0")))
    try system.directory.write("", to: "var/cache/pacman/pkg/linux-lts-headers-1.0-1-x86_64.pkg.tar.zst")
    try system.directory.write("", to: "var/cache/pacman/pkg/linux-lts-1.0-1-x86_64.pkg.tar.zst.sig")
    let file = try system.directory.write("", to: "var/cache/pacman/pkg/linux-lts-1.0-1-x86_64.pkg.tar.zst")
    await expect(
      .damagedFileList, "linux-lts", remedy: "\(touch)pacman -U --dbonly \(file)", isSafe: false)
    #expect(await PruneCommand(isAgreed: true).run(layout: system.layout, host: system.host) == 1)
    #expect(Disk.isDirectory(path("usr/lib/modules/6.2.0")))
    #expect(system.transcript.error.contains { $0.contains("linux-lts is damaged") })
    #expect(system.transcript.error.contains { $0.contains("pacman -U --dbonly") })
  }

  @Test func anEmptyListOfAPackageWithoutFilesIsNoDamage() async throws {
    try system.addPackage("meta", files: [])
    #expect(await findings() == [])
  }

  @Test func modulesDepThatIsOld() async throws {
    try system.installLater("hello", "6.1.0")
    await expect(.staleDependencies, "modules.dep for 6.1.0", remedy: "depmod 6.1.0", isSafe: true)
  }

  @Test(arguments: [
    "modules.dep.bin", "modules.alias", "modules.symbols.bin", "modules.softdep", "modules.devname",
  ])
  func whatDepmodWroteIsMissing(_ file: String) async throws {
    try Files.remove(path("usr/lib/modules/6.1.0/\(file)"))
    await expect(.staleDependencies, "\(file) for 6.1.0", remedy: "depmod 6.1.0", isSafe: true)
  }

  @Test func whatDepmodWroteIsCutShort() async throws {
    let file = path("usr/lib/modules/6.1.0/modules.dep.bin")
    try Files.write(Array(try Files.read(file).dropLast(4)), to: file)
    await expect(.staleDependencies, "modules.dep.bin for 6.1.0", remedy: "depmod 6.1.0", isSafe: true)
  }

  @Test func aClockThatWasAheadMakesNothingStale() async throws {
    for place in ["updates/dkms", "updates/dkms/hello.ko", "modules.dep", "modules.dep.bin"] {
      try Disk.setTime(of: path("usr/lib/modules/6.1.0/\(place)"), to: 4_000_000_000)
    }
    #expect(await findings() == [])
  }

  @Test func aBuildForAnotherKernelOfTheRelease() async throws {
    let headers = "usr/lib/modules/6.1.0/build"
    try system.directory.write("old", to: "\(headers)/Module.symvers")
    try system.directory.write("CONFIG_X=y\n", to: "\(headers)/.config")
    let kernel = try Kernel(release: KernelRelease("6.1.0"), architecture: "x86_64")
    let note = { (symbols: String) in
      KernelFingerprint(
        owner: nil, symbols: symbols, configuration: Disk.digest(path("\(headers)/.config")) ?? "",
        compiler: "unknown"
      ).text
    }
    let fingerprint = system.layout.fingerprint(id, kernel)
    try Files.write(
      Array(note(Disk.digest(path("\(headers)/Module.symvers")) ?? "").utf8), to: fingerprint)
    #expect(await findings() == [])
    try Files.write(Array(note("other").utf8), to: fingerprint)
    await expect(
      .staleFingerprint, "hello/1.0 for 6.1.0",
      remedy: "dkms build --force hello/1.0 -k 6.1.0 && dkms install --force hello/1.0 -k 6.1.0",
      isSafe: false)
  }

  @Test(arguments: [(ImageFlaw.missing, "missing"), (.differs(kernelModule: "zfs"), "zfs")])
  func aStaleImage(_ flaw: ImageFlaw, _ word: String) async throws {
    let kernel = try Kernel(release: KernelRelease("6.1.0"), architecture: "x86_64")
    let image = InitramfsImage(
      path: "/boot/initramfs-linux.img", kernel: kernel, generator: .mkinitcpio, preset: "linux/default")
    var facts = DoctorFacts()
    facts.images = [ImageCondition(image: image)]
    #expect(Diagnosis(facts).findings == [])
    facts.images = [ImageCondition(image: image, flaws: [flaw])]
    let found = Diagnosis(facts).findings
    #expect(found.map(\.kind) == [.staleImage] && found.map(\.subject) == ["/boot/initramfs-linux.img"])
    #expect(found.first?.reason.contains(word) == true && found.first?.remedy != nil, "\(found)")
  }

  @Test func anImageThatCouldNotBeLookedAtIsNotCalledStale() async throws {
    let kernel = try Kernel(release: KernelRelease("6.1.0"), architecture: "x86_64")
    let image = InitramfsImage(path: "/boot/i.img", kernel: kernel, generator: .dracut)
    var facts = DoctorFacts()
    facts.images = [
      ImageCondition(image: image, flaws: [.unknown(reason: "/boot/i.img: Input/output error")])
    ]
    #expect(
      Diagnosis(facts).findings == [
        DoctorFinding(
          .unknownImage, "/boot/i.img", "nothing is known about it: /boot/i.img: Input/output error")
      ])
  }

  @Test func anImageThatHoldsAnotherModuleThanIsInstalled() async throws {
    try system.addPackage("booster", files: ["usr/bin/booster"])
    try system.addHook("91-dkms-initramfs.hook")
    let image = path("boot/booster-linux.img").string
    try system.writeImage(to: image, holding: "hello")
    #expect(await findings() == [])
    try system.writeImage(to: image, holding: "hello", [1, 2, 3])
    await expect(.staleImage, image, remedy: "alpm-dkms initramfs 6.1.0", isSafe: false)
  }

  @Test func aHookThatTheGeneratorOfImagesNeeds() async throws {
    try system.addPackage("booster", files: ["usr/bin/booster"])
    try system.writeImage(to: path("boot/booster-linux.img").string, holding: "hello")
    #expect(await findings().map(\.subject) == ["91-dkms-initramfs.hook"])
  }

  @Test func aKernelInTheBootDirectoryThatIsAnotherOne() async throws {
    let file = try system.directory.write("Linux version 6.0.9 (x)", to: "boot/vmlinuz-linux")
    await expect(
      .strayKernel, file.string,
      remedy:
        "see that its file system is mounted and can be written to, then install the kernel's package again, "
        + "and: alpm-dkms initramfs 6.1.0", isSafe: false)
  }

  @Test func aPresetThatMakesNothing() async throws {
    try system.addPackage("mkinitcpio", files: ["usr/bin/mkinitcpio"])
    try system.addHook("91-dkms-initramfs.hook")
    let preset = try system.directory.write(
      "PRESETS=(default fallback)\nALL_kver=/boot/vmlinuz-linux\ndefault_image=/boot/i.img\n",
      to: "etc/mkinitcpio.d/linux.preset")
    await expect(
      .leftover, preset.string,
      remedy: "if this system boots another file, remove \(preset); otherwise put the kernel there again",
      isSafe: false)
  }

  /// The optional hook of this suite.
  private func copyOptionalHook() throws -> FilePath {
    let name = "90-mkinitcpio-install.hook"
    let text = try #require(Disk.text(TestParts.repository.appending("packaging").appending(name)))
    return try system.directory.write(text, to: "etc/pacman.d/hooks/\(name)")
  }

  @Test func theHookOfAnotherPackageInWhosePlaceOursLies() async throws {
    let file = try copyOptionalHook()
    #expect(await findings() == [])
    try system.addPackage(
      "limine-mkinitcpio-hook", files: ["etc/pacman.d/hooks/90-mkinitcpio-install.hook"])
    await expect(.hook, file.string, remedy: "rm \(file) && pacman -S limine-mkinitcpio-hook", isSafe: false)
  }

  @Test(arguments: ["mkinitcpio install", "another-mkinitcpio"])
  func theHookOfAnotherPackageThatOursHides(_ script: String) async throws {
    let file = try copyOptionalHook()
    try system.directory.write(
      """
      [Trigger]
      Type = Path
      Operation = Install
      Target = usr/lib/modules/*/vmlinuz
      [Action]
      When = PostTransaction
      Exec = /usr/share/libalpm/scripts/\(script)
      """, to: "usr/share/libalpm/hooks/90-mkinitcpio-install.hook")
    if script == "mkinitcpio install" {
      #expect(await findings() == [], "it is there to replace this one")
    } else {
      await expect(.hook, file.string, remedy: "rm \(file)", isSafe: false)
    }
  }

  @Test func settingsThatCannotBeUnderstood() async throws {
    try system.directory.write("critcal = zfs\n", to: "etc/alpm-dkms.conf")
    let file = system.layout.suiteConfiguration
    await expect(.configuration, file.string, remedy: "edit \(file)", isSafe: false)
  }

  @Test func aFrameworkConfThatIsNoBash() async throws {
    try system.directory.write("if then fi (\n", to: "etc/dkms/framework.conf")
    let found = await findings()
    #expect(found.map(\.kind) == [.configuration] && found.first?.subject == "framework.conf", "\(found)")
  }

  @Test func aDkmsConfThatSaysNothing() async throws {
    let bad = try system.addSource("bad", "1.0")
    try system.directory.write("MAKE[0]=true\n", to: "usr/src/bad-1.0/dkms.conf")
    try system.lay(bad)
    let found = await findings()
    #expect(found.map(\.kind) == [.configuration] && found.first?.subject == "bad/1.0", "\(found)")
  }

  @Test(arguments: ["usr/src/hello-1.0/text", "usr/src/hello-1.0"])
  func aSourceThatAnybodyMayChange(_ name: String) async throws {
    #expect(try await Run.program("/bin/chmod", ["o+w", path(name).string]).status == 0)
    let source = try #require(Disk.resolved(path("usr/src/hello-1.0")))
    await expect(.openSource, source.string, remedy: "chmod -R go-w \(source)", isSafe: true)
  }

  @Test(
    "What others can change is named once, with the command that ends it",
    .requiresRoot,
    arguments: [
      ("chown 1234 usr/src/hello-1.0/text", "usr/src/hello-1.0"),
      ("chown -R 1234 usr/src/hello-1.0", "usr/src/hello-1.0"),
      ("chmod 1777 usr/src", "usr/src"), ("chown 1234 var/lib/dkms", "var/lib/dkms"),
      ("chown -R 1234 var/lib/dkms/hello/1.0/6.1.0/x86_64", "var/lib/dkms/hello/1.0/6.1.0/x86_64"),
      ("chown 1234 etc/alpm-dkms.conf", "etc/alpm-dkms.conf"),
      (
        "mkdir -p home/bob; mv usr/src/hello-1.0 home/bob/h; chown 1234 home/bob; ln -s $PWD/home/bob/h usr/src/hello-1.0",
        "usr/src/hello-1.0"
      ),
      (
        "mkdir -p home/bob; mv usr/src/hello-1.0 home/bob/h; chown 1234 home/bob; ln -sfn $PWD/home/bob/h var/lib/dkms/hello/1.0/source",
        "var/lib/dkms/hello/1.0/source"
      ),
    ])
  func exposures(change: String, subject: String) async throws {
    try system.directory.write("", to: "etc/alpm-dkms.conf")
    let shell = { (command: String) in
      let run = try await Run.program(
        "/bin/sh", ["-ec", "cd \"$0\"; \(command)", system.directory.path.string])
      #expect(run.status == 0, "\(run)")
    }
    try await shell(change)
    let found = await findings()
    #expect(found.map(\.kind) == [.openSource] && found.map(\.subject) == [path(subject).string], "\(found)")
    try await shell(try #require(found.first?.remedy))
    #expect(await findings() == [])
  }

  @Test func aMaskedHook() async throws {
    let link = path("etc/pacman.d/hooks/70-dkms-install.hook")
    try Files.makeDirectories(link.removingLastComponent())
    try Files.link(link, to: "/dev/null")
    await expect(.hook, "70-dkms-install.hook", remedy: "rm \(link)", isSafe: false)
    // A file without a trigger does the same.
    try Files.remove(link)
    try Files.write([], to: link)
    await expect(.hook, "70-dkms-install.hook", remedy: "rm \(link)", isSafe: false)
  }

  @Test func aHookThatTheAdministratorHasChangedIsFine() async throws {
    try system.directory.write("[options]\nHookDir = /etc/my-hooks\n", to: "etc/pacman.conf")
    let own = "etc/my-hooks/70-dkms-install.hook"
    let text = try #require(Disk.text(path("usr/share/libalpm/hooks/70-dkms-install.hook")))
    try system.directory.write(text.replacing("Operation = Remove\n", with: ""), to: own)
    #expect(await findings() == [])
    let other = text.replacing("Exec = /usr/lib/alpm-dkms/alpm-dkms-install", with: "Exec = /usr/lib/mine")
    try system.directory.write(other, to: own)
    #expect(await findings().map(\.reason) == ["\(path(own)) takes its place, and runs /usr/lib/mine"])
    try system.directory.write("[Trigger]\nnonsense\n\(text)", to: own)
    let refused = await findings()
    #expect(
      refused.map(\.remedy) == ["edit \(path(own))"]
        && refused[0].reason.contains(
          "pacman refuses every transaction because of 70-dkms-install.hook, line 2"),
      "\(refused)")
    try Files.remove(path(own))
    try Files.link(path("etc/my-hooks/71-dkms-remove.hook"), to: "/dev/null")
    await expect(
      .hook, "71-dkms-remove.hook", remedy: "rm \(path("etc/my-hooks/71-dkms-remove.hook"))", isSafe: false)
  }

  @Test func aHookThatIsNowhere() async throws {
    try Files.remove(path("usr/share/libalpm/hooks/99-alpm-dkms-verify.hook"))
    await expect(.hook, "99-alpm-dkms-verify.hook", remedy: "pacman -S alpm-dkms", isSafe: false)
  }

  @Test func halfAKeyPair() async throws {
    let key = path("var/lib/dkms/mok.key")
    let certificate = path("var/lib/dkms/mok.pub")
    try system.directory.write("", to: "usr/lib/modules/6.1.0/build/scripts/sign-file")
    try Files.write([], to: key)
    try Files.write([], to: certificate)
    #expect(await findings() == [])
    try Files.remove(certificate)
    await expect(
      .keyPair, "signing key",
      remedy:
        "put \(certificate) back, or, if it is lost, make both anew: mv \(key) \(key).old && dkms generate_mok",
      isSafe: false)
  }

  @Test func aTreeThatAnOldDkmsHasLeft() async throws {
    try system.directory.write("", to: "var/lib/dkms/old/0.1/6.1.0/x86_64/module/old.ko")
    await expect(
      .leftover, path("var/lib/dkms/old/0.1").string, remedy: removal("old/0.1"),
      isSafe: false)
  }

  @Test func theDirectoryOfACallThatWasKilled() async throws {
    let used = try ScratchDirectory(in: temporary)
    #expect(await findings() == [], "a call that is at work has it")
    let directory = used.path
    used.discard()
    try Files.makePrivateDirectory(directory)
    await expect(.leftover, directory.string, remedy: "rm -r \(directory)", isSafe: false)
  }

  @Test func aCopyOfASourceThatIsThere() async throws {
    try system.directory.write("", to: "var/lib/dkms/hello/1.0/.source/dkms.conf")
    await expect(
      .leftover, path("var/lib/dkms/hello/1.0/.source").string, remedy: "alpm-dkms prune", isSafe: true)
  }

  @Test func aModuleWhoseBuildFailed() async throws {
    let other = try system.addSource("other", "1.0")
    try system.lay(other)
    try system.fail(other, for: "6.1.0")
    await expect(
      .module, "other/1.0 for 6.1.0", remedy: "to try again: dkms install other/1.0 -k 6.1.0", isSafe: false)
  }

  // MARK: Asking

  @Test func nothingIsMendedWithoutAYes() async throws {
    try system.directory.write("", to: "var/lib/dkms/hello/1.0/.source/dkms.conf")
    for answer in [false, nil] {
      let command = DoctorCommand(fixes: true, asks: { _ in answer })
      #expect(await command.run(layout: system.layout, host: system.host) == (answer == nil ? 4 : 2))
      #expect(Disk.isDirectory(path("var/lib/dkms/hello/1.0/.source")))
    }
    #expect(system.transcript.error.last?.contains("--yes") == true)
    let command = DoctorCommand(fixes: true, asks: { $0 == "Fix 1 problem?" })
    #expect(await command.run(layout: system.layout, host: system.host) == 0)
    #expect(!Disk.isDirectory(path("var/lib/dkms/hello/1.0/.source")))
  }

  @Test func nothingIsMendedWhilePacmanIsAtWork() async throws {
    try system.directory.write("", to: "var/lib/dkms/hello/1.0/.source/dkms.conf")
    try system.directory.write("", to: "var/lib/pacman/db.lck")
    #expect(
      await DoctorCommand(fixes: true, isAgreed: true).run(layout: system.layout, host: system.host) == 4)
    #expect(Disk.isDirectory(path("var/lib/dkms/hello/1.0/.source")))
  }

  @Test func onlyRootFixes() async throws {
    var system = system
    system.isRoot = false
    #expect(
      await DoctorCommand(fixes: true, isAgreed: true).run(layout: system.layout, host: system.host) == 4)
    #expect(await DoctorCommand().run(layout: system.layout, host: system.host) == 0)
  }

  @Test func programsGetTheSame() async throws {
    try Files.remove(path("usr/lib/modules/6.1.0/build"))
    #expect(await DoctorCommand(printsJSON: true).run(layout: system.layout, host: system.host) == 2)
    #expect(
      system.transcript.output == [
        """
        {
          "schema": 3,
          "version": "\(Version.current)",
          "findings": [
            {
              "kind": "headers_missing",
              "subject": "6.1.0",
              "kernel": null,
              "reason": "\(path("usr/lib/modules/6.1.0/build")) holds no headers, so nothing can be built for it",
              "remedy": {
                "command": "pacman -S linux-headers",
                "advice": null
              },
              "safe": false
            }
          ]
        }
        """
      ])
    #expect(try JSONSchema("doctor").faults(in: system.transcript.output[0]) == [])
  }
}
