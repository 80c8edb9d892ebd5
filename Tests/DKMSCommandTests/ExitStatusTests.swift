// SPDX-License-Identifier: GPL-2.0-or-later

import TestSupport
import Testing

/// Every exit status that this version can end with, for the reason that the reference has for it.
@Suite(.requiresRoot, .requiresKernelHeaders)
struct ExitStatusTests {
  /// A machine that is changed, a call, and what comes of it.
  struct Case: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let words: String
    let status: Int32
    /// What standard error names: the thing, the reason, the remedy.
    let says: [String]
    /// Whether the reference at hand ends with the same status; not where a later version of it changed that.
    var isReferences = true
    /// Whether it fails only once the module is registered.
    var comesToRegister = false
    /// Whether the reference at hand takes it for a failure at all, also in `dkms status`; later ones do.
    var failsThere = true
    /// What is added to the dkms.conf of quick/1.0.
    var conf = ""
    var change: @Sendable (MountedMachine) throws -> Void = { _ in }
  }

  private static let build = "build quick/1.0 -k \(Kernels.first)"
  private static let install = "install quick/1.0 -k \(Kernels.first)"

  private static let patch = """
    --- a/file
    +++ b/file
    @@ -1 +1 @@
    -a line that is not there
    +another

    """

  static let cases: [Case] = [
    Case(
      testDescription: "build without a module", words: "build", status: 1,
      says: ["dkms build takes NAME/VERSION"]),
    Case(
      testDescription: "build without a version", words: "build quick -k \(Kernels.first)", status: 1,
      says: ["no version of quick", "dkms build quick/1.0 -k \(Kernels.first)"]),
    Case(
      testDescription: "more architectures than kernels", words: "\(build) -a a -a b", status: 1,
      says: ["architecture"]),
    Case(
      testDescription: "match without a kernel to go by", words: "match -k \(Kernels.first)", status: 1,
      says: ["--templatekernel"]),
    Case(
      testDescription: "match of a kernel with itself",
      words: "match --templatekernel \(Kernels.first) -k \(Kernels.first)", status: 2,
      says: ["same kernel", Kernels.first]),
    Case(
      testDescription: "a kernel and all", words: "\(build) --all", status: 2, says: ["--all", "-k"]),
    Case(
      testDescription: "tarball missing", words: "ldtarball /nowhere/quick.tar.gz", status: 2,
      says: ["/nowhere/quick.tar.gz", "does not exist"], isReferences: false),
    Case(
      testDescription: "an architecture and all", words: "remove quick/1.0 --all -a x86_64", status: 3,
      says: ["--all", "-a"]),
    Case(
      testDescription: "match of a module that is not in the tree",
      words: "match --templatekernel \(Kernels.second) -k \(Kernels.first) nothing", status: 3,
      says: ["nothing", "dkms status"]),
    Case(
      testDescription: "second action", words: "add build quick/1.0", status: 4, says: ["'build'"]),
    Case(
      testDescription: "several kernels where one is asked",
      words: "autoinstall -k \(Kernels.first) -k \(Kernels.second)", status: 4, says: ["one kernel"],
      isReferences: false),
    Case(
      testDescription: "all where that makes no sense", words: "autoinstall --all", status: 5,
      says: ["--all"], isReferences: false),
    Case(
      testDescription: "source and binaries only", words: "mktarball quick/1.0 --source-only --binaries-only",
      status: 8, says: ["--source-only", "--binaries-only"]),
    Case(
      testDescription: "source directory without dkms.conf", words: "add /usr/src/prebuilt", status: 1,
      says: ["/usr/src/prebuilt", "dkms.conf"], isReferences: false),
    Case(
      testDescription: "directory in the place of a tarball", words: "add --archive /usr/src/prebuilt",
      status: 9,
      says: ["/usr/src/prebuilt", "dkms.conf"], isReferences: false),
    Case(
      testDescription: "no architecture", words: "build quick/1.0 -k \(Kernels.first) --arch=", status: 12,
      says: ["architecture", "uname -m"], isReferences: false, failsThere: false),
    Case(
      testDescription: "kernel_preinst of a module that cannot be asked",
      words: "kernel_preinst -k \(Kernels.first)",
      status: 14, says: ["quick/1.0", "broken"], isReferences: false, failsThere: false,
      change: {
        try $0.register()
        try $0.write("", to: "var/quick/1.0/\(Kernels.first)/x86_64/module/quick.ko")
        try $0.remove("src/quick-1.0")
      }),
    Case(
      testDescription: "nothing to do", words: "install quick/1.0 -k \(Kernels.first)", status: 0, says: []),
    Case(
      testDescription: "source directory missing", words: "install nowhere/1.0 -k \(Kernels.first)",
      status: 2,
      says: ["nowhere/1.0", "/usr/src/nowhere-1.0", "does not exist"]),
    Case(testDescription: "unknown option", words: "build quick/1.0 --bogus", status: 2, says: ["--bogus"]),
    Case(
      testDescription: "added already", words: "add quick/1.0", status: 3, says: ["quick/1.0", "already"],
      change: { try $0.register() }),
    Case(
      testDescription: "uninstall of what is not in the tree",
      words: "uninstall quick/1.0 -k \(Kernels.first)",
      status: 3, says: ["quick/1.0", "not in the tree", "dkms status"]),
    Case(
      testDescription: "unbuild of what is not in the tree", words: "unbuild quick/1.0 -k \(Kernels.first)",
      status: 3, says: ["quick/1.0", "not in the tree", "dkms status"]),
    Case(
      testDescription: "remove of what is not in the tree", words: "remove quick/1.0 --all", status: 3,
      says: ["quick/1.0", "not in the tree"]),
    Case(
      testDescription: "build of a broken module", words: build, status: 4,
      says: ["quick/1.0", "broken", "dkms remove --force quick/1.0 --all"], failsThere: false,
      change: {
        try $0.register()
        try $0.remove("src/quick-1.0")
      }),
    Case(
      testDescription: "no dkms.conf", words: build, status: 4,
      says: ["/usr/src/quick-1.0/dkms.conf", "does not exist"],
      change: { try $0.remove("src/quick-1.0/dkms.conf") }),
    Case(
      testDescription: "add without dkms.conf", words: "add quick/1.0", status: 4,
      says: ["/usr/src/quick-1.0/dkms.conf", "does not exist"],
      change: { try $0.remove("src/quick-1.0/dkms.conf") }),
    Case(
      testDescription: "patch missing", words: build, status: 5,
      says: ["quick/1.0", "gone.patch", "patches"],
      conf: "PATCH[0]=gone.patch"),
    Case(
      testDescription: "patch outside the source", words: build, status: 5,
      says: ["quick/1.0", "../x.patch"],
      conf: "PATCH[0]=../x.patch"),
    Case(
      testDescription: "patch that does not apply", words: build, status: 6,
      says: ["quick/1.0", "bad.patch", "make.log"], conf: "PATCH[0]=bad.patch",
      change: { try $0.write(patch, to: "src/quick-1.0/patches/bad.patch") }),
    Case(
      testDescription: "no such kernel", words: "install quick/1.0 -k 9.9.9", status: 21,
      says: ["9.9.9", "/usr/lib/modules/9.9.9", "-k"], isReferences: false),
    Case(
      testDescription: "module not produced", words: build, status: 7,
      says: ["quick/1.0", "other.ko", "make.log"],
      conf: "BUILT_MODULE_NAME[0]=other"),
    Case(
      testDescription: "no PACKAGE_NAME", words: build, status: 8,
      says: ["/usr/src/quick-1.0/dkms.conf", "PACKAGE_NAME"], conf: "unset PACKAGE_NAME"),
    Case(
      testDescription: "no PACKAGE_VERSION", words: build, status: 8,
      says: ["/usr/src/quick-1.0/dkms.conf", "PACKAGE_VERSION"], conf: "unset PACKAGE_VERSION"),
    Case(
      testDescription: "bad DEST_MODULE_LOCATION", words: build, status: 8,
      says: ["dkms.conf", "DEST_MODULE_LOCATION[0]"], conf: "DEST_MODULE_LOCATION[0]=/etc"),
    Case(
      testDescription: "name that ends in .ko", words: build, status: 8,
      says: ["dkms.conf", "BUILT_MODULE_NAME[0]"],
      conf: "BUILT_MODULE_NAME[0]=quick.ko"),
    Case(
      testDescription: "neither yes nor no", words: build, status: 8,
      says: ["dkms.conf", "AUTOINSTALL", "maybe"],
      isReferences: false, failsThere: false, conf: "AUTOINSTALL=maybe"),
    Case(
      testDescription: "nothing to build", words: build, status: 8, says: ["quick/1.0", "nothing to build"],
      comesToRegister: true,
      change: { try $0.remove("src/quick-1.0/file") }),
    Case(
      testDescription: "dkms.conf that bash refuses", words: build, status: 10, says: ["dkms.conf"],
      isReferences: false, failsThere: false, conf: "if"),
    Case(
      testDescription: "make failed", words: build, status: 10,
      says: ["quick/1.0", Kernels.first, "make.log"],
      conf: "MAKE[0]=false"),
    Case(
      testDescription: "pre-build script failed", words: build, status: 10, says: ["quick/1.0", "PRE_BUILD"],
      isReferences: false, failsThere: false, conf: "PRE_BUILD=fail",
      change: { try $0.addScript("exit 10", at: "src/quick-1.0/fail") }),
    Case(
      testDescription: "autoinstall of a module that does not build",
      words: "autoinstall -k \(Kernels.first)",
      status: 11, says: ["quick/1.0", "make.log"], conf: "MAKE[0]=false", change: { try $0.register() }),
    Case(
      testDescription: "BUILD_DEPENDS missing", words: build, status: 13,
      says: ["quick/1.0", "other", Kernels.first], isReferences: false, failsThere: false,
      conf: "BUILD_DEPENDS[0]=other"),
    Case(
      testDescription: "headers missing", words: "build quick/1.0 -k 9.9.9", status: 21,
      says: ["9.9.9", "/usr/lib/modules/9.9.9/build", "linux-nine-headers"], isReferences: false,
      change: {
        try $0.addKernel("9.9.9", hasHeaders: false)
        try $0.write("linux-nine\n", to: "modules/9.9.9/pkgbase")
      }),
    Case(
      testDescription: "excluded by BUILD_EXCLUSIVE_KERNEL", words: build, status: 77, says: [],
      conf: #"BUILD_EXCLUSIVE_KERNEL="^2\.4""#),
    Case(
      testDescription: "excluded by BUILD_EXCLUSIVE_ARCH", words: build, status: 77, says: [],
      conf: "BUILD_EXCLUSIVE_ARCH=arm"),
    Case(
      testDescription: "excluded by BUILD_EXCLUSIVE_CONFIG", words: install, status: 77, says: [],
      conf: "BUILD_EXCLUSIVE_CONFIG=CONFIG_NO_SUCH_OPTION"),
    Case(
      testDescription: "excluded, so nothing to install by itself", words: "autoinstall -k \(Kernels.first)",
      status: 0, says: [], isReferences: false, conf: "BUILD_EXCLUSIVE_ARCH=arm",
      change: { try $0.register() }),
    Case(
      testDescription: "PRE_INSTALL refuses", words: install, status: 101,
      says: ["quick/1.0", "PRE_INSTALL"],
      conf: "PRE_INSTALL=fail", change: { try $0.addScript("exit 1", at: "src/quick-1.0/fail") }),
    Case(
      testDescription: "PRE_INSTALL refuses, forced", words: "\(install) --force", status: 0, says: [],
      conf: "PRE_INSTALL=fail", change: { try $0.addScript("exit 1", at: "src/quick-1.0/fail") }),
  ]

  private func machine(_ test: Case) async throws -> MountedMachine {
    let machine = try await Prepared.sources()
    try machine.addQuick(conf: test.conf)
    try test.change(machine)
    return machine
  }

  @Test("Every status that scripts may know is among them")
  func completeness() {
    let statuses = Set(Self.cases.map(\.status))
    #expect(statuses == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 21, 77, 101])
  }

  @Test("The status, and an error that names thing, reason and remedy", arguments: cases)
  func status(_ test: Case) async throws {
    try await machine(test).dkms(test.words).expect(test.status, says: test.says)
  }

  @Test(
    "The reference ends with the same status", .requiresReference, arguments: cases.filter(\.isReferences))
  func reference(_ test: Case) async throws {
    try await machine(test).dkms(test.words, by: .reference).expect(test.status)
  }

  @Test(
    "After a failure the tree stands as the reference leaves it", .requiresReference,
    arguments: cases.filter(\.failsThere))
  func statusAfterwards(_ test: Case) async throws {
    let machine = try await machine(test)
    let pair = try await Pair(machine)
    _ = try await pair.ours.dkms(test.words)
    _ = try await pair.theirs.dkms(test.words, by: .reference)
    let lines = try await pair.theirs.dkms("status", by: .reference).lines
    try await pair.ours.dkms("status").expect(0, output: lines)
  }

  @Test("What is built cannot be installed for a kernel that has gone")
  func kernelDirectoryMissing() async throws {
    let machine = try await Prepared.machine(.built)
    try machine.remove("modules/\(Kernels.first)")
    try await machine.dkms(Self.install).expect(6, says: ["/usr/lib/modules/\(Kernels.first)", "-k"])
  }

  @Test("A kernel's own module that is newer stays, unless forced")
  func newerModule() async throws {
    let machine = try await Prepared.machine(.built)
    // The module of the fixture says version 1.0; the kernel's is the same file, so it is not older.
    let own = "modules/\(Kernels.first)/kernel/quick.ko"
    let built = try machine.bytes("var/quick/1.0/\(Kernels.first)/x86_64/module/quick.ko")
    try machine.write(bytes: built, to: own)
    let before = machine.tree
    let outcome = try await machine.dkms("install quick/1.0 -k \(Kernels.first) --no-depmod")
      .expect(6, says: ["/usr/lib/\(own)", "--force"])
    outcome.expectUnchanged(since: before)
    try await machine.dkms("install quick/1.0 -k \(Kernels.first) --force").expect(0)
    #expect(try machine.bytes(own) == built)
  }

  @Test("A depmod that fails is 6, and the module is taken out again")
  func depmodFailed() async throws {
    let machine = try await Prepared.machine(.built)
    let before = machine.tree
    try machine.addScript("echo no room >&2; exit 1", at: "etc/bin/depmod")
    let outcome = try await machine.dkms(
      "install quick/1.0 -k \(Kernels.first)",
      environment: ["PATH": "/etc/dkms/bin:/usr/sbin:/usr/bin"])
    outcome.expect(6, says: ["depmod", Kernels.first])
    try machine.remove("etc/bin")
    try await machine.dkms("status").expect(0, output: ["quick/1.0, \(Kernels.first), x86_64: built"])
      .expectUnchanged(since: before)
  }
}
