// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import SystemPackage
import TestSupport
import Testing

/// What options and framework.conf change in an installation.
@Suite(.requiresRoot, .requiresKernelHeaders)
struct InstallOptionTests {
  private static let kernel = Kernels.first
  private static let install = "install quick/1.0 -k \(kernel)"
  private static let module = "modules/\(kernel)/updates/dkms/quick.ko"

  // MARK: Links

  @Test(
    "Links in the place of copies, by option or by framework.conf",
    arguments: ["--symlink-modules", "symlink_modules=yes"])
  func links(_ way: String) async throws {
    let machine = try await Prepared.machine(.built)
    if !way.hasPrefix("--") { try machine.write("\(way)\n", to: "etc/framework.conf.d/links.conf") }
    try await machine.dkms(Self.install + (way.hasPrefix("--") ? " \(way)" : "")).expect(0)
    let product = "/var/lib/dkms/quick/1.0/\(Self.kernel)/x86_64/module/quick.ko"
    #expect(Disk.linkTarget(machine.path(Self.module))?.string == product)
    try await machine.dkms("status").expect(0, output: ["quick/1.0, \(Self.kernel), x86_64: installed"])
    try await machine.dkms("status", by: .reference)
      .expect(0, output: ["quick/1.0, \(Self.kernel), x86_64: installed"])
    #expect(try machine.text("modules/\(Self.kernel)/modules.dep").contains("updates/dkms/quick.ko:"))
    try await machine.dkms("uninstall quick/1.0 -k \(Self.kernel)").expect(0)
    #expect(!machine.exists("modules/\(Self.kernel)/updates"))
    #expect(machine.exists("var/quick/1.0/\(Self.kernel)/x86_64/module/quick.ko"))
  }

  @Test("A copy takes the place of a link, and a link that of a copy")
  func linksAndCopies() async throws {
    let machine = try await Prepared.machine(.installed)
    try await machine.dkms("\(Self.install) --force --symlink-modules").expect(0)
    #expect(Disk.kind(machine.path(Self.module)) == .link)
    try await machine.dkms("\(Self.install) --force").expect(0)
    #expect(Disk.kind(machine.path(Self.module)) == .file)
    #expect(!machine.exists("var/quick/original_module"))
  }

  // MARK: Versions

  /// A machine whose kernel has a module of that name that is not older.
  private func machineWithOwnModule() async throws -> MountedMachine {
    let machine = try await Prepared.machine(.built)
    let built = try machine.bytes("var/quick/1.0/\(Self.kernel)/x86_64/module/quick.ko")
    try machine.write(bytes: built, to: "modules/\(Self.kernel)/kernel/quick.ko")
    return machine
  }

  @Test(
    "The kernel's newer module does not stand in the way of who says so",
    arguments: ["--force-version-override", "quick", "quick_version-override"])
  func versionOverride(_ way: String) async throws {
    let machine = try await machineWithOwnModule()
    try await machine.dkms(Self.install).expect(6)
    if way.hasPrefix("--") {
      try await machine.dkms("\(Self.install) \(way)").expect(0)
    } else {
      try machine.write("other\n\(way)\n", to: "etc/forced/some-package")
      let list = "/usr/share/dkms/modules_to_force_install"
      let run = try await machine.shell(
        "mount -t tmpfs none /usr/share && mkdir -p \(list) && cp /etc/dkms/forced/* \(list) && dkms \(Self.install)"
      )
      #expect(run.status == 0, "\(run)")
    }
    #expect(machine.exists(Self.module))
    #expect(machine.exists("modules/\(Self.kernel)/kernel/quick.ko"))
  }

  // MARK: What follows

  @Test(
    "The command that follows a change runs once, with a log", arguments: ["install", "uninstall", "remove"])
  func postTransaction(_ action: String) async throws {
    let machine = try await Prepared.machine(action == "install" ? .built : .installed)
    try machine.write(
      #"post_transaction="echo ran with $kernelver >> /etc/dkms/ran; echo to the log""# + "\n",
      to: "etc/framework.conf.d/follow.conf")
    try await machine.dkms("\(action) quick/1.0 -k \(Self.kernel)").expect(0)
    #expect(try machine.text("etc/ran") == "ran with \(Self.kernel)\n")
    #expect(try machine.text("var/post_transaction.log").contains("\nto the log\n"))
    // Where nothing changes nothing follows; what was removed with its last build is not there any more.
    try await machine.dkms("\(action) quick/1.0 -k \(Self.kernel)").expect(action == "remove" ? 3 : 0)
    #expect(try machine.text("etc/ran") == "ran with \(Self.kernel)\n")
  }

  @Test("It runs once a kernel where it names the kernel, else once, and after depmod")
  func postTransactionForSeveralKernels() async throws {
    for (command, times) in [("echo $kernelver", 2), ("echo all", 1)] {
      let machine = try await Prepared.machine(.source)
      let check = "grep -q quick /usr/lib/modules/\(Self.kernel)/modules.dep && "
      try machine.write(
        "post_transaction=\"\(check)\(command) >> /etc/dkms/ran\"\n", to: "etc/framework.conf.d/follow.conf")
      try await machine.dkms("install quick/1.0 -k \(Kernels.first) -k \(Kernels.second)").expect(0)
      #expect(try machine.text("etc/ran").split(separator: "\n").count == times)
      let log = try machine.text("var/post_transaction.log").split(separator: "\n")
      #expect(log.filter { $0.hasPrefix("# command: ") }.count == times, "one after the other, in one log")
    }
  }

  @Test("Its failure is a warning that names its log")
  func postTransactionFailed() async throws {
    let machine = try await Prepared.machine(.built)
    try machine.write("post_transaction=\"exit 3\"\n", to: "etc/framework.conf.d/follow.conf")
    try await machine.dkms(Self.install).expect(
      0, says: ["exit 3", "3", "/var/lib/dkms/post_transaction.log"])
  }

  @Test(
    "What is installed for the running kernel is loaded, and only that",
    arguments: ["--modprobe-on-install", "modprobe_on_install=true"])
  func load(_ way: String) async throws {
    let running = try await Run.program("/bin/uname", ["-r"]).lines[0]
    let machine = try await Prepared.sources()
    try machine.addKernel(running, hasHeaders: false)
    try Files.link(machine.path("modules/\(running)/build"), to: TestParts.headers(of: Self.kernel))
    try machine.addQuick(conf: "MAKE[0]=\"cp text quick.ko\"\nSTRIP[0]=no")
    try machine.write("text", to: "src/quick-1.0/text")
    for program in ["modprobe", "systemctl"] {
      try machine.addScript(#"echo "${0##*/} ${*:1:3}" >> /etc/dkms/ran"#, at: "etc/bin/\(program)")
    }
    if !way.hasPrefix("--") { try machine.write("\(way)\n", to: "etc/framework.conf.d/load.conf") }
    let option = way.hasPrefix("--") ? way : ""
    let path = ["PATH": "/etc/dkms/bin:/usr/sbin:/usr/bin"]
    try await machine.dkms("install quick/1.0 -k \(Self.kernel) --no-depmod \(option)", environment: path)
      .expect(0)
    #expect(!machine.exists("etc/ran"))
    try await machine.dkms("install quick/1.0 -k \(running) --no-depmod \(option)", environment: path).expect(
      0)
    #expect(try machine.text("etc/ran").split(separator: "\n").first == "modprobe -a -b -q")
  }

  // MARK: Deprecations

  @Test("A directive that has no effect any more is told once, however many kernels there are")
  func deprecations() async throws {
    let machine = try await Prepared.sources()
    try machine.addQuick(conf: "CLEAN=x\nREMAKE_INITRD=yes\nOBSOLETE_BY=9.9")
    let kernels = "-k \(Kernels.first) -k \(Kernels.second)"
    let outcome = try await machine.dkms("install quick/1.0 \(kernels)").expect(0)
    for name in ["CLEAN", "REMAKE_INITRD", "OBSOLETE_BY"] {
      let lines = outcome.run.errorOutput.split(separator: "\n").filter { $0.contains(name) }
      #expect(lines == ["==> WARNING: quick/1.0: the directive \(name) is deprecated"], "\(outcome)")
    }
    let silent = try await machine.dkms("uninstall quick/1.0 \(kernels)").expect(0)
    #expect(!silent.run.errorOutput.contains("deprecated"), "\(silent)")
    let added = try await machine.dkms("remove quick/1.0 --all").expect(0)
    #expect(!added.run.errorOutput.contains("deprecated"), "\(added)")
    try await machine.dkms("add quick/1.0").expect(0, says: ["REMAKE_INITRD is deprecated"])
  }

  // MARK: Dependents

  @Test("What was built with another version of a module is built anew where its conf says so")
  func dependents() async throws {
    let machine = try await Prepared.sources()
    for version in ["1.0", "1.1"] { try machine.addQuick("quick", version) }
    let counting = "BUILD_DEPENDS[0]=quick\nMAKE[0]=\"echo $module >> /etc/dkms/built; ${MAKE[0]}\"\n"
    try machine.addQuick("user", "1.0", conf: counting + "BUILD_DEPENDS_REBUILD=yes")
    try machine.addQuick("loose", "1.0", conf: counting)
    for id in ["quick/1.0", "user/1.0", "loose/1.0"] {
      try await machine.dkms("install \(id) -k \(Self.kernel)").expect(0)
    }
    let note = "var/user/1.0/\(Self.kernel)/x86_64/.dep_quick"
    #expect(try machine.text(note) == "1.0\n")
    #expect(!machine.exists("var/loose/1.0/\(Self.kernel)/x86_64/.dep_quick"))
    try machine.remove("etc/built")
    try await machine.dkms("install quick/1.1 -k \(Self.kernel) --force-version-override").expect(0)
    #expect(try machine.text("etc/built") == "user\n")
    #expect(try machine.text(note) == "1.1\n")
    try await machine.dkms("status").expect(
      0,
      output: [
        "loose/1.0, \(Self.kernel), x86_64: installed", "quick/1.0, \(Self.kernel), x86_64: built",
        "quick/1.1, \(Self.kernel), x86_64: installed", "user/1.0, \(Self.kernel), x86_64: installed",
      ])
    try machine.remove("etc/built")
    try await machine.dkms("install quick/1.1 -k \(Self.kernel) --no-depmod --force-version-override").expect(
      0)
    #expect(!machine.exists("etc/built"))
  }

  // MARK: Package upgrades

  @Test("A removal that belongs to the package that has just added the module is none")
  func safeUpgrade() async throws {
    let machine = try await Prepared.machine(.source)
    // A package manager that runs two scripts, and one that runs only the second.
    let script = { (words: String) in #"bash -c "/mnt/dkms \#(words) --rpm_safe_upgrade; true""# }
    let upgrade = try await machine.shell(
      "\(script("add quick/1.0")); \(script("remove quick/1.0 --all")); true")
    #expect(upgrade.errorOutput.contains("quick/1.0 stays"), "\(upgrade)")
    try await machine.dkms("status").expect(0, output: ["quick/1.0: added"])
    let removal = try await machine.shell("\(script("remove quick/1.0 --all")); true")
    #expect(removal.status == 0, "\(removal)")
    try await machine.dkms("status").expect(0, output: [])
  }

  @Test("Where ps fails, the removal of a module that may just have been added is none")
  func safeUpgradeWithoutAnswer() async throws {
    let machine = try await Prepared.machine(.source)
    let script = { (words: String) in #"bash -c "/mnt/dkms \#(words) --rpm_safe_upgrade; true""# }
    try machine.addScript("exit 127", at: "tools/ps")
    let removal = "PATH=\(machine.path("tools")):$PATH; \(script("remove quick/1.0 --all"))"
    let upgrade = try await machine.shell("\(script("add quick/1.0")); \(removal); true")
    #expect(upgrade.errorOutput.contains("cannot ask ps about process"), "\(upgrade)")
    try await machine.dkms("status").expect(0, output: ["quick/1.0: added"])
  }
}
