// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Hooks
import Host
import Inspection
import SystemPackage
import SystemSupport
import TestSupport
import Testing

@testable import DKMSEngine
@testable import Maintenance

/// The verdict, from a tree on the disk to the words.
@Suite struct VerificationTests {
  private let system: HookedSystem
  private let id: ModuleID

  init() throws {
    system = try HookedSystem()
    try system.addKernel("6.1.0")
    id = try system.addSource("hello", "1.0")
  }

  /// Runs the hook, which names what else helps where a kernel is not as it should be, and only there; all other lines of
  /// both streams, with commands, which stand alone, at the end of what they belong to.
  private func verify(
    expecting status: Int32, at location: SourceLocation = #_sourceLocation
  ) async throws -> [String] {
    let ended = try await system.run(VerifyHook.self, "usr/src/hello-1.0/dkms.conf")
    #expect(ended == status, sourceLocation: location)
    var output = system.transcript.output
    let isAmiss = output.contains { line in
      [": degraded, ", ": blocked, ", ": unknown, "].contains(where: line.contains)
    }
    #expect((output.suffix(4) == Self.furtherHelp[...]) == isAmiss, "\(output)", sourceLocation: location)
    if isAmiss { output.removeLast(4) }
    return Self.joined(output + system.transcript.error)
  }

  private static let furtherHelp = [
    "  -> to look for more that is wrong:", "     alpm-dkms doctor",
    "  -> to report it:", "     alpm-dkms record --bundle",
  ]

  private static func joined(_ lines: [String]) -> [String] {
    var joined: [String] = []
    for line in lines {
      if line.hasPrefix("     "), let last = joined.popLast() {
        joined.append("\(last) \(line.dropFirst(5))")
      } else {
        joined.append(line)
      }
    }
    return joined
  }

  private func expectFinding(_ line: String, at location: SourceLocation = #_sourceLocation) async throws {
    let lines = try await verify(expecting: 1, at: location)
    #expect(
      lines == [
        "==> WARNING: 6.1.0: degraded, not every module is as it should be", "  -> \(line)",
      ], sourceLocation: location)
  }

  @Test func aKernelWhoseFileInTheBootDirectoryIsAnotherOneIsBlocked() async throws {
    try system.addKernel("6.1.0", base: "linux")
    try system.layWhole(id, for: "6.1.0")
    let file = try system.directory.write("Linux version 6.1.0 (x)", to: "boot/vmlinuz-linux")
    #expect(try await verify(expecting: 0) == ["==> 6.1.0: 1 module in place"])
    try system.directory.write("Linux version 6.0.9 (x)", to: "boot/vmlinuz-linux")
    let lines = try await verify(expecting: 1)
    #expect(
      Array(lines.dropFirst()) == [
        "==> ERROR: 6.1.0: blocked, do not boot it before this is fixed",
        "  -> \(file) (critical): it is the kernel 6.0.9, whose modules are not installed; those of 6.1.0 are; "
          + "to fix it, see that its file system is mounted and can be written to, then install the kernel's package "
          + "again, and: alpm-dkms initramfs 6.1.0",
      ])
  }

  // MARK: All well

  @Test func nothingIsSaidWhereThereIsNoModule() async throws {
    try system.removeSource(id)
    #expect(try await verify(expecting: 0).isEmpty)
  }

  @Test func eachKernelHasALine() async throws {
    try system.addKernel("9.9.9-running")
    for release in ["6.1.0", "9.9.9-running"] { try system.layWhole(id, for: release) }
    #expect(
      try await verify(expecting: 0) == [
        "==> 6.1.0: 1 module in place", "==> 9.9.9-running (running): 1 module in place",
      ])
    #expect(system.transcript.error.isEmpty)
  }

  @Test func whatADkmsConfExcludesIsNotMissed() async throws {
    try system.layWhole(id, for: "6.1.0")
    let picky = try system.addSource("picky", "1.0", conf: "BUILD_EXCLUSIVE_KERNEL='^5'")
    try system.lay(picky)
    #expect(try await verify(expecting: 0) == ["==> 6.1.0: 1 module in place"])
    #expect(await VerifyCommand(isVerbose: true).run(layout: system.layout, host: system.host) == 0)
    let last = try #require(system.transcript.output.last)
    #expect(last.hasPrefix("  -> picky/1.0: not for this kernel: "))
  }

  @Test func whatNobodyAskedForIsNotMissed() async throws {
    try system.removeSource(id)
    try system.lay(try system.addSource("manual", "1.0", conf: "AUTOINSTALL=no"))
    #expect(try await verify(expecting: 0) == ["==> 6.1.0: no module belongs to it"])
  }

  @Test func headersThatWentAloneTakeNothingFromTheVerdict() async throws {
    try system.layWhole(id, for: "6.1.0")
    try Files.remove(system.layout.installTree.appending("6.1.0/build"))
    #expect(try await verify(expecting: 0) == ["==> 6.1.0: 1 module in place"])
  }

  // MARK: What the disk shows

  @Test func aModuleThatIsNotInstalledIsMissed() async throws {
    try system.lay(id)
    try await expectFinding("hello/1.0: it is not installed; to fix it: dkms install hello/1.0 -k 6.1.0")
  }

  @Test func aModuleThatAnotherKernelHasIsMissed() async throws {
    try system.addKernel("6.2.0")
    try system.removeSource(id)
    let manual = try system.addSource("manual", "1.0", conf: "AUTOINSTALL=no")
    try system.layWhole(manual, for: "6.2.0")
    let lines = try await verify(expecting: 1)
    #expect(lines.first == "==> 6.2.0: 1 module in place")
    #expect(
      lines.last == "  -> manual/1.0: it is not installed; to fix it: dkms install manual/1.0 -k 6.1.0")
  }

  @Test func aFileThatIsGoneIsMissed() async throws {
    try system.layWhole(id, for: "6.1.0")
    try Files.remove(system.installedFile("hello", "6.1.0"))
    try system.list([], for: "6.1.0")
    try await expectFinding(
      "hello/1.0: missing from the kernel's directory: hello.ko; "
        + "to fix it: dkms install --force hello/1.0 -k 6.1.0")
  }

  @Test func aFileThatIsNoModuleIsFound() async throws {
    try system.layWhole(id, for: "6.1.0")
    try system.directory.write("", to: "usr/lib/modules/6.1.0/updates/dkms/hello.ko")
    try system.list(["hello"], for: "6.1.0")
    try await expectFinding(
      "hello/1.0: not a kernel module: hello.ko; "
        + "to fix it: dkms build --force hello/1.0 -k 6.1.0 && dkms install --force hello/1.0 -k 6.1.0")
  }

  @Test func aModuleOfAnotherKernelIsFound() async throws {
    try system.layWhole(id, for: "6.1.0")
    try Files.write(ModuleImage.bytes(for: "6.2.0"), to: system.installedFile("hello", "6.1.0"))
    try system.list(["hello"], for: "6.1.0")
    try await expectFinding(
      "hello/1.0: built for kernel 6.2.0: hello.ko; "
        + "to fix it: dkms build --force hello/1.0 -k 6.1.0 && dkms install --force hello/1.0 -k 6.1.0")
  }

  @Test func aModuleThatIsNotTheBuiltOneIsFound() async throws {
    try system.layWhole(id, for: "6.1.0")
    let other = ModuleImage.bytes(for: "6.1.0", version: "0.9")
    try Files.write(other, to: system.installedFile("hello", "6.1.0"))
    try system.list(["hello"], for: "6.1.0")
    try await expectFinding(
      "hello/1.0: not what was built: hello.ko; to fix it: dkms install --force hello/1.0 -k 6.1.0")
  }

  @Test func modulesDepMustNameIt() async throws {
    try system.layWhole(id, for: "6.1.0", listed: false)
    try system.list(["another"], for: "6.1.0")
    try await expectFinding("hello/1.0: not named in modules.dep: hello.ko; to fix it: depmod 6.1.0")
  }

  @Test func modulesDepMustBeThere() async throws {
    try system.layWhole(id, for: "6.1.0")
    try Files.remove(system.layout.installTree.appending("6.1.0/modules.dep"))
    try await expectFinding("hello/1.0: not named in modules.dep: hello.ko; to fix it: depmod 6.1.0")
  }

  @Test func depmodsFilesMustBeWhole() async throws {
    try system.layWhole(id, for: "6.1.0")
    let file = system.layout.installTree.appending("6.1.0/modules.dep.bin")
    try Files.write(Array(try Files.read(file).dropLast()), to: file)
    try await expectFinding("modules.dep.bin: it is damaged; to fix it: depmod 6.1.0")
    try Depmod.run(on: system.layout.installTree, for: "6.1.0")
    #expect(try await system.verification().isWell)
  }

  @Test func aKernelWithoutAnyOfItsModulesCanBeFoundThere() async throws {
    try system.addKernel("6.2.0")
    try system.layWhole(id, for: "6.1.0")
    let manual = system.layout.installTree.appending("6.2.0/modules.alias.bin")
    try Files.remove(manual)
    let lines = try await verify(expecting: 1)
    #expect(lines.contains("  -> modules.alias.bin: it is missing; to fix it: depmod 6.2.0"), "\(lines)")
  }

  @Test func withoutThemACriticalModuleIsOutOfReach() async throws {
    try configure("critical = hello")
    try system.layWhole(id, for: "6.1.0")
    #expect(try await system.verification().standing == .fine)
    try Files.remove(system.layout.installTree.appending("6.1.0/modules.dep.bin"))
    #expect(try await system.verification().standing == .blocked)
  }

  @Test func aDamagedFileListIsNamed() async throws {
    try system.layWhole(id, for: "6.1.0")
    try system.addPackage("other", files: ["usr/lib/modules/6.2.0/"])
    try system.addPackage("linux", files: ["usr/lib/modules/6.1.0/"])
    try system.addKernel("6.2.0")
    try system.layWhole(id, for: "6.2.0")
    let list = system.directory.path.appending("var/lib/pacman/local/linux-1.0-1/files")
    try Files.remove(list)
    let lines = try await verify(expecting: 0)
    #expect(lines.contains("==> 6.1.0: 1 module in place"), "\(lines)")
    let remedy = "touch \(list) && pacman -Syu --overwrite '*' linux"
    #expect(
      lines.contains { $0.contains("linux is damaged") && $0.hasSuffix("to fix it: \(remedy)") }, "\(lines)")
  }

  @Test func modulesDepMustBeNewer() async throws {
    try system.layWhole(id, for: "6.1.0")
    try system.installLater("hello", "6.1.0")
    try await expectFinding("modules.dep: it is older than the modules; to fix it: depmod 6.1.0")
  }

  @Test func headersThatAreMissingAreNamed() async throws {
    try system.addKernel("6.3.0", hasHeaders: false, base: "linux-zen")
    try system.layWhole(id, for: "6.1.0")
    #expect(
      try await verify(expecting: 1).suffix(2) == [
        "==> WARNING: 6.3.0: degraded, not every module is as it should be",
        "  -> hello/1.0: it cannot be built: the headers of this kernel are missing; "
          + "to fix it: pacman -S linux-zen-headers",
      ])
  }

  @Test func aFailedBuildIsToldWithItsLog() async throws {
    try system.lay(id)
    let log = try system.fail(id, for: "6.1.0")
    try await expectFinding(
      "hello/1.0: its build failed: a.c:7: error: no such thing; the log is \(log); "
        + "to try again: dkms install hello/1.0 -k 6.1.0")
  }

  @Test func aFailedBuildIsToldWithThePackageOfItsSource() async throws {
    try system.addPackage("hello-dkms", files: ["usr/src/hello-1.0/dkms.conf"])
    for release in ["6.1.0", "6.2.0"] {
      try system.addKernel(release, base: "linux")
      try system.addPackage("linux", files: ["usr/lib/modules/6.1.0/", "usr/lib/modules/6.2.0/"])
    }
    try system.layWhole(id, for: "6.2.0")
    let log = try system.fail(id, for: "6.1.0")
    let lines = try await verify(expecting: 1)
    #expect(
      lines.last
        == "  -> hello/1.0: its build failed: a.c:7: error: no such thing; its source is hello-dkms 1.0-1; it is built "
        + "for 6.2.0; the log is \(log); to fix it, see whether there is something newer than hello-dkms 1.0-1; until "
        + "then, 'IgnorePkg = linux' in /etc/pacman.conf holds the kernel; to try again: dkms install hello/1.0 -k 6.1.0"
    )
  }

  @Test func anOldVersionInThePlaceOfOneThatFailedIsTold() async throws {
    try system.layWhole(id, for: "6.1.0")
    let new = try system.addSource("hello", "1.1")
    try system.lay(new)
    let log = try system.fail(new, for: "6.1.0")
    try await expectFinding(
      "hello/1.1: its build failed: a.c:7: error: no such thing; hello/1.0 stays installed; "
        + "the log is \(log); to try again: dkms install hello/1.1 -k 6.1.0")
  }

  @Test func aNewerModuleOfTheKernelsOwnMayStayInItsPlace() async throws {
    try system.layWhole(id, for: "6.1.0")
    try Files.remove(system.installedFile("hello", "6.1.0"))
    try system.list([], for: "6.1.0")
    let own = system.layout.installTree.appending("6.1.0/kernel/hello.ko")
    try Files.makeDirectories(own.removingLastComponent())
    for (version, standing) in [
      ("0.9", KernelVerdict.Standing.degraded), ("1.0", .fine), ("2.0", .fine),
    ] {
      try Files.write(ModuleImage.bytes(for: "6.1.0", version: version), to: own)
      try Depmod.run(on: system.layout.installTree, for: "6.1.0")
      #expect(try await system.verification().standing == standing, "\(version)")
    }
  }

  @Test func aBrokenRegistrationIsToldWhereTheModuleIsMissing() async throws {
    try system.addKernel("6.2.0")
    try system.layWhole(id, for: "6.1.0")
    try system.removeSource(id)
    let lines = try await verify(expecting: 1)
    #expect(lines.first == "==> 6.1.0: 1 module in place")
    #expect(lines.last?.hasPrefix("  -> hello/1.0: hello/1.0 is broken: ") == true)
  }

  // MARK: Signatures

  @Test(arguments: ["6.1.0", "6.2.0"])
  func whereTheRunningKernelAsksForSignaturesTheyMustBeThere(_ running: String) async throws {
    try system.layWhole(id, for: "6.1.0")
    var host = system.host
    host.runningRelease = running
    host.enforcesSignatures = { true }
    let verification = try await Verification(
      layout: system.layout, host: host, database: Database(root: system.directory.path))
    #expect(verification.standing == (running == "6.1.0" ? .degraded : .fine))
  }

  @Test func theConfigurationOfTheKernelTellsToo() async throws {
    try system.layWhole(id, for: "6.1.0")
    let configuration = "usr/lib/modules/6.1.0/build/include/config/auto.conf"
    try system.directory.write("CONFIG_MODULE_SIG=y\n", to: configuration)
    #expect(try await system.verification().isWell)
    try system.directory.write("CONFIG_MODULE_SIG_FORCE=y\n", to: configuration)
    try await expectFinding(
      "hello/1.0: not signed, and this kernel loads signed modules only: hello.ko; "
        + "to fix it: dkms build --force hello/1.0 -k 6.1.0 && dkms install --force hello/1.0 -k 6.1.0")
  }

  @Test func aSignatureIsSeen() async throws {
    try system.layWhole(id, for: "6.1.0")
    let kernel = try Kernel(release: KernelRelease("6.1.0"), architecture: "x86_64")
    let script = #"""
      set -eu
      cd "$0"
      openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=test -keyout key -out certificate 2> errors
      openssl cms -sign -binary -noattr -nocerts -signer certificate -inkey key -outform DER -in "$1" > signature
      size=$(printf '%08x' "$(stat -c %s signature)" | sed 's/../\\x&/g')
      { cat signature; printf "\0\0\2\0\0\0\0\0$size~Module signature appended~\n"; } >> "$1"
      """#
    let built = system.layout.productModules(id, kernel).appending("hello.ko")
    let run = try await Run.program("/bin/bash", ["-c", script, system.directory.path.string, built.string])
    #expect(run.status == 0, "\(run)")
    try Files.copy(built, to: system.installedFile("hello", "6.1.0"))
    try system.list(["hello"], for: "6.1.0")
    let configuration = "usr/lib/modules/6.1.0/build/include/config/auto.conf"
    try system.directory.write("CONFIG_MODULE_SIG_FORCE=y\n", to: configuration)
    #expect(try await verify(expecting: 0) == ["==> 6.1.0: 1 module in place"])
  }

  // MARK: What the administrator says

  private func configure(_ text: String) throws {
    try system.directory.write(text, to: "etc/alpm-dkms.conf")
  }

  @Test func aCriticalModuleBlocks() async throws {
    try system.addKernel("6.2.0")
    try configure("critical = hello")
    try system.layWhole(id, for: "6.2.0")
    #expect(
      try await verify(expecting: 1) == [
        "==> 6.2.0: 1 module in place",
        "==> ERROR: 6.1.0: blocked, do not boot it before this is fixed",
        "  -> hello/1.0 (critical): it is not installed; to fix it: dkms install hello/1.0 -k 6.1.0",
      ])
  }

  @Test func aCriticalModuleThatNothingIsCalledIsNamed() async throws {
    try system.layWhole(id, for: "6.1.0")
    let file = system.layout.suiteConfiguration
    let problem = "critical = helo: no module and no source of one is called so; did you mean 'hello'?"
    try configure("critical = helo")
    #expect(await VerifyCommand().run(layout: system.layout, host: system.host) == 2)
    #expect(
      system.transcript.output == ["==> ERROR: \(file): \(problem)", "==> 6.1.0: 1 module in place"])
    let doctor = await Diagnosis(
      DoctorFacts(system.layout, host: system.host, database: Database(root: system.directory.path))
    ).findings.filter { $0.subject == file.string }
    #expect(doctor.map(\.reason) == [problem] && doctor.map(\.kind) == [.configuration], "\(doctor)")
  }

  @Test(arguments: ["hello", "h*", "renamed-module", "renamed_module", "unregistered"])
  func aNameThatSomethingHasIsNoProblem(_ name: String) async throws {
    try system.layWhole(id, for: "6.1.0")
    try system.addSource("unregistered", "1.0", conf: "AUTOINSTALL=no")
    try system.lay(
      try system.addSource("other", "1.0", conf: "AUTOINSTALL=no\nDEST_MODULE_NAME[0]=renamed_module"))
    try configure("critical = \(name)")
    #expect(try await system.verification().problems.isEmpty)
  }

  @Test func whereASourceCannotBeReadNoNameIsWrong() async throws {
    try system.layWhole(id, for: "6.1.0")
    try system.directory.write("if then (\n", to: "usr/src/other-1.0/dkms.conf")
    try configure("critical = something")
    #expect(try await system.verification().problems.isEmpty)
  }

  @Test func anOptionalModuleIsOnlyTold() async throws {
    try configure("optional = hel*")
    try system.lay(id)
    #expect(
      try await verify(expecting: 0) == [
        "==> 6.1.0: 1 optional problem",
        "  -> hello/1.0 (optional): it is not installed; to fix it: dkms install hello/1.0 -k 6.1.0",
      ])
  }

  @Test func anIgnoredKernelGetsNoVerdictUnlessItIsNamed() async throws {
    try configure("ignored-kernels = *.1.0")
    try system.addKernel("6.2.0")
    try system.layWhole(id, for: "6.2.0")
    #expect(try await verify(expecting: 0) == ["==> 6.2.0: 1 module in place"])
    #expect(try await system.verification(of: "6.1.0").verdicts.map(\.standing) == [.degraded])
  }

  @Test func aBadLineIsToldAndChangesNoVerdict() async throws {
    try configure("# mine\ncritcal = hello\noptional = hello\n")
    try system.lay(id)
    let lines = try await verify(expecting: 0)
    let file = system.layout.suiteConfiguration
    #expect(lines.contains("==> ERROR: \(file), line 2: there is no key 'critcal'; did you mean 'critical'?"))
    #expect(lines.contains("==> 6.1.0: 1 optional problem"))
  }

  @Test func junkInItsPlaceStopsNothing() async throws {
    try system.layWhole(id, for: "6.1.0")
    try Files.makeDirectories(system.layout.suiteConfiguration)
    let lines = try await verify(expecting: 0)
    #expect(lines.contains("==> 6.1.0: 1 module in place"))
    #expect(lines.contains { $0.hasPrefix("==> ERROR: ") && $0.hasSuffix("the defaults are used") })
  }

  // MARK: Kernels

  @Test func kernelsThatNobodyOwnsGetNoVerdictBesideOwnedOnes() async throws {
    try system.addKernel("6.2.0")
    try system.addPackage("linux", files: ["usr/lib/modules/6.2.0/", "usr/lib/modules/6.2.0/modules.order"])
    try system.layWhole(id, for: "6.2.0")
    #expect(try await system.verification().verdicts.map(\.kernel.release.description) == ["6.2.0"])
  }

  @Test func aKernelThatIsNotThereIsAnError() async throws {
    #expect(await VerifyCommand(kernels: ["5.0.0"]).run(layout: system.layout, host: system.host) == 4)
    #expect(system.transcript.error.first?.contains("kernel 5.0.0 is not installed") == true)
    #expect(await VerifyCommand(kernels: ["../x"]).run(layout: system.layout, host: system.host) == 4)
  }

  @Test func anybodyMayAsk() async throws {
    var system = system
    system.isRoot = false
    try system.layWhole(id, for: "6.1.0")
    #expect(await VerifyCommand().run(layout: system.layout, host: system.host) == 0)
    #expect(system.transcript.output == ["==> 6.1.0: 1 module in place"])
  }

  @Test func programsGetTheSame() async throws {
    try configure("optional = hello\nnonsense")
    try system.lay(id)
    let log = try system.fail(id, for: "6.1.0")
    #expect(await VerifyCommand(printsJSON: true).run(layout: system.layout, host: system.host) == 2)
    #expect(
      system.transcript.output == [
        """
        {
          "schema": 3,
          "version": "\(Version.current)",
          "standing": "fine",
          "kernels": [
            {
              "kernel": "6.1.0",
              "architecture": "x86_64",
              "running": false,
              "standing": "fine",
              "modules_in_place": 0,
              "findings": [
                {
                  "subject": "hello/1.0",
                  "weight": "optional",
                  "effect": "unusable",
                  "reason": "its build failed: a.c:7: error: no such thing",
                  "log": "\(log)",
                  "remedy": {
                    "command": "dkms install hello/1.0 -k 6.1.0",
                    "advice": "to try again"
                  }
                }
              ],
              "skips": [],
              "images": []
            }
          ],
          "configuration_problems": [
            {
              "file": "\(system.layout.suiteConfiguration)",
              "line": 2,
              "is_error": true,
              "text": "it does not read 'key = value'",
              "remedy": null
            }
          ]
        }
        """
      ])
    #expect(try JSONSchema("verify").faults(in: system.transcript.output[0]) == [])
  }
}
