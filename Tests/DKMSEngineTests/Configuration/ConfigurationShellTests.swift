// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import SystemPackage
import TestSupport
import Testing

@testable import DKMSEngine

/// A dkms.conf is a bash program.
@Suite(.timeLimit(.minutes(60))) struct ConfigurationShellTests {
  private let machine: TemporaryMachine

  init() throws { machine = try TemporaryMachine() }

  @Test func whatAConfMayReferTo() async throws {
    let id = try module("hello", "1.0")
    let conf =
      TemporaryMachine.plain + """
        POST_ADD="$kernelver $arch $kernel_source_dir $kernel_config"
        POST_BUILD="$dkms_tree $source_tree $install_tree $module $module_version"
        """
    let scripts = try await machine.read(conf, of: id).scripts
    let (layout, headers) = (machine.layout, "\(machine.layout.installTree)/6.1.5-x/build")
    #expect(scripts[.postAdd] == "6.1.5-x x86_64 \(headers) \(headers)/.config")
    #expect(
      scripts[.postBuild]
        == "\(layout.dkmsTree) \(layout.sourceTree) \(layout.installTree) hello 1.0")
  }

  @Test func generatedKernelConfigurationGoesFirst() async throws {
    try machine.directory.write("", to: "lib/modules/6.1.5-x/build/.config")
    try machine.directory.write("", to: "lib/modules/6.1.5-x/build/include/config/auto.conf")
    let scripts = try await machine.read(adding: "POST_ADD=$kernel_config").scripts
    #expect(
      scripts[.postAdd] == "\(machine.layout.installTree)/6.1.5-x/build/include/config/auto.conf")
  }

  /// What modules document to be set, as in `sudo env FOO=7 dkms install`.
  @Test(arguments: ["POST_ADD=\"$FOO\"", "POST_ADD=\"$(echo $FOO)\"", "POST_ADD=$FOO"])
  func callersEnvironmentIsSeen(_ line: String) async throws {
    var machine = machine
    machine.environment["FOO"] = "7"
    #expect(try await machine.read(adding: line).scripts[.postAdd] == "7")
  }

  @Test(arguments: ["SHLVL", "PWD", "_", "RANDOM", "PPID"])
  func variablesOfBashAreItsOwn(_ name: String) async throws {
    var machine = machine
    machine.environment[name] = "foreign"
    let script = try await machine.read(adding: "POST_ADD=\"x$\(name)\"").scripts[.postAdd]
    #expect(script != "xforeign")
  }

  @Test func settingsAndCodeOfTheCallerAreNotSeen() async throws {
    var machine = machine
    for name in [
      "PACKAGE_NAME", "PACKAGE_VERSION", "POST_ADD", "MAKE", "kernelver", "STRIP", "CC", "LD_PRELOAD", "ENV",
      "parallel_jobs", "source_tree", "tmp_location",
    ] {
      machine.environment[name] = "foreign"
    }
    machine.environment["BASH_ENV"] = "/dev/null/nonexistent"
    machine.environment["SHELLOPTS"] = "noexec"
    machine.environment["BASH_FUNC_echo%%"] = "() { printf foreign; }"
    let seen = try await machine.read(
      adding: "PRE_INSTALL=\"x$CC$LD_PRELOAD$ENV$tmp_location $parallel_jobs $source_tree\"")
    #expect(seen.scripts[.preInstall] == "x 2 \(machine.layout.sourceTree)")
    let conf = "DEST_MODULE_LOCATION=/extra\nBUILT_MODULE_NAME=hello\n"
    #expect(try await machine.problems(of: conf).count == 2)
    let configuration = try await machine.read(adding: "POST_BUILD=\"$(echo \"$kernelver\") ${HOME}\"")
    #expect(configuration.scripts == [.postBuild: "6.1.5-x /root"])
    #expect(configuration.makeCommand.hasPrefix("make -C "))
    #expect(configuration.modules.map(\.isStripped) == [true])
  }

  @Test func whatAConfPrintsIsNoValue() async throws {
    let configuration = try await machine.read(
      """
      printf 'PACKAGE_NAME\\0000\\0foreign\\0end\\0'
      echo loud >&2
      \(TemporaryMachine.plain)
      echo end
      printf 'end\\0'
      """)
    #expect(configuration.id.name == "hello")
    #expect(machine.transcript.output.isEmpty)
    #expect(machine.transcript.error == ["loud"])
  }

  /// Bash saves its output under the first number that is free, which is 10.
  @Test(arguments: [
    "echo noise >&10", #"printf 'x\0y' >&10"#, #"printf 'PACKAGE_NAME\0000\0evil\0' >&10"#,
    #"printf '\0end\0\0' >&10"#, #"head -c 100000 /dev/zero >&10"#,
    #"trap "printf 'PACKAGE_NAME\0000\0evil\0' >&10" EXIT"#,
  ])
  func whatAConfWritesToTheSavedDescriptorIsNoValue(_ line: String) async throws {
    let configuration = try await machine.read(adding: "\(line)\nPOST_ADD=add.sh")
    #expect(configuration.id == (try module("hello", "1.0")))
    #expect(configuration.scripts == [.postAdd: "add.sh"])
  }

  /// What real files do in the function that the reference reads them in.
  @Test func filesAreReadInAFunction() async throws {
    var machine = machine
    machine.environment["FOO"] = "7"
    let configuration = try await machine.read(
      adding: #"""
        declare -A module
        local a=LOCAL
        b=$(override_dest_module_location /extra)
        POST_INSTALL="show.sh a=$a b=$b j=$parallel_jobs e=$FOO m=${#module[@]}"
        case $kernelver in +([0-9]).*) AUTOINSTALL=yes;; esac
        declare -a BUILD_DEPENDS=(one)
        """#)
    #expect(configuration.scripts[.postInstall] == "show.sh a=LOCAL b=/updates/dkms j=2 e=7 m=0")
    #expect(configuration.autoinstall)
    #expect(configuration.buildDepends == ["one"])
    machine.options.jobs = 0
    #expect(
      try await machine.read(adding: "POST_ADD=\"x$parallel_jobs\"").scripts[.postAdd] == "x")
    machine.options.jobs = 5
    #expect(
      try await machine.read(adding: "POST_ADD=\"x$parallel_jobs\"").scripts[.postAdd] == "x5")
  }

  /// Each of these leaves a variable empty, and bash goes on to success.
  @Test(arguments: [
    "PATCH=(a.patch (b.patch))", "PATCH[0]=`echo (`", "PATCH[0]=$(echo `(`)", "[[ x == ]]\nPATCH[0]=a.patch",
    "PATCH=(a.patch (b.patch))\r",
  ])
  func syntaxErrorThatBashPassesOverIsAnError(_ lines: String) async throws {
    let error = await #expect(throws: DKMSError.self) {
      try await machine.read(adding: "\(lines)\nPOST_ADD=more.sh")
    }
    guard case .configurationMalformed(let path, let detail)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(path.hasSuffix("tested/dkms.conf"))
    #expect(detail.hasPrefix("line "), "\(detail)")
  }

  /// Versions are compared so, and what is no number counts as less.
  @Test func arithmeticThatGoesWrongIsShown() async throws {
    let configuration = try await machine.read(adding: "[[ 5.4 -gt 3 ]] || POST_ADD=old.sh")
    #expect(configuration.scripts[.postAdd] == "old.sh")
    #expect(machine.transcript.error.contains { $0.contains("5.4") })
  }

  @Test func conditionsLoopsAndFunctions() async throws {
    let conf = """
      PACKAGE_NAME=hello
      PACKAGE_VERSION=`echo 1.0`
      version_of() { local IFS=.; set -- $1; echo "$1$2"; }
      if [ "$(version_of "$kernelver")" -ge 62 ]; then suffix=new; else suffix=old; fi
      case $arch in x86*) flavour=pc ;; *) flavour=other ;; esac
      index=0
      for name in one two three; do
        BUILT_MODULE_NAME[$index]=$name
        BUILT_MODULE_LOCATION[index]=drivers/$suffix
        DEST_MODULE_LOCATION[index++]=/kernel/$flavour
      done
      [[ $kernelver =~ ^6\\.([0-9]+) ]] && POST_ADD="minor ${BASH_REMATCH[1]}"
      [ -e /nonexistent ] && POST_BUILD=never
      """
    let configuration = try await machine.read(conf)
    #expect(configuration.modules.map(\.builtPath) == ["one", "two", "three"].map { "drivers/old/\($0).ko" })
    #expect(configuration.modules.map(\.destinationLocation) == ["/kernel/pc", "/kernel/pc", "/kernel/pc"])
    #expect(configuration.scripts == [.postAdd: "minor 1"])
    let newer = try await machine.read(conf, for: "6.10.1")
    #expect(newer.modules.first?.builtLocation == "drivers/new")
  }

  @Test func arraysAtOnceAndByAppending() async throws {
    let configuration = try await machine.read(
      adding: """
        PATCH=(a.patch b.patch)
        PATCH+=(c.patch)
        declare -a BUILD_DEPENDS=([2]=base [0]=other)
        """)
    #expect(configuration.patches == ["a.patch", "b.patch", "c.patch"])
    #expect(configuration.buildDepends == ["other", "base"])
  }

  @Test func otherFilesAreSourced() async throws {
    try machine.directory.write("CONFIG_FEATURE=y\n", to: "lib/modules/6.1.5-x/build/.config")
    try machine.directory.write("POST_BUILD=beside.sh\n", to: "src/tested/more.conf")
    let configuration = try await machine.read(
      adding: """
        . "$kernel_source_dir/.config"
        [ "$CONFIG_FEATURE" = y ] && POST_ADD=feature.sh
        source "$(dirname "${BASH_SOURCE[0]}")/more.conf"
        """)
    #expect(configuration.scripts == [.postAdd: "feature.sh", .postBuild: "beside.sh"])
  }

  @Test func shellOptionsOfAConfDoNoHarm() async throws {
    let configuration = try await machine.read(
      "set -u\nset -f\nIFS=,\nshopt -s nullglob\n" + TemporaryMachine.plain
        + "PATCH=(a.patch)\nMAKE=\"make one two\"\n")
    #expect(configuration.patches == ["a.patch"])
    #expect(configuration.makeCommand == "make one two")
  }

  @Test func returnEndsOnlyTheConf() async throws {
    let configuration = try await machine.read(adding: "POST_ADD=early.sh\nreturn 1\nPOST_ADD=late.sh")
    #expect(configuration.scripts == [.postAdd: "early.sh"])
  }

  @Test func standardInputIsEmpty() async throws {
    let configuration = try await machine.read(adding: "POST_ADD=\"x$(cat)\"")
    #expect(configuration.scripts == [.postAdd: "x"])
  }

  // MARK: Failures

  private func failure(_ lines: String) async throws -> DKMSError {
    try await #require(throws: DKMSError.self) { _ = try await machine.read(adding: lines) }
  }

  private var path: String { "\(machine.layout.sourceTree)/tested/dkms.conf" }

  @Test(arguments: ["exit 0", "exit 3", "exit 10", "kill $$", "exec true"])
  func confThatEndsTheShellIsUnreadable(_ line: String) async throws {
    let error = try await failure(line)
    guard case .configurationUnreadable(path, let detail) = error else { throw error }
    #expect(detail.contains("status"))
  }

  @Test(arguments: ["if true; then", "MAKE=\"unfinished", "fi", "case x in", "x=(1 2", "foo() {"])
  func syntaxErrorIsToldWithItsLine(_ line: String) async throws {
    let error = try await failure(line)
    guard case .configurationMalformed(path, let detail) = error else { throw error }
    #expect(detail.contains("line "))
    #expect(error.exitStatus.rawValue == 10)
  }

  @Test func syntaxErrorOfAnOverrideIsAnError() async throws {
    try machine.directory.write("if true; then\n", to: "etc/hello.conf")
    let error = try await #require(throws: DKMSError.self) {
      _ = try await machine.read(TemporaryMachine.plain, of: try module("hello", "1.0"))
    }
    #expect(error.description.contains("etc/hello.conf"))
  }

  @Test func failureOfTheLastCommandIsNoSyntaxError() async throws {
    let configuration = try await machine.read(
      adding: "shopt -s extglob\n[[ $kernelver == @(5.*) ]] && POST_ADD=never.sh")
    #expect(configuration.scripts.isEmpty)
    #expect(
      try await machine.read(adding: "POST_ADD=add.sh\ngrep x /nonexistent").scripts == [.postAdd: "add.sh"])
  }

  @Test func confThatDoesNotEndIsUnreadable() async throws {
    let file = try machine.directory.write("A=1\nsleep 300\nA=2\n", to: "hanging.conf")
    let evaluator = BashEvaluator(host: machine.host, timeLimit: .milliseconds(500))
    let error = try await #require(throws: DKMSError.self) {
      _ = try await evaluator.evaluate([file], reading: ["A"], environment: [:])
    }
    guard case .configurationUnreadable(file.string, let detail) = error else { throw error }
    #expect(detail.contains("did not finish"))
  }

  @Test func missingConfIsAnError() async throws {
    let source = machine.layout.sourceTree.appending("nothing")
    let kernel = try machine.kernel("6.1.5-x")
    await #expect(throws: DKMSError.configurationMissing(path: "\(source)/dkms.conf")) {
      _ = try await machine.configuration(in: source, for: kernel)
    }
  }
}
