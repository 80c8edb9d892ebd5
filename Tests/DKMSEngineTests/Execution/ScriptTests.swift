// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import SystemPackage
import TestSupport
import Testing

@testable import DKMSEngine

/// Scripts that a dkms.conf names.
@Suite struct ScriptTests {
  private let machine: TemporaryMachine
  private let id: ModuleID
  private let kernel: Kernel

  init() throws { (machine, id, kernel) = try TemporaryMachine.withKernel() }

  /// A script that notes its name, its arguments and whether it is where this file is.
  private func note(_ name: String, status: Int = 0, says text: String = "") -> String {
    """
    #!/bin/sh
    here=elsewhere; [ -e ./text ] && here=beside-the-text
    echo "\(name) $# $* $here" >> '\(notes)'
    echo '\(text)'
    exit \(status)
    """
  }

  private var notes: FilePath { machine.directory.path.appending("notes") }

  private var noted: [String] { (Disk.text(notes) ?? "").split(separator: "\n").map(String.init) }

  @Test func scriptsRunInTheirOrderWithTheirArguments() async throws {
    let conf = ScriptKind.allCases.map { "\($0.rawValue)=\"\($0.rawValue).sh  one two\"\n" }.joined()
    let files = ScriptKind.allCases.map { ("\($0.rawValue).sh", note($0.rawValue)) }
    try machine.addTextModule(id, conf: conf, files: Dictionary(uniqueKeysWithValues: files))
    #expect(try await machine.add(id).warnings.isEmpty)
    #expect(noted == ["POST_ADD 2 one two beside-the-text"])
    #expect(try await machine.install(id, kernel).failures.isEmpty)
    #expect(try await machine.remove(id, kernel).failures.isEmpty)
    #expect(
      noted.map { $0.replacing(" 2 one two beside-the-text", with: "") } == [
        "POST_ADD", "PRE_BUILD", "POST_BUILD", "PRE_INSTALL", "POST_INSTALL", "POST_REMOVE",
      ])
  }

  @Test func buildScriptsSeeAndChangeTheBuild() async throws {
    let source = try machine.addTextModule(
      id, conf: "PRE_BUILD=pre.sh\nPOST_BUILD=post.sh\n",
      files: [
        "pre.sh": "#!/bin/sh\necho prepared > text\n",
        "post.sh": "#!/bin/sh\ncat hello.ko >> '\(notes)'\n",
      ])
    #expect(try await machine.build(id, kernel).failures.isEmpty)
    #expect(Disk.text(machine.product("hello.ko", id, kernel)) == "prepared")
    #expect(noted == ["prepared"])
    #expect(Disk.text(source.appending("text")) == "text")
  }

  @Test func postInstallSeesTheInstalledModule() async throws {
    let script = "#!/bin/sh\ncat '\(machine.layout.installed(kernel.release))/hello.ko' >> '\(notes)'\n"
    try machine.addTextModule(id, conf: "POST_INSTALL=post.sh\n", files: ["post.sh": script])
    #expect(try await machine.install(id, kernel).failures.isEmpty)
    #expect(noted == ["text"])
  }

  @Test func administratorsScriptGoesFirst() async throws {
    let kinds: [ScriptKind] = [.postAdd, .preBuild, .postBuild, .preInstall, .postInstall]
    try machine.addTextModule(
      id, conf: kinds.map { "\($0.rawValue)=\"script.sh \($0.rawValue)\"\n" }.joined(),
      files: ["script.sh": note("own")])
    let script = try machine.directory.write("", to: "etc/hello/script.sh")
    try Files.write(
      Array(note("admin").utf8), to: script,
      permissions: [.ownerReadWriteExecute, .groupReadExecute, .otherReadExecute])
    #expect(try await machine.install(id, kernel).failures.isEmpty)
    // Where it lies, as with the reference.
    #expect(noted == kinds.map { "admin 1 \($0.rawValue) elsewhere" })
  }

  @Test(arguments: [ScriptKind.postAdd, .preBuild, .postBuild, .preInstall, .postInstall])
  func argumentsStandForFiles(_ kind: ScriptKind) async throws {
    try machine.addTextModule(
      id, conf: "\(kind.rawValue)=\"note.sh te?t  [d]kms*\"\n", files: ["note.sh": note("note")])
    #expect(try await machine.install(id, kernel).failures.isEmpty)
    #expect(noted == ["note 2 text dkms.conf beside-the-text"])
  }

  @Test func scriptNeedsNoInterpreterLine() async throws {
    let kinds: [ScriptKind] = [.postAdd, .preBuild, .postBuild, .preInstall, .postInstall]
    let source = try machine.addTextModule(
      id, conf: kinds.map { "\($0.rawValue)=\"script.sh \($0.rawValue)\"\n" }.joined())
    try Files.write(
      Array(#"echo "$1" >> '\#(notes)'\#n"#.utf8), to: source.appending("script.sh"),
      permissions: [.ownerReadWriteExecute, .groupReadExecute, .otherReadExecute])
    #expect(try await machine.install(id, kernel).failures.isEmpty)
    #expect(noted == kinds.map(\.rawValue))
  }

  @Test func scriptThatCannotRunIsRemarkedUpon() async throws {
    try machine.addTextModule(
      id, conf: "PRE_BUILD=missing.sh\nPOST_INSTALL=plain.sh\n", files: ["plain.sh": "exit 1\n"])
    let report = try await machine.install(id, kernel)
    #expect(report.failures.isEmpty)
    #expect(report.warnings.count == 2)
    #expect(
      report.warnings == [
        "hello/1.0 for 6.1.0: its PRE_BUILD script missing.sh was not run, because it is not there",
        "hello/1.0 for 6.1.0: its POST_INSTALL script plain.sh was not run, because it is not executable",
      ])
    #expect(machine.installed("hello.ko", kernel) == "text")
  }

  @Test func whatWasNotRunIsToldAlsoWhereTheBuildFails() async throws {
    try machine.addTextModule(
      id, conf: "PRE_BUILD=scripts\nMAKE[0]=false\n", files: ["scripts/one": "echo one"])
    let report = try await machine.build(id, kernel)
    #expect(report.failures.count == 1)
    #expect(
      report.warnings == [
        "hello/1.0 for 6.1.0: its PRE_BUILD script scripts was not run, because it is not a file"
      ])
  }

  private func failingScript(_ kind: ScriptKind) async throws -> Report {
    try machine.addTextModule(
      id, conf: "\(kind.rawValue)=fail.sh\n",
      files: ["fail.sh": note("fail", status: 4, says: "! Error: no such thing")])
    return try await machine.install(id, kernel)
  }

  @Test func failingPreBuildStopsTheBuild() async throws {
    let report = try await failingScript(.preBuild)
    guard
      case .scriptFailed(
        id, script: .preBuild, status: 4, firstError: "! Error: no such thing", let log?) =
        report.failures.first
    else {
      throw try #require(report.failures.first)
    }
    #expect(Disk.text(FilePath(log))?.contains("# exit code: 4") == true)
    #expect(machine.state[id]?.builds == [])
  }

  @Test func failingPostBuildLeavesWhatStood() async throws {
    let report = try await failingScript(.postBuild)
    guard case .scriptFailed(id, script: .postBuild, status: 4, _, let log?) = report.failures.first else {
      throw try #require(report.failures.first)
    }
    #expect(Disk.text(FilePath(log))?.contains("! Error: no such thing") == true)
    #expect(machine.state[id]?.builds == [])
    #expect(machine.installed("hello.ko", kernel) == nil)

    try machine.addTextModule(id, text: "good")
    #expect(try await machine.install(id, kernel).failures == [])
    try machine.addTextModule(
      id, text: "newer", conf: "POST_BUILD=fail.sh\n", files: ["fail.sh": note("fail", status: 4)])
    #expect(try await machine.forced.build(id, kernel).failures.count == 1)
    #expect(Disk.text(machine.product("hello.ko", id, kernel)) == "good")
  }

  @Test func failingPreInstallStopsTheInstallation() async throws {
    let report = try await failingScript(.preInstall)
    #expect(report.failures == [.scriptFailed(id, script: .preInstall, status: 4, log: nil)])
    #expect(report.failures.map(\.exitStatus.rawValue) == [101])
    #expect(machine.listing(of: kernel).isEmpty)
    #expect(machine.state[id]?.build(for: kernel)?.isInstalled == false)
  }

  @Test func forceInstallsAgainstPreInstall() async throws {
    _ = try await failingScript(.preInstall)
    let report = try await machine.forced.install(id, kernel)
    #expect(report.failures.isEmpty)
    #expect(report.warnings.contains { $0.contains("PRE_INSTALL") })
    #expect(machine.installed("hello.ko", kernel) == "text")
  }

  @Test func failingPostInstallIsTold() async throws {
    let report = try await failingScript(.postInstall)
    #expect(report.failures.isEmpty)
    #expect(report.warnings.contains { $0.contains("POST_INSTALL script ended with status 4") })
    #expect(machine.state[id]?.build(for: kernel)?.isInstalled == true)
  }

  @Test func failingPostRemoveKeepsNothing() async throws {
    _ = try await failingScript(.postRemove)
    let report = try await machine.remove(id, kernel)
    #expect(noted == ["fail 0  beside-the-text"])
    #expect(report.warnings.contains { $0.contains("POST_REMOVE") })
    #expect(machine.dkmsListing.isEmpty)
    #expect(machine.listing(of: kernel).isEmpty)
  }

  @Test func whatScriptsPrintIsShown() async throws {
    try machine.addTextModule(
      id, conf: "POST_ADD=talk.sh\n", files: ["talk.sh": "#!/bin/sh\necho hello; echo trouble >&2\n"])
    #expect(try await machine.add(id).failures.isEmpty)
    #expect(machine.transcript.output == ["hello"])
    #expect(machine.transcript.error == ["trouble"])
  }
}
