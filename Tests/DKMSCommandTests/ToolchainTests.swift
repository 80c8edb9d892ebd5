// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import SystemPackage
import TestSupport
import Testing

/// Modules are compiled by what compiled their kernel, whatever their own Makefiles think.
@Suite(.requiresRoot, .requiresKernelHeaders, .requiresReference)
struct ToolchainTests {
  private static let first = Kernels.first
  private static let path = "/usr/src/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"

  /// A kernel whose configuration says this, with a module whose build writes down the tools it is told.
  private func machine(
    _ configuration: String, tools: [String] = [], conf: String = #"MAKE[0]="make""#
  ) async throws -> MountedMachine {
    let machine = try await Prepared.sources()
    try machine.addKernel("1.2.3", hasHeaders: false)
    try machine.write("\(configuration)\n", to: "modules/1.2.3/build/.config")
    try machine.write("", to: "modules/1.2.3/build/include/.keep")
    try machine.addQuick(conf: "\(conf)\nSTRIP[0]=no")
    // As the kernel's Makefile does: what it sets itself is stronger than the environment.
    try machine.write(
      """
      CC = gcc
      LD = ld
      .PHONY: all first second
      all first second:
      \t@echo "$@ $(CC) $(LD) $(LLVM)" >> quick.ko

      """, to: "src/quick-1.0/Makefile")
    for tool in tools { try machine.addScript("exit 0", at: "src/bin/\(tool)") }
    return machine
  }

  private func build(_ machine: MountedMachine, by program: MountedMachine.Program = .ours) async throws
    -> Outcome
  {
    try await machine.dkms("build quick/1.0 -k 1.2.3", by: program, environment: ["PATH": Self.path])
  }

  private func told(_ machine: MountedMachine) throws -> [String] {
    try machine.text("var/quick/1.0/1.2.3/x86_64/module/quick.ko").split(separator: "\n")
      .map { $0.split(separator: " ").joined(separator: " ") }
  }

  private static let clang = """
    CONFIG_CC_VERSION_TEXT="Debian clang version 19.1.7 (3)"
    CONFIG_CC_IS_CLANG=y
    CONFIG_CLANG_VERSION=190107
    """

  /// What a kernel was built with, what is installed, and what its modules are built with.
  struct Tools: CustomTestStringConvertible {
    let testDescription: String
    let configuration: String
    let installed: [String]
    let told: String
  }

  private static let toolCases = [
    Tools(
      testDescription: "clang and lld", configuration: "\(clang)\nCONFIG_LD_IS_LLD=y",
      installed: ["clang", "ld.lld"], told: "all clang ld.lld 1"),
    Tools(
      testDescription: "clang and lld of one version", configuration: "\(clang)\nCONFIG_LD_IS_LLD=y",
      installed: ["clang-19", "ld.lld-19"], told: "all clang-19 ld.lld-19 -19"),
    Tools(
      testDescription: "clang with the linker of GNU", configuration: clang, installed: ["clang"],
      told: "all clang ld"),
    Tools(
      testDescription: "another gcc than the system's",
      configuration: #"CONFIG_CC_VERSION_TEXT="gcc-99 (Debian 99.1.0-2) 99.1.0""#, installed: ["gcc-99"],
      told: "all gcc-99 ld"),
    Tools(
      testDescription: "a text without quotes, as auto.conf has it",
      configuration: "CONFIG_CC_VERSION_TEXT=gcc-99 (Debian 99.1.0-2) 99.1.0", installed: ["gcc-99"],
      told: "all gcc-99 ld"),
    Tools(
      testDescription: "gcc by way of a cache",
      configuration: #"CONFIG_CC_VERSION_TEXT="/usr/bin/ccache gcc-99 (Debian 99.1.0-2) 99.1.0""#,
      installed: ["gcc-99"], told: "all gcc-99 ld"),
    Tools(
      testDescription: "a path that is elsewhere here",
      configuration: #"CONFIG_CC_VERSION_TEXT="/opt/cross/bin/gcc-99 (GCC) 99.1.0""#, installed: ["gcc-99"],
      told: "all gcc-99 ld"),
    Tools(
      testDescription: "a path",
      configuration: #"CONFIG_CC_VERSION_TEXT="/usr/src/bin/gcc-99 (GCC) 99.1.0""#, installed: ["gcc-99"],
      told: "all /usr/src/bin/gcc-99 ld"),
    Tools(
      testDescription: "nothing that is known", configuration: "CONFIG_MODULES=y", installed: ["clang"],
      told: "all gcc ld"),
  ]

  @Test("Makes are told the kernel's own tools", arguments: toolCases)
  func toolsOfTheKernel(_ tools: Tools) async throws {
    let machine = try await machine(tools.configuration, tools: tools.installed)
    // clang stands in nobody's way who has its name already.
    let hidden = ["clang", "ld.lld"].filter { !tools.installed.contains($0) }
      .map { "[ ! -e /usr/bin/\($0) ] || mount --bind /dev/null /usr/bin/\($0); " }.joined()
    let run = try await machine.shell(
      "\(hidden)exec dkms build quick/1.0 -k 1.2.3", environment: ["PATH": Self.path])
    #expect(run.status == 0 && run.errorOutput.isEmpty, "\(run)")
    #expect(try told(machine) == [tools.told])
  }

  @Test("With no limit to the jobs, too")
  func unlimited() async throws {
    let machine = try await machine("\(Self.clang)\nCONFIG_LD_IS_LLD=y", tools: ["clang", "ld.lld"])
    let words = "build quick/1.0 -k 1.2.3 -j 0"
    try await machine.dkms(words, environment: ["PATH": Self.path]).expect(0)
    #expect(try told(machine) == ["all clang ld.lld 1"])
  }

  @Test(
    "The kernel's tools reach only the last of several commands",
    arguments: [MountedMachine.Program.ours, .reference])
  func severalCommands(_ program: MountedMachine.Program) async throws {
    let machine = try await machine(
      "\(Self.clang)\nCONFIG_LD_IS_LLD=y", tools: ["clang", "ld.lld"],
      conf: #"MAKE[0]="make first && make second""#)
    try await build(machine, by: program).expect(0)
    let told = try told(machine)
    #expect(told.count == 2)
    #expect((told.first?.hasPrefix("first clang ld.lld") == true) == (program == .ours), "\(told)")
    #expect(told.last?.hasPrefix("second clang ld.lld") == true, "\(told)")
  }

  @Test("A compiler of another version is told of, and the distribution's own choice followed")
  func anotherVersion() async throws {
    let machine = try await machine(
      "CONFIG_CC_VERSION_TEXT=\"gcc-99 (GCC) 99.1.0\"\nCONFIG_GCC_VERSION=990100")
    try machine.addScript("echo 98", at: "src/bin/gcc")
    try await build(machine).expect(0, says: ["gcc-99, version 99", "gcc, version 98"])
    #expect(try told(machine) == ["all gcc ld"])
    try machine.write("override ARCH = x86\nCC = gcc-97\n", to: "modules/1.2.3/build/.kernelvariables")
    try machine.addScript("echo 99", at: "src/bin/gcc-97")
    let words = "build quick/1.0 -k 1.2.3 --force"
    let silent = try await machine.dkms(words, environment: ["PATH": Self.path]).expect(0)
    #expect(silent.run.errorOutput.isEmpty, "\(silent)")
    #expect(try told(machine) == ["all gcc-97 ld"])
  }

  /// A tool that is not there, and the packages that have it.
  struct Missing: CustomTestStringConvertible {
    let configuration: String
    let installed: [String]
    let hidden: [String]
    let program: String
    let packages: String
    var testDescription: String { "\(program) of \(packages)" }
  }

  private static let missingCases = [
    Missing(
      configuration: #"CONFIG_CC_VERSION_TEXT="gcc-99 (GCC) 99.1.0""#, installed: [], hidden: ["gcc"],
      program: "gcc-99", packages: "gcc"),
    Missing(
      configuration: "\(clang)\nCONFIG_LD_IS_LLD=y", installed: [], hidden: ["clang", "clang-19"],
      program: "clang", packages: "clang llvm lld"),
    Missing(
      configuration: "\(clang)\nCONFIG_LD_IS_LLD=y", installed: ["clang"], hidden: ["ld.lld", "ld.lld-19"],
      program: "ld.lld", packages: "clang llvm lld"),
    Missing(
      configuration: #"CONFIG_CC_VERSION_TEXT="gcc (GCC) 14.2.1 20250207""#, installed: ["gcc"],
      hidden: ["make"], program: "make", packages: "make"),
  ]

  @Test("What is missing is named before anything is built, once a kernel", arguments: missingCases)
  func missingTool(_ missing: Missing) async throws {
    let machine = try await machine(missing.configuration, tools: missing.installed)
    try machine.addQuick("other")
    for name in ["quick", "other"] { try await machine.dkms("add \(name)/1.0").expect(0) }
    let before = machine.tree
    let hide = missing.hidden.map { "[ ! -e /usr/bin/\($0) ] || mount --bind /dev/null /usr/bin/\($0); " }
    for (words, status) in [("build quick/1.0", 10), ("autoinstall", 11)] {
      let run = try await machine.shell(
        "\(hide.joined())exec dkms \(words) -k 1.2.3", environment: ["PATH": Self.path])
      #expect(run.status == Int32(status), "\(run)")
      let error =
        "==> ERROR: building modules for kernel 1.2.3 needs \(missing.program), which is not installed\n"
      #expect(run.errorOutput.ranges(of: error).count == 1, "\(run)")
      #expect(run.errorOutput.contains("     pacman -S \(missing.packages)\n"), "\(run)")
      #expect(machine.tree == before)
    }
  }

  @Test("What clang has built is stripped by llvm-strip or not at all", arguments: [true, false])
  func strip(_ isThere: Bool) async throws {
    let machine = try await machine("\(Self.clang)\nCONFIG_LD_IS_LLD=y", tools: ["clang", "ld.lld"])
    try machine.change("src/quick-1.0/dkms.conf") { lines in lines.filter { $0 != "STRIP[0]=no" } }
    for tool in ["strip"] + (isThere ? ["llvm-strip"] : []) {
      try machine.addScript("echo \(tool) >> /usr/src/stripped", at: "src/bin/\(tool)")
    }
    let run = try await machine.shell(
      """
      for program in /usr/bin/llvm-strip*; do [ ! -e "$program" ] || mount --bind /dev/null "$program"; done
      exec dkms build quick/1.0 -k 1.2.3
      """, environment: ["PATH": Self.path])
    #expect(run.status == 0, "\(run)")
    #expect(machine.exists("src/stripped") == isThere)
    if isThere {
      #expect(try machine.text("src/stripped") == "llvm-strip\n" && run.errorOutput.isEmpty, "\(run)")
    }
    #expect(RemedyTests.commands(in: run.errorOutput) == (isThere ? [] : ["pacman -S llvm"]), "\(run)")
  }

  @Test("A build that takes no compiler can be had by force")
  func forced() async throws {
    let machine = try await machine(#"CONFIG_CC_VERSION_TEXT="gcc-99 (GCC) 99.1.0""#)
    let run = try await machine.shell(
      "mount --bind /dev/null /usr/bin/gcc; exec dkms build quick/1.0 -k 1.2.3 --force",
      environment: ["PATH": Self.path])
    #expect(run.status == 0, "\(run)")
  }

  // MARK: build_environment

  @Test(
    "What build_environment exports reaches the build and its scripts, stronger than the kernel's compiler")
  func buildEnvironment() async throws {
    let script = #"echo "script $CC $ADDED $kernelver" >> quick.ko"#
    let machine = try await machine(
      "\(Self.clang)\nCONFIG_LD_IS_LLD=y", tools: ["clang", "ld.lld"],
      conf: "MAKE[0]=\"make\"\nPRE_BUILD=script.sh")
    try machine.addScript(script, at: "src/quick-1.0/script.sh")
    try machine.write(
      "build_environment='/etc/dkms/for-${kernelver}'\n", to: "etc/framework.conf.d/environment.conf")
    try machine.write(
      """
      echo said aloud
      export CC="ccache $CC" ADDED="two  words of $kernelver"
      local_only=1
      [[ -n $local_only ]] && false

      """, to: "etc/for-1.2.3")
    try await build(machine).expect(0)
    #expect(
      try told(machine) == ["script ccache clang two words of 1.2.3 1.2.3", "all ccache clang ld.lld 1"])
  }

  @Test("A compiler may be where only build_environment leads")
  func buildEnvironmentPath() async throws {
    let machine = try await machine(#"CONFIG_CC_VERSION_TEXT="gcc-99 (GCC) 99.1.0""#)
    try machine.addScript("echo 99", at: "src/cross/gcc-99")
    try machine.write(
      "build_environment=/etc/dkms/environment\n", to: "etc/framework.conf.d/environment.conf")
    try machine.write("export PATH=/usr/src/cross:$PATH\n", to: "etc/environment")
    let run = try await machine.shell(
      "mount --bind /dev/null /usr/bin/gcc; exec dkms build quick/1.0 -k 1.2.3",
      environment: ["PATH": Self.path])
    #expect(run.status == 0 && run.errorOutput.isEmpty, "\(run)")
    #expect(try told(machine) == ["all gcc-99 ld"])
  }

  @Test(
    "A build_environment that cannot be had is named",
    arguments: [
      (text: nil, says: "no such file"), (text: "if true\n", says: "syntax error"),
      (text: "exit 3\n", says: "status 3"),
    ])
  func badBuildEnvironment(_ text: String?, _ says: String) async throws {
    let machine = try await machine("CONFIG_MODULES=y")
    try machine.write(
      "build_environment=/etc/dkms/environment\n", to: "etc/framework.conf.d/environment.conf")
    if let text { try machine.write(text, to: "etc/environment") }
    try await build(machine).expect(8, says: ["/etc/dkms/environment cannot be read: ", says])
    #expect(!machine.exists("var/quick/1.0/1.2.3"))
  }
}
