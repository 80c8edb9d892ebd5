// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSEngine
import DKMSModel
import Initramfs
import Testing

@testable import Inspection

/// From what there is, and what matters, to the verdict.
@Suite struct JudgementTests {
  private static let kernel = makeKernel("6.1.0")
  private static let id = makeID("zfs", "2.2")
  private static let old = makeID("zfs", "2.1")
  private static let rival = makeID("zfs-next", "1.0")

  private static func makeKernel(_ release: String) -> Kernel {
    guard let release = try? KernelRelease(release),
      let kernel = try? Kernel(release: release, architecture: "x86_64")
    else { preconditionFailure("no kernel release") }
    return kernel
  }

  private static func makeID(_ name: String, _ version: String) -> ModuleID {
    guard let id = try? ModuleID(name: name, version: version) else { preconditionFailure("no module") }
    return id
  }

  private static func file(
    _ name: String = "zfs", _ change: (inout ModuleFileCondition) -> Void = { _ in }
  ) -> ModuleFileCondition {
    var file = ModuleFileCondition(
      name: name, path: "/m/\(name).ko", information: .read(release: "6.1.0", isSigned: false))
    change(&file)
    return file
  }

  /// A module that is installed as it should be, but for a change.
  private static func module(_ change: (inout ModuleCondition) -> Void = { _ in }) -> ModuleCondition {
    var module = ModuleCondition(
      id: id, moduleNames: ["zfs"], installed: id, isBuilt: true, files: [file()])
    change(&module)
    return module
  }

  private static func absent(_ change: (inout ModuleCondition) -> Void = { _ in }) -> ModuleCondition {
    module {
      $0.installed = nil
      $0.isBuilt = false
      $0.files = []
      change(&$0)
    }
  }

  /// A case of the table.
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let module: ModuleCondition
    var enforcesSignatures = false
    /// The reason of the one finding; nil for none.
    let reason: String?
    var effect = Finding.Effect.unusable
    var log: String?
    var remedy: String?
  }

  private static let install = "dkms install zfs/2.2 -k 6.1.0"
  private static let again = "to try again: \(install)"
  private static let force = "dkms install --force zfs/2.2 -k 6.1.0"
  private static let rebuild = "dkms build --force zfs/2.2 -k 6.1.0 && \(force)"
  private static let failure = FailedBuild(log: "/l", firstError: "a.c:1: error: no")
  private static let headers = DKMSError.headersMissing(kernel, directory: "/h", package: "linux-headers")

  static let cases: [Case] = [
    Case(testDescription: "all well", module: module(), reason: nil),
    Case(
      testDescription: "not installed", module: absent(), reason: "it is not installed", remedy: install),
    Case(
      testDescription: "built only", module: absent { $0.isBuilt = true },
      reason: "it is built but not installed", remedy: install),
    Case(
      testDescription: "the kernel's own stays",
      module: absent {
        $0.isBuilt = true
        $0.files = [
          file {
            $0.exists = false
            $0.kernelsOwn = "/m/kernel/zfs.ko"
          }
        ]
      }, reason: nil),
    Case(
      testDescription: "built for another kernel of the release",
      module: module { $0.isForAnotherKernel = true },
      reason: "it was built for another kernel of this release", effect: .impaired, remedy: rebuild),
    Case(
      testDescription: "failed", module: absent { $0.failure = failure },
      reason: "its build failed: a.c:1: error: no", log: "/l", remedy: again),
    Case(
      testDescription: "failed without a word",
      module: absent { $0.failure = FailedBuild(log: "/l", firstError: nil) }, reason: "its build failed",
      log: "/l", remedy: again),
    Case(
      testDescription: "excluded",
      module: absent { $0.obstacle = .excluded(id, kernel, reason: "too old") }, reason: nil),
    Case(
      testDescription: "no headers", module: absent { $0.obstacle = headers },
      reason: "it cannot be built: the headers of this kernel are missing", remedy: "pacman -S linux-headers"),
    Case(
      testDescription: "broken", module: absent { $0.obstacle = .moduleBroken(id, link: "/s") },
      reason: "zfs/2.2 is broken: /s is missing or leads nowhere",
      remedy: DKMSError.moduleBroken(id, link: "").remedy),
    Case(
      testDescription: "no headers, but it stands", module: module { $0.obstacle = headers }, reason: nil),
    Case(
      testDescription: "last good, the new one failed",
      module: module {
        $0.installed = old
        $0.isBuilt = false
        $0.usesKeptSource = true
        $0.failure = failure
      }, reason: "its build failed: a.c:1: error: no; zfs/2.1 stays installed", effect: .impaired, log: "/l",
      remedy: again),
    Case(
      testDescription: "last good, no headers",
      module: module {
        $0.installed = old
        $0.usesKeptSource = true
        $0.obstacle = headers
      }, reason: "it cannot be built: the headers of this kernel are missing; zfs/2.1 stays installed",
      effect: .impaired, remedy: "pacman -S linux-headers"),
    Case(
      testDescription: "last good, nothing known",
      module: module {
        $0.installed = old
        $0.usesKeptSource = true
      }, reason: "it is not installed; zfs/2.1 stays installed", effect: .impaired, remedy: install),
    Case(testDescription: "an older one by choice", module: module { $0.installed = old }, reason: nil),
    Case(
      testDescription: "rebuild failed", module: module { $0.failure = failure },
      reason: "its build failed: a.c:1: error: no; an older build stays installed", effect: .impaired,
      log: "/l", remedy: "to try again: \(rebuild)"),
    Case(
      testDescription: "built, but its installation failed",
      module: absent {
        $0.isBuilt = true
        $0.failure = FailedBuild(log: nil, firstError: nil, reason: "it is built but not installed: no room")
      }, reason: "it is built but not installed: no room", remedy: again),
    Case(
      testDescription: "file missing", module: module { $0.files = [file { $0.exists = false }] },
      reason: "missing from the kernel's directory: zfs.ko", remedy: force),
    Case(
      testDescription: "two files missing",
      module: module {
        $0.moduleNames = ["zfs", "spl"]
        $0.files = [file { $0.exists = false }, file("spl") { $0.exists = false }]
      }, reason: "missing from the kernel's directory: zfs.ko, spl.ko", remedy: force),
    Case(
      testDescription: "the kernel's own in its place",
      module: module {
        $0.files = [
          file {
            $0.exists = false
            $0.kernelsOwn = "/m/kernel/zfs.ko"
          }
        ]
      }, reason: nil),
    Case(
      testDescription: "no module", module: module { $0.files = [file { $0.information = .unreadable }] },
      reason: "not a kernel module: zfs.ko", remedy: rebuild),
    Case(
      testDescription: "another kernel's",
      module: module { $0.files = [file { $0.information = .read(release: "6.2.0", isSigned: true) }] },
      reason: "built for kernel 6.2.0: zfs.ko", remedy: rebuild),
    Case(
      testDescription: "unsigned", module: module(), enforcesSignatures: true,
      reason: "not signed, and this kernel loads signed modules only: zfs.ko", remedy: rebuild),
    Case(
      testDescription: "signed",
      module: module { $0.files = [file { $0.information = .read(release: "6.1.0", isSigned: true) }] },
      enforcesSignatures: true, reason: nil),
    Case(
      testDescription: "nobody to ask", module: module { $0.files = [file { $0.information = .unknown }] },
      enforcesSignatures: true, reason: nil),
    Case(
      testDescription: "unlisted", module: module { $0.files = [file { $0.isListed = false }] },
      reason: "not named in modules.dep: zfs.ko", remedy: "depmod 6.1.0"),
    Case(
      testDescription: "another file of its name beside it, which depmod takes",
      module: module {
        $0.files = [
          file {
            $0.isListed = false
            $0.double = "/m/updates/dkms/zfs.ko.xz"
          }
        ]
      }, reason: "/m/updates/dkms/zfs.ko.xz is beside it, and depmod takes only one of the two: zfs.ko",
      remedy: force),
    Case(
      testDescription: "another file", module: module { $0.files = [file { $0.isAsBuilt = false }] },
      reason: "not what was built: zfs.ko", effect: .impaired, remedy: force),
    Case(
      testDescription: "another module's file",
      module: module {
        $0.files = [
          file {
            $0.isAsBuilt = false
            $0.displacement = .init(by: rival, byPackage: "zfs-next-dkms", ofPackage: "zfs-dkms")
          }
        ]
      }, reason: "zfs-next/1.0 of zfs-next-dkms has put its own in the place of that of zfs-dkms: zfs.ko",
      effect: .impaired, remedy: "only one can be there; to keep that of zfs-next/1.0: pacman -R zfs-dkms"),
    Case(
      testDescription: "another module's file, without packages",
      module: module {
        $0.files = [
          file {
            $0.isAsBuilt = false
            $0.displacement = .init(by: rival)
          }
        ]
      }, reason: "zfs-next/1.0 has put its own in its place: zfs.ko", effect: .impaired,
      remedy: "only one can be there; to keep that of zfs-next/1.0: dkms remove zfs/2.2 --all"),
    Case(
      testDescription: "no build", module: module { $0.files = [file { $0.isAsBuilt = nil }] },
      reason: "installed, but its build is gone: zfs.ko", effect: .impaired, remedy: rebuild),
  ]

  private func verdict(_ each: Case, by configuration: SuiteConfiguration) -> KernelVerdict {
    KernelVerdict(
      KernelCondition(
        kernel: Self.kernel, enforcesSignatures: each.enforcesSignatures, modules: [each.module]),
      by: configuration)
  }

  @Test(arguments: cases) func eachFactHasItsFinding(_ each: Case) {
    let verdict = verdict(each, by: SuiteConfiguration())
    #expect(verdict.findings.map(\.reason) == (each.reason.map { [$0] } ?? []))
    #expect(verdict.standing == (each.reason == nil ? .fine : .degraded))
    guard let finding = verdict.findings.first else { return }
    #expect(finding.effect == each.effect)
    #expect(finding.log == each.log)
    #expect(finding.remedy == each.remedy)
  }

  @Test(arguments: cases) func whatMattersDecidesTheStanding(_ each: Case) {
    let isUnusable = each.reason != nil && each.effect == .unusable
    let degraded: KernelVerdict.Standing = each.reason == nil ? .fine : .degraded
    let critical = verdict(each, by: SuiteConfiguration(critical: ["zfs"], optional: ["*"], ignored: ["*"]))
    #expect(critical.standing == (isUnusable ? .blocked : degraded))
    let optional = verdict(each, by: SuiteConfiguration(optional: ["z*"]))
    #expect(optional.standing == .fine)
    #expect(optional.findings.count == (each.reason == nil ? 0 : 1))
    let ignored = verdict(each, by: SuiteConfiguration(optional: ["zfs"], ignored: ["zfs"]))
    #expect(ignored.findings.isEmpty)
  }

  @Test func oneModuleOfAPackageMayMatterMoreThanTheOthers() {
    let module = Self.module {
      $0.moduleNames = ["zfs", "spl"]
      $0.files = [Self.file { $0.exists = false }, Self.file("spl")]
    }
    let each = Case(testDescription: "", module: module, reason: nil)
    #expect(verdict(each, by: SuiteConfiguration(critical: ["spl"])).standing == .degraded)
    let missing = Case(
      testDescription: "", module: Self.absent { $0.moduleNames = ["zfs", "spl"] }, reason: nil)
    #expect(verdict(missing, by: SuiteConfiguration(critical: ["spl"])).standing == .blocked)
  }

  @Test func whatAKernelLacksRightlyIsKnown() {
    let excluded = Self.absent { $0.obstacle = .excluded(Self.id, Self.kernel, reason: "too old") }
    let each = Case(testDescription: "", module: excluded, reason: nil)
    #expect(
      verdict(each, by: SuiteConfiguration()).skips == [KernelVerdict.Skip(Self.id, "too old")])
  }

  // MARK: Images

  private static func verdict(
    _ flaws: [ImageFlaw], by configuration: SuiteConfiguration = SuiteConfiguration()
  ) -> KernelVerdict {
    var condition = KernelCondition(kernel: kernel, modules: [module()])
    let image = InitramfsImage(path: "/boot/i.img", kernel: kernel, generator: .dracut)
    condition.images = [ImageCondition(image: image, modules: ["zfs"], flaws: flaws)]
    return KernelVerdict(condition, by: configuration)
  }

  static let imageReasons: [([ImageFlaw], String)] = [
    ([.missing], "the image is missing"),
    ([.unreadable(reason: "it is truncated")], "the image cannot be read: it is truncated"),
    (
      [.differs(kernelModule: "zfs")], "the image is old: it holds a different build of zfs than is installed"
    ),
    ([.gone(kernelModule: "spl")], "the image is old: it holds spl, which is no longer installed"),
    ([.otherKernel(release: "6.0.9")], "the image is for the kernel 6.0.9"),
    (
      [.lacks(kernelModule: "zfs", askedForBy: "add_drivers in /d.conf")],
      "the image is old: it lacks zfs, which add_drivers in /d.conf asks for"
    ),
    (
      ["a", "b", "c", "d"].map { .differs(kernelModule: $0) } + [.gone(kernelModule: "e")],
      "the image is old: it holds a different build of a, b, c (and 1 more) than is installed, and it holds e, which is "
        + "no longer installed"
    ),
  ]

  @Test(arguments: imageReasons) func anImageThatIsNotFreshIsAFinding(_ flaws: [ImageFlaw], _ reason: String)
  {
    let verdict = Self.verdict(flaws)
    #expect(verdict.findings.map(\.reason) == [reason])
    #expect(verdict.findings.map(\.subject) == ["/boot/i.img"])
    #expect(verdict.findings.map(\.remedy) == ["alpm-dkms initramfs 6.1.0"])
    #expect(verdict.standing == (verdict.images.allSatisfy(\.isUnusable) ? .blocked : .degraded))
  }

  @Test func aKernelWithAnotherImageCanBeBooted() {
    for flaw in [ImageFlaw.missing, .unreadable(reason: "it is truncated"), .otherKernel(release: "6.0.9")] {
      #expect(Self.verdict([flaw]).standing == .blocked)
      var condition = KernelCondition(kernel: Self.kernel, modules: [Self.module()])
      condition.images = [[flaw], []].enumerated().map { index, flaws in
        let image = InitramfsImage(path: "/boot/\(index).img", kernel: Self.kernel, generator: .dracut)
        return ImageCondition(image: image, flaws: flaws)
      }
      #expect(KernelVerdict(condition, by: SuiteConfiguration()).standing == .degraded)
      condition.images[1].flaws = [flaw]
      #expect(KernelVerdict(condition, by: SuiteConfiguration()).standing == .blocked)
    }
  }

  @Test func anImageThatCouldNotBeLookedAtIsUnknown() {
    let verdict = Self.verdict([.unknown(reason: "/boot/i.img: Input/output error")])
    #expect(
      verdict.findings == [
        Finding(
          "/boot/i.img", .normal, .unknown,
          "nothing is known about the image: /boot/i.img: Input/output error",
          cause: .failedLook)
      ])
    #expect(verdict.standing == .unknown)
  }

  @Test func whatTheFirmwareRefusesBlocksAKernelWithoutAnotherImage() {
    let refused = ImageFlaw.unsigned(isRefused: true, remedy: "sbctl sign /boot/i.img")
    #expect(
      Self.verdict([refused]).findings == [
        Finding(
          "/boot/i.img", .critical, .unusable, "it has no signature, and Secure Boot is on, which refuses it",
          remedy: "sbctl sign /boot/i.img")
      ])
    #expect(Self.verdict([refused]).standing == .blocked)
    var condition = KernelCondition(kernel: Self.kernel, modules: [Self.module()])
    condition.images = [[refused], []].enumerated().map { index, flaws in
      let image = InitramfsImage(path: "/boot/\(index).img", kernel: Self.kernel, generator: .dracut)
      return ImageCondition(image: image, flaws: flaws)
    }
    #expect(KernelVerdict(condition, by: SuiteConfiguration()).standing == .degraded)
  }

  @Test func anImageThatIsOldAndNotSignedIsTwoFindings() {
    let unsigned = ImageFlaw.unsigned(isRefused: false, remedy: "sbctl sign /boot/i.img")
    let verdict = Self.verdict([.differs(kernelModule: "zfs"), unsigned])
    #expect(
      Set(verdict.findings.map(\.remedy)) == ["sbctl sign /boot/i.img", "alpm-dkms initramfs 6.1.0"])
    #expect(verdict.standing == .degraded)
  }

  @Test func aFreshImageIsNoFinding() {
    #expect(Self.verdict([]).standing == .fine)
    #expect(Self.verdict([]).findings.isEmpty)
    #expect(Self.verdict([]).images.map(\.modules) == [["zfs"]])
  }

  @Test func whatMattersInAnImageDecidesTheStanding() {
    let critical = SuiteConfiguration(critical: ["zfs"])
    let lacking = ImageFlaw.lacks(kernelModule: "zfs", askedForBy: "MODULES")
    #expect(Self.verdict([lacking], by: critical).standing == .blocked)
    // The old one still boots.
    #expect(Self.verdict([.differs(kernelModule: "zfs")], by: critical).standing == .degraded)
    let other = ImageFlaw.lacks(kernelModule: "other", askedForBy: "MODULES")
    #expect(Self.verdict([.differs(kernelModule: "zfs"), other], by: critical).standing == .degraded)
    #expect(Self.verdict([lacking], by: SuiteConfiguration(optional: ["zfs"])).standing == .fine)
    #expect(Self.verdict([lacking], by: SuiteConfiguration(ignored: ["zfs"])).findings.isEmpty)
  }

  @Test func staleDependenciesAreAFindingOfTheKernel() {
    var condition = KernelCondition(
      kernel: Self.kernel, hasStaleDependencies: true, modules: [Self.module()])
    let verdict = KernelVerdict(condition, by: SuiteConfiguration())
    #expect(verdict.findings.map(\.subject) == ["modules.dep"])
    #expect(verdict.findings.map(\.remedy) == ["depmod 6.1.0"])
    #expect(verdict.standing == .degraded)
    // What fixes the file fixes both.
    condition.modules[0].files[0].isListed = false
    #expect(KernelVerdict(condition, by: SuiteConfiguration()).findings.map(\.subject) == ["zfs/2.2"])
  }
}
