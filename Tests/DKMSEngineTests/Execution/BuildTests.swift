// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import SystemPackage
import TestSupport
import Testing

@testable import DKMSEngine

/// Builds whose "compiler" is a copy, so that they run anywhere.
@Suite(.timeLimit(.minutes(60))) struct BuildTests {
  private let machine: TemporaryMachine
  private let id: ModuleID
  private let kernel: Kernel

  init() throws { (machine, id, kernel) = try TemporaryMachine.withKernel() }

  @Test func addedModule() async throws {
    let source = try machine.addTextModule(id)
    #expect(try await machine.add(id).failures.isEmpty)
    #expect(
      machine.dkmsListing == ["hello/", "hello/1.0/", "hello/1.0/build/", "hello/1.0/source -> \(source)"])
  }

  @Test func builtModule() async throws {
    let source = try machine.addTextModule(
      id, conf: "MAKE[0]='cp text hello.ko; echo symbol > Module.symvers'\n")
    #expect(try await machine.build(id, kernel).failures.isEmpty)
    #expect(
      machine.dkmsListing == [
        "hello/", "hello/1.0/", "hello/1.0/6.1.0/", "hello/1.0/6.1.0/x86_64/", "hello/1.0/6.1.0/x86_64/log/",
        "hello/1.0/6.1.0/x86_64/log/make.log", "hello/1.0/6.1.0/x86_64/module/",
        "hello/1.0/6.1.0/x86_64/module/Module.symvers", "hello/1.0/6.1.0/x86_64/module/hello.ko",
        "hello/1.0/source -> \(source)",
      ])
    #expect(Disk.text(machine.product("Module.symvers", id, kernel)) == "symbol")
    #expect(machine.listing(of: kernel).isEmpty)
    #expect(TemporaryDirectory.listing(of: source) == ["dkms.conf", "text"])
  }

  @Test func builtModulesAreRenamedOnTheirWay() async throws {
    try machine.addTextModule(
      id,
      conf: """
        BUILT_MODULE_LOCATION[0]=out/
        DEST_MODULE_NAME[0]=renamed
        BUILT_MODULE_NAME[1]=second
        DEST_MODULE_LOCATION[1]=/extra
        MAKE[0]="mkdir out && cp text out/hello.ko && echo other > second.ko"
        """)
    #expect(try await machine.build(id, kernel).failures.isEmpty)
    #expect(Disk.list(machine.layout.productModules(id, kernel)) == ["renamed.ko", "second.ko"])
    #expect(Disk.text(machine.product("renamed.ko", id, kernel)) == "text")
    #expect(Disk.text(machine.product("second.ko", id, kernel)) == "other")
  }

  @Test func makeIsToldTheKernelAndShareItsJobs() async throws {
    try machine.addTextModule(
      id, conf: "MAKE[0]=\"make FLAG=1\"\n",
      files: ["Makefile": "all:\n\t@echo 'K=$(KERNELRELEASE) F=$(FLAG) $(MAKEFLAGS)' > hello.ko\n"])
    #expect(try await machine.build(id, kernel).failures.isEmpty)
    let text = try #require(Disk.text(machine.product("hello.ko", id, kernel)))
    #expect(text.hasPrefix("K=6.1.0 F=1 "))
    #expect(text.contains("--jobserver-auth"))
    // For Makefiles that pass all of it on as arguments.
    #expect(text.split(separator: " ").contains("-j2"))
    #expect(machine.makeLog(id, kernel)?.contains("warning") == false)
  }

  @Test(arguments: [" make", "\\tmake", "\\nmake"])
  func makeBehindABlankIsLeftAlone(_ command: String) async throws {
    try machine.addTextModule(
      id, conf: "MAKE[0]=$'\(command)'\n",
      files: ["Makefile": "all:\n\t@echo 'K=$(KERNELRELEASE)' > hello.ko\n"])
    #expect(try await machine.build(id, kernel).failures.isEmpty)
    #expect(Disk.text(machine.product("hello.ko", id, kernel)) == "K=")
  }

  @Test(arguments: [
    ("make CC=\"gcc\" M=\"/a/b\"", "make CC=gcc M=/a/b"), ("make", "make"),
    ("make V=\"1 2\"", "make V=\"1 2\""),
    ("make A=\"x\" B=\"\"", "make A=\"x\" B=\"\""), ("echo \"$(x)\"", "echo \"$(x)\""),
    ("echo \"", "echo \""),
    ("make 'V=\"x\"'", "make 'V=x'"),
  ])
  func quotesThatChangeNothingGo(_ command: String, _ plain: String) {
    #expect(ModuleBuild.withoutIdleQuotes(command) == plain)
  }

  @Test func buildsInTheSourceGoOneAfterAnother() async throws {
    let other = try machine.addKernel("6.2.0")
    // From PRE_BUILD to POST_INSTALL: whoever comes between finds the mark.
    let enter = "#!/bin/sh\nmkdir '\(machine.layout.source(id))/busy' || exit 1\nsleep 0.3\n"
    let leave = "#!/bin/sh\nrmdir '\(machine.layout.source(id))/busy'\n"
    for conf in ["MAKE[0]=\"cp $source_tree/hello-1.0/text hello.ko\"\n", "MAKE[0]='cp text hello.ko'\n"] {
      try machine.addTextModule(
        id, conf: "PRE_BUILD=enter.sh\nPOST_INSTALL=leave.sh\n\(conf)",
        files: ["enter.sh": enter, "leave.sh": leave])
      let report = try await machine.install(id, kernel, other)
      #expect(report.failures.isEmpty && report.warnings.isEmpty, "\(report.failures)")
      #expect(try await machine.remove(id, kernel, other).failures.isEmpty)
    }
  }

  @Test func makeHasNoLimitWhereNoneIsAsked() async throws {
    var machine = machine
    machine.options.jobs = 0
    try machine.addTextModule(
      id, conf: "MAKE[0]=\"make\"\n", files: ["Makefile": "all:\n\t@echo '$(MAKEFLAGS)' > hello.ko\n"])
    #expect(try await machine.build(id, kernel).failures.isEmpty)
    let flags = Disk.text(machine.product("hello.ko", id, kernel))?.split(separator: " ")
    #expect(flags?.contains("-j") == true)
    #expect(flags?.contains { $0.hasPrefix("--jobserver") } == false)
  }

  @Test func compilerSettingsOfTheCallerAreNotSeen() async throws {
    var machine = machine
    for name in ["CC", "CXX", "CFLAGS", "CXXFLAGS", "LDFLAGS", "MAKELEVEL"] {
      machine.environment[name] = "foreign"
    }
    machine.environment["TMPDIR"] = "/tmp/kept"
    try machine.addTextModule(
      id, conf: "MAKE[0]='sh environment.sh'\n",
      files: ["environment.sh": #"echo "$CC$CXX$CFLAGS$CXXFLAGS$LDFLAGS$MAKELEVEL|$TMPDIR" > hello.ko"#])
    #expect(try await machine.build(id, kernel).failures.isEmpty)
    #expect(Disk.text(machine.product("hello.ko", id, kernel)) == "|/tmp/kept")
  }

  // MARK: Log

  @Test func logOfABuild() async throws {
    try machine.addTextModule(
      id, conf: "PRE_BUILD=\"pre.sh x\"\nMAKE[0]=\"echo compiling; cp text hello.ko\"\n",
      files: ["pre.sh": "#!/bin/sh\necho configuring\necho aside >&2\n"])
    #expect(try await machine.build(id, kernel).failures.isEmpty)
    let log = try #require(machine.makeLog(id, kernel))
    let directory = machine.layout.build(id)
    let lines = log.split(separator: "\n").map(String.init)
    #expect(lines[0].contains("make.log for hello/1.0 for kernel 6.1.0 (x86_64)"))
    #expect(lines[1].contains("2023"))
    let marks = lines.dropFirst(2).filter {
      $0.hasPrefix("#") || ["configuring", "aside", "compiling"].contains($0)
    }
    #expect(
      marks == [
        "# command: cd \(directory)/ && \(directory)/pre.sh x", "configuring", "aside", "# exit code: 0",
        "# elapsed time: 00:00:00",
        "# command: echo compiling; cp text hello.ko", "compiling", "# exit code: 0",
        "# elapsed time: 00:00:00",
      ])
  }

  // MARK: Failures

  private func failure(_ report: Report) throws -> DKMSError {
    try #require(report.failures.count == 1 ? report.failures[0] : nil)
  }

  private var failureLog: FilePath {
    machine.layout.build(id).appending("6.1.0-x86_64").appending("make.log")
  }

  @Test func failedBuildKeepsItsLog() async throws {
    try machine.addTextModule(
      id, conf: "MAKE[0]='sh fail.sh'\n",
      files: ["fail.sh": "echo first; echo 'hello.c:7:1: error: no such thing'; exit 3\n"])
    let report = try await machine.build(id, kernel)
    guard case .buildFailed(id, kernel, let firstError, let log) = try failure(report) else {
      throw try failure(report)
    }
    #expect(firstError == "hello.c:7:1: error: no such thing")
    #expect(log == failureLog.string)
    let text = try #require(Disk.text(failureLog))
    #expect(text.contains("\nfirst\n") && text.contains("# exit code: 3"))
    #expect(Disk.text(machine.layout.build(id).appending("make.log")) == text)
    #expect(machine.state[id]?.builds == [])
    #expect(Disk.kind(machine.layout.products(id, kernel.release)) == nil)
  }

  @Test func failureOfDamagedHeadersIsTheirs() async throws {
    let headers = machine.layout.installTree.appending("6.1.0/build")
    try machine.directory.write("", to: "lib/modules/6.1.0/build/Makefile")
    try machine.directory.write("linux\n", to: "lib/modules/6.1.0/pkgbase")
    try machine.addTextModule(id, conf: "MAKE[0]='false'\n")
    let error = try failure(try await machine.build(id, kernel))
    #expect(
      error
        == .headersDamaged(
          id, kernel, problem: "\(headers)/include/generated/autoconf.h is missing", package: "linux-headers",
          log: failureLog.string))
    #expect(error.exitStatus == .buildFailed && error.remedy?.hasSuffix(": pacman -S linux-headers") == true)
    try machine.addTextModule(id)
    #expect(try await machine.build(id, kernel).failures.isEmpty, "a build may do without")
  }

  @Test func firstErrorIsToldRelativeToTheSource() async throws {
    try machine.addTextModule(
      id, conf: "MAKE[0]='sh fail.sh'\n",
      files: ["fail.sh": "echo \"$PWD/sub/hello.c:7:1: error: no such thing\"; exit 2\n"])
    let report = try await machine.build(id, kernel)
    guard case .buildFailed(_, _, let firstError, _) = try failure(report) else { throw try failure(report) }
    #expect(firstError == "sub/hello.c:7:1: error: no such thing")
  }

  @Test(arguments: [
    (
      "hello.c:1:2: warning: odd\nhello.c:3:4: error: bad\nmake: *** [all] Error 1", "hello.c:3:4: error: bad"
    ),
    (
      "hello.c:1:10: fatal error: linux/x.h: No such file or directory\ncompilation terminated.",
      "hello.c:1:10: fatal error: linux/x.h: No such file or directory"
    ),
    ("ERROR: modpost: \"x\" undefined!\nmake: *** [all] Error 1", "ERROR: modpost: \"x\" undefined!"),
    ("make: *** No rule to make target 'x'.  Stop.", "make: *** No rule to make target 'x'.  Stop."),
    ("sh: 1: frobnicate: command not found", "sh: 1: frobnicate: command not found"),
    ("nothing in particular", "nothing in particular"),
  ])
  func firstErrorOfALog(_ output: String, _ expected: String?) async throws {
    try machine.addTextModule(id, conf: "MAKE[0]=\"cat output; false\"\n", files: ["output": output + "\n"])
    let report = try await machine.build(id, kernel)
    guard case .buildFailed(_, _, let firstError, _) = try failure(report) else { throw try failure(report) }
    #expect(firstError == expected)
  }

  @Test func commandItselfIsNoError() async throws {
    try machine.addTextModule(
      id, conf: "MAKE[0]=\"sh fail.sh || { echo error: no luck >/dev/null; exit 1; }\"\n",
      files: ["fail.sh": "echo 'hello.c:7:1: error: no such thing'; exit 3\n"])
    let report = try await machine.build(id, kernel)
    guard case .buildFailed(_, _, let firstError, _) = try failure(report) else { throw try failure(report) }
    #expect(firstError == "hello.c:7:1: error: no such thing")
  }

  @Test func logOfAFailureGoesWithTheNextSuccess() async throws {
    try machine.addTextModule(id, conf: "MAKE[0]=false\n")
    #expect(try await machine.build(id, kernel).failures.count == 1)
    #expect(Disk.isFile(failureLog))
    try machine.addTextModule(id)
    #expect(try await machine.build(id, kernel).failures.isEmpty)
    #expect(Disk.kind(machine.layout.build(id)) == nil)
  }

  @Test func logsOfFailuresForSeveralKernels() async throws {
    let other = try machine.addKernel("6.2.0")
    try machine.addTextModule(id, conf: "MAKE[0]=\"echo for $kernelver; false\"\n")
    let report = try await machine.build(id, kernel, other)
    #expect(report.failures.count == 2)
    for (error, kernel) in zip(report.failures, [kernel, other]) {
      guard case .buildFailed(_, kernel, _, let log) = error else { throw error }
      #expect(Disk.text(FilePath(log))?.contains("\nfor \(kernel.release)\n") == true)
    }
  }

  @Test(arguments: [("6.1.0", "6.2.0"), ("6.2.0", "6.1.0")])
  func logOfAFailureStaysWhicheverKernelsBuildEndsLast(first: String, last: String) async throws {
    let other = try machine.addKernel("6.2.0")
    let begun = machine.directory.path.appending("begun")
    // The build for 6.2.0 fails. The last one goes on when nothing is left of the first one's work.
    try machine.addTextModule(
      id, conf: "MAKE[0]=\"sh build.sh $kernelver $dkms_tree/hello/1.0\"\n",
      files: [
        "build.sh": """
        if [ "$1" = \(first) ]; then
          : > '\(begun)'
        else
          until [ -e '\(begun)' ] && [ ! -e "$2/\(first)/.tmp_x86_64_build" ]; do sleep 0.05; done
        fi
        echo for "$1"
        [ "$1" = 6.1.0 ] && cp text hello.ko
        """
      ])
    #expect(try await machine.build(id, kernel, other).failures.map(\.exitStatus) == [.buildFailed])
    let log = try #require(Disk.text(machine.layout.failureLog(id, other)))
    #expect(log.contains("\nfor 6.2.0\n"))
    #expect(Disk.list(machine.layout.build(id)) == ["6.2.0-x86_64", "make.log"])
    #expect(Disk.text(machine.layout.build(id).appending("make.log")) == log)
  }

  @Test func lastLogIsOfAFailureThatIsNotMended() async throws {
    let other = try machine.addKernel("6.2.0")
    try machine.addTextModule(id, conf: "MAKE[0]=false\n")
    for kernel in [other, kernel] {
      #expect(try await machine.build(id, kernel).failures.count == 1)
    }
    let last = machine.layout.build(id).appending("make.log")
    #expect(Disk.text(last)?.contains("for kernel 6.1.0 ") == true)
    try machine.addTextModule(id)
    #expect(try await machine.build(id, kernel).failures.isEmpty)
    #expect(Disk.text(last)?.contains("for kernel 6.2.0 ") == true)
    #expect(try await machine.build(id, other).failures.isEmpty)
    #expect(Disk.kind(machine.layout.build(id)) == nil)
  }

  @Test func buildMayUseTheDescriptorsThatScriptsUse() async throws {
    try machine.addTextModule(
      id, conf: "MAKE[0]='exec 3>notes 4</dev/null 9<&3; make && cp text hello.ko'\n",
      files: ["Makefile": "all: a b c\na b c:\n\t@echo $@\n"])
    #expect(try await machine.build(id, kernel).failures == [])
  }

  @Test func buildThatMakesNoModule() async throws {
    // As a conf does that goes on after make has failed.
    try machine.addTextModule(
      id, conf: "BUILT_MODULE_LOCATION[0]=sub\nMAKE[0]='echo a.c:1: error: no b; true'\n")
    let error = try failure(try await machine.build(id, kernel))
    #expect(
      error
        == .moduleNotProduced(
          id, kernel, file: "sub/hello.ko", firstError: "a.c:1: error: no b", log: failureLog.string))
    #expect(error.exitStatus.rawValue == 7)
    #expect(Disk.isFile(failureLog))
    #expect(machine.state[id]?.builds == [])
  }

  @Test func sourceWithNothingButItsConf() async throws {
    let source = try machine.addTextModule(id)
    try Files.remove(source.appending("text"))
    let error = try failure(try await machine.build(id, kernel))
    #expect(error.exitStatus == .badConfiguration)
    guard case .sourceEmpty(id, _) = error else { throw error }
  }

  @Test func failedRebuildLeavesWhatWasBuilt() async throws {
    try machine.addTextModule(id)
    #expect(try await machine.install(id, kernel).failures.isEmpty)
    for conf in ["MAKE[0]=\"rm text; echo bad > hello.ko; false\"\n", "MAKE[0]=\"rm hello.ko\"\n"] {
      try machine.addTextModule(id, text: "new", conf: conf)
      #expect(try await machine.forced.build(id, kernel).failures.count == 1)
      #expect(Disk.text(machine.product("hello.ko", id, kernel)) == "text")
      #expect(machine.installed("hello.ko", kernel) == "text")
      #expect(machine.state[id]?.build(for: kernel)?.isInstalled == true)
    }
  }

  // MARK: Rebuilding

  @Test func oldBuildStandsUntilTheNewOneDoes() async throws {
    let copy = "cat text $dkms_tree/hello/1.0/$kernelver/$arch/module/hello.ko > hello.ko"
    try machine.addTextModule(id, text: "old")
    #expect(try await machine.build(id, kernel).failures.isEmpty)
    try machine.addTextModule(id, text: "new over ", conf: "MAKE[0]=\"\(copy)\"\n")
    #expect(try await machine.forced.build(id, kernel).failures.isEmpty)
    #expect(Disk.text(machine.product("hello.ko", id, kernel)) == "new over old")
    #expect(Disk.list(machine.layout.products(id, kernel.release)) == ["x86_64"])
  }

  @Test func rebuildHasNothingOfTheOldOne() async throws {
    try machine.addTextModule(
      id,
      conf: """
        BUILT_MODULE_NAME[1]=second
        DEST_MODULE_LOCATION[1]=/extra
        MAKE[0]="cp text hello.ko; cp text second.ko; touch Module.symvers"
        """)
    #expect(try await machine.build(id, kernel).failures.isEmpty)
    try machine.addTextModule(id)
    #expect(try await machine.forced.build(id, kernel).failures.isEmpty)
    #expect(Disk.list(machine.layout.productModules(id, kernel)) == ["hello.ko"])
  }

  @Test func leftoversOfAKilledBuildAreCleared() async throws {
    try machine.addTextModule(id)
    #expect(try await machine.add(id).failures.isEmpty)
    for purpose in ["build", "product", "removed"] {
      try machine.directory.write("stale", to: "dkms/hello/1.0/6.1.0/.tmp_x86_64_\(purpose)/hello.ko")
    }
    try machine.directory.write("stale", to: "dkms/hello/.tmp_1.0_removed/source")
    try machine.directory.write("stale", to: "dkms/hello/1.0/build/half")
    try Files.remove(machine.layout.build(id))
    try LeftoverSweeper(machine.layout).sweep()
    #expect(!machine.dkmsListing.contains { $0.contains(".tmp_") })
    #expect(try await machine.build(id, kernel).failures.isEmpty)
    #expect(Disk.text(machine.product("hello.ko", id, kernel)) == "text")
    #expect(!machine.dkmsListing.contains { $0.contains(".tmp_") })
  }

  @Test func sourceFilesWhoseNamesAreNotTextAreNoObstacle() async throws {
    try machine.addTextModule(
      id, conf: "MAKE[0]=\"sh make.sh\"\n",
      files: ["make.sh": #"cp text hello.ko; touch "$(printf 'caf\351')"; ls"#])
    #expect(try await machine.build(id, kernel).failures.isEmpty)
    #expect(machine.makeLog(id, kernel)?.contains("caf\u{FFFD}") == true)
    #expect(try await machine.forced.build(id, kernel).failures.isEmpty)
    #expect(Disk.list(machine.layout.products(id, kernel.release)) == ["x86_64"])
  }

  // MARK: Side by side

  @Test func buildsForTwoKernelsDoNotMeet() async throws {
    let other = try machine.addKernel("6.2.0")
    let meeting = machine.directory.path.appending("meeting")
    try Files.makeDirectories(meeting)
    // Each writes into the same file of the directory that it sees, then waits for the other one.
    try machine.addTextModule(
      id, conf: "MAKE[0]=\"sh meet.sh $kernelver $dkms_tree/hello/1.0/build\"\n",
      files: [
        "meet.sh": """
        cd "$2" || exit 1
        [ ! -e state ] || exit 2
        echo "$1" > state
        : > '\(meeting)'/"$1"
        for try in $(seq 6000); do
          if [ "$(ls '\(meeting)' | wc -l)" -eq 2 ]; then cp state hello.ko; exit 0; fi
          sleep 0.05
        done
        exit 3
        """
      ])
    #expect(try await machine.build(id, kernel, other).failures.isEmpty)
    #expect(Disk.text(machine.product("hello.ko", id, kernel)) == "6.1.0")
    #expect(Disk.text(machine.product("hello.ko", id, other)) == "6.2.0")
    #expect(Disk.kind(machine.layout.build(id)) == nil)
  }
}
