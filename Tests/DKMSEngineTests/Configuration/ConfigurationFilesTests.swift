// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Glibc
import Host
import SystemPackage
import TestSupport
import Testing

@testable import DKMSEngine

/// What kinds of files a configuration may be made of, and when bash is asked.
@Suite(.timeLimit(.minutes(60))) struct ConfigurationFilesTests {
  private let machine: TemporaryMachine
  private var path: String { "\(machine.layout.sourceTree)/tested/dkms.conf" }

  init() throws { machine = try TemporaryMachine() }

  private var shells: Int { machine.launcher.commands("bash").count }

  private func failure(of conf: String, _ id: ModuleID? = nil) async throws -> DKMSError {
    try await #require(throws: DKMSError.self) { _ = try await machine.read(conf, of: id) }
  }

  // MARK: Processes

  @Test func plainFilesStartNoProcess() async throws {
    try machine.directory.write("POST_ADD=\"$POST_ADD --more\"\n", to: "etc/hello.conf")
    try machine.directory.write("parallel_jobs=3\n", to: "etc/framework.conf")
    let configuration = try await machine.read(
      TemporaryMachine.plain + "POST_ADD=add.sh\nMAKE='make -C $kernel_source_dir'\n",
      of: try module("hello", "1.0"))
    #expect(configuration.scripts == [.postAdd: "add.sh --more"])
    #expect(configuration.makeCommand == "make -C \(machine.layout.installTree)/6.1.5-x/build")
    #expect(try await Framework.read(over: machine.layout, host: machine.host).options.jobs == 3)
    #expect(shells == 0)
  }

  @Test func oneShellReadsAllWhereOneFileNeedsIt() async throws {
    try machine.directory.write("POST_ADD=$(echo \"$POST_ADD again\")\n", to: "etc/hello.conf")
    try machine.directory.write("POST_BUILD=\"$POST_ADD\"\n", to: "etc/hello-1.0.conf")
    let configuration = try await machine.read(
      TemporaryMachine.plain + "POST_ADD=add.sh\n", of: try module("hello", "1.0"))
    #expect(configuration.scripts == [.postAdd: "add.sh again", .postBuild: "add.sh again"])
    #expect(shells == 1)
  }

  // MARK: Line ends

  private func read(withCarriageReturns conf: String) async throws -> ModuleConfiguration {
    try await machine.read((TemporaryMachine.plain + conf).replacing("\n", with: "\r\n"))
  }

  @Test func carriageReturnsDoNotHinderBash() async throws {
    try machine.directory.write("POST_REMOVE=beside.sh\n", to: "src/tested/more.conf")
    let configuration = try await read(
      withCarriageReturns: """
        if [ "$arch" = x86_64 ]; then
          POST_ADD="add.sh"   # for this one
        else
          POST_ADD=never.sh
        fi
        case $kernelver in
          6.*) POST_BUILD=six.sh ;;
        esac
        declare -a PATCH
        for part in a b; do PATCH+=("$part.patch"); done
        MAKE="make \\
          all"
        . "$(dirname "${BASH_SOURCE[0]}")/more.conf"
        . "${BASH_SOURCE%/*}/more.conf"
        return 0
        POST_ADD=late.sh
        """)
    #expect(
      configuration.scripts == [.postAdd: "add.sh", .postBuild: "six.sh", .postRemove: "beside.sh"])
    #expect(configuration.patches == ["a.patch", "b.patch"])
    #expect(configuration.makeCommand == "make all")
    #expect(shells == 1)
  }

  @Test func carriageReturnsWithinALineAreTheAuthors() async throws {
    let bash = try await machine.read(adding: "POST_ADD=$(printf 'x\\ry')\r\nPOST_BUILD='x\ry'\r\n")
    #expect(bash.scripts == [.postAdd: "x\ry", .postBuild: "x\ry"])
    let plain = try await machine.read(adding: "POST_BUILD='x\ry'\r\n")
    #expect(plain.scripts == [.postBuild: "x\ry"])
  }

  @Test func syntaxErrorsAreToldByTheLinesOfTheFile() async throws {
    let lines = "A=1\n\nif true; then\n  fi\n"
    for conf in [lines, lines.replacing("\n", with: "\r\n")] {
      let error = try await failure(of: conf)
      guard case .configurationMalformed(path, let detail) = error else { throw error }
      #expect(detail.hasPrefix("line 4: syntax error") && !detail.contains("\n"))
    }
  }

  // MARK: Kinds of files

  @Test func directoryIsNoConfiguration() async throws {
    try Files.makeDirectories(FilePath(path))
    let kernel = try machine.kernel("6.1.5-x")
    let error = DKMSError.configurationUnreadable(path: path, detail: "it is a directory, not a file")
    #expect(error.exitStatus == .badConfiguration)
    await #expect(throws: error) {
      _ = try await machine.configuration(in: FilePath(path).removingLastComponent(), for: kernel)
    }
  }

  @Test func overrideThatIsADirectoryIsNamed() async throws {
    try Files.makeDirectories(machine.layout.configurationDirectory.appending("hello.conf"))
    let error = try await failure(of: TemporaryMachine.plain, try module("hello", "1.0"))
    #expect(error.description.contains("etc/hello.conf") && error.description.contains("directory"))
  }

  @Test(arguments: ["/dev/null", "/nonexistent"])
  func overrideMayBeALinkToNothing(_ target: FilePath) async throws {
    try Files.link(machine.layout.configurationDirectory.appending("hello.conf"), to: target)
    let configuration = try await machine.read(
      TemporaryMachine.plain + "POST_ADD=add.sh\n", of: try module("hello", "1.0"))
    #expect(configuration.scripts == [.postAdd: "add.sh"])
  }

  @Test func pipeIsRefusedAtOnce() async throws {
    let pipe = machine.directory.path.appending("pipe.conf")
    try #require(mkfifo(pipe.string, 0o600) == 0)
    let error = try await #require(throws: DKMSError.self) {
      _ = try await ConfigurationEvaluator(host: machine.host)
        .evaluate([pipe], reading: ["A"], environment: [:])
    }
    #expect(error.description.contains("\(pipe) cannot be read: it is a pipe"))
  }

  @Test(arguments: ["exit 0", "exit 3", ": > $sign; sleep 300", "if true; then", "fi"])
  func overrideAtFaultIsNamed(_ line: String) async throws {
    let conf = try machine.directory.write(TemporaryMachine.plain, to: "src/tested/dkms.conf")
    let override = try machine.directory.write("\(line)\n", to: "etc/hello.conf")
    let last = try machine.directory.write("A=1\n", to: "etc/hello-1.0.conf")
    let sign = machine.directory.path.appending("endless")
    machine.launcher.runs(with: ExpiringLauncher(sign: sign))
    let evaluator = ConfigurationEvaluator(host: machine.host, timeLimit: .seconds(2))
    let error = try await #require(throws: DKMSError.self) {
      _ = try await evaluator.evaluate(
        [conf, override, last], reading: ["A"], environment: ["sign": sign.string])
    }
    #expect(error.description.hasPrefix("\(override) "))
  }

  // MARK: What is in them

  @Test func tenMegabytesForBash() async throws {
    // However long it takes bash.
    machine.launcher.runs(with: ExpiringLauncher(sign: machine.directory.path.appending("never")))
    let filling = String(repeating: "# \(String(repeating: "said ", count: 200))\n", count: 10_000)
    let configuration = try await machine.read(
      filling + TemporaryMachine.plain + "POST_ADD=$(echo add.sh)\r\n")
    #expect(configuration.scripts == [.postAdd: "add.sh"])
  }

  @Test(arguments: ["# said\n", "x='said'\n", "A+=x\r\n"])
  func longFile(_ line: String) async throws {
    let filling = String(repeating: line, count: 300_000 / line.utf8.count)
    let configuration = try await machine.read(filling + TemporaryMachine.plain + "POST_ADD=add.sh\n")
    #expect(configuration.scripts == [.postAdd: "add.sh"])
    #expect(shells == 0)
  }

  @Test func nulByteIsLeftToBash() async throws {
    _ = try? await machine.read(TemporaryMachine.plain + "POST_ADD=a\0b\n")
    #expect(shells > 0)
  }

  @Test func lettersBeyondASCII() async throws {
    let plain = try await machine.read(adding: "POST_ADD='\u{E9}t\u{E9}'")
    let bash = try await machine.read(adding: "export POST_ADD='\u{E9}t\u{E9}'")
    #expect(plain == bash)
    #expect(plain.scripts == [.postAdd: "\u{E9}t\u{E9}"])
  }
}
