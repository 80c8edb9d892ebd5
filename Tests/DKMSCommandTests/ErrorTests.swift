// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import TestSupport
import Testing

/// What cannot be done is said clearly, and changes nothing.
@Suite(.requiresRoot, .requiresKernelHeaders)
struct ErrorTests {
  @Test(
    "Who may not write is told so",
    arguments: [
      "add quick/1.0", "build quick/1.0 -k K", "install quick/1.0 -k K", "uninstall quick/1.0 -k K",
      "unbuild quick/1.0 -k K", "remove quick/1.0 --all", "autoinstall -k K",
    ])
  func asNobody(_ words: String) async throws {
    let state: Prepared.State = words.hasPrefix("add") ? .source : .installed
    let machine = try await Prepared.machine(state)
    let before = machine.tree
    let outcome = try await machine.dkms(words.replacing(" K", with: " \(Kernels.first)"), as: .nobody)
    outcome.expect(1, says: ["sudo"]).expectUnchanged(since: before)
    let names = ["dkms \(words.prefix { $0 != " " })", "/var/lib/dkms"]
    #expect(names.contains { outcome.run.errorOutput.contains($0) }, "\(outcome)")
  }

  @Test(
    "A refused call changes nothing",
    arguments: ExitStatusTests.cases.filter { [1, 2, 3, 4, 8].contains($0.status) && !$0.comesToRegister })
  func refused(_ test: ExitStatusTests.Case) async throws {
    let machine = try await Prepared.sources()
    try machine.addQuick(conf: test.conf)
    try test.change(machine)
    let before = machine.tree
    try await machine.dkms(test.words).expect(test.status).expectUnchanged(since: before)
  }

  /// A name that no module or kernel can have, and what is wrong with it.
  struct BadName: CustomTestStringConvertible {
    let words: [String]
    let says: String
    var testDescription: String { words.map { $0.debugDescription }.joined(separator: " ") }
  }

  private static let badNames: [BadName] = [
    BadName(words: ["../quick/1.0"], says: "/quick/1.0 does not exist"),
    BadName(words: ["-m", "../quick/1.0"], says: "'..'"),
    BadName(words: ["-m", "..", "-v", "1.0"], says: "'..'"),
    BadName(words: ["-m", ".", "-v", "1.0"], says: "'.'"),
    BadName(words: ["quick/.."], says: "'..'"),
    BadName(words: ["quick/../../etc"], says: "'../../etc'"),
    BadName(words: ["/etc/dkms"], says: "dkms"),
    BadName(words: ["quick/1.0/x"], says: "'1.0/x'"),
    BadName(words: ["two words/1.0"], says: "'two words'"),
    BadName(words: ["quick/1 0"], says: "'1 0'"),
    BadName(words: ["-m", "-quick", "-v", "1.0"], says: "'-quick'"),
    BadName(words: ["-m", "quick", "-v", "-1"], says: "'-1'"),
    BadName(words: ["line\nbreak/1.0"], says: "control character"),
    BadName(words: [".hidden/1.0"], says: "'.hidden'"),
    BadName(words: ["quick/1.0", "-k", ".."], says: "'..'"),
    BadName(words: ["quick/1.0", "-k", "../../etc"], says: "kernel"),
    BadName(words: ["quick/1.0", "-k", "6 1"], says: "'6 1'"),
    BadName(words: ["quick/1.0", "-k", "--force"], says: "-"),
    BadName(words: ["quick/1.0", "-k", ""], says: "-k"),
    BadName(words: ["quick/1.0", "-k", Kernels.first, "-a", "../x"], says: "'../x'"),
    BadName(words: ["quick/1.0", "-k", "\(Kernels.first)/../x"], says: "'../x'"),
  ]

  @Test("Names that would lead elsewhere are refused by every action", arguments: badNames)
  func badName(_ name: BadName) async throws {
    let machine = try await Prepared.machine(.installed)
    let before = machine.tree
    let isKernel = name.words.contains("-k")
    for action in ["add", "build", "install", "uninstall", "unbuild", "remove"]
    where action != "add" || !isKernel {
      let outcome = try await machine.dkms([action] + name.words)
      #expect(outcome.status != 0, "\(outcome)")
      #expect(outcome.run.errorOutput.hasPrefix("==> ERROR: "), "\(outcome)")
      #expect(outcome.run.errorOutput.contains(name.says), "\(outcome)")
      outcome.expectUnchanged(since: before)
    }
  }

  @Test(
    "A dkms.conf whose names lead elsewhere is refused",
    arguments: ["../x", "a/b", "-x", "two words", ".", ".."])
  func badNameInConfiguration(_ name: String) async throws {
    for directive in ["PACKAGE_NAME", "PACKAGE_VERSION"] {
      let machine = try await Prepared.sources()
      try machine.addQuick(conf: "\(directive)='\(name)'")
      let before = machine.tree
      for words in ["add quick/1.0 --force", "install quick/1.0 -k \(Kernels.first) --force"] {
        try await machine.dkms(words).expect(8, says: ["'\(name)'"]).expectUnchanged(since: before)
      }
    }
  }

  @Test("So is one whose names are empty or hold the end of a line", arguments: ["", "two\nlines"])
  func noNameInConfiguration(_ name: String) async throws {
    for directive in ["PACKAGE_NAME", "PACKAGE_VERSION"] {
      let machine = try await Prepared.sources()
      try machine.addQuick(conf: "\(directive)='\(name)'")
      let before = machine.tree
      let reason = name.isEmpty ? "it does not set \(directive)" : "'two lines'"
      try await machine.dkms("add quick/1.0 --force").expect(8, says: [reason])
        .expectUnchanged(since: before)
    }
  }

  @Test("A module's files stay within its directories")
  func badFilesInConfiguration() async throws {
    for conf in [
      "BUILT_MODULE_NAME[0]=../../x", "BUILT_MODULE_LOCATION[0]=../..",
      "DEST_MODULE_NAME[0]=../../../../etc/x",
    ] {
      let machine = try await Prepared.sources()
      try machine.addQuick(conf: conf)
      let before = machine.tree
      try await machine.dkms("install quick/1.0 -k \(Kernels.first)")
        .expect(8, says: [String(conf.prefix { $0 != "=" })]).expectUnchanged(since: before)
    }
  }

  @Test(
    "A place that leads out of the kernel's directory is replaced, as any other is, and never looked into")
  func placeOutside() async throws {
    let machine = try await Prepared.sources()
    let before = machine.tree
    try machine.addQuick(conf: "DEST_MODULE_LOCATION[0]=/extra/../../../../src/prebuilt")
    try await machine.dkms("install quick/1.0 -k \(Kernels.first)").expect(0)
    #expect(machine.exists("modules/\(Kernels.first)/updates/dkms/quick.ko"))
    try machine.remove("modules/\(Kernels.first)/updates/dkms/quick.ko")
    let module = "var/quick/1.0/\(Kernels.first)/x86_64/module/quick.ko"
    try machine.write(bytes: try machine.bytes(module), to: "src/prebuilt/quick.ko")
    try await machine.dkms("status").expect(
      0,
      output: [
        "quick/1.0, \(Kernels.first), x86_64: installed (Differences between built and installed modules)"
      ])
    try machine.remove("src/prebuilt/quick.ko")
    try await machine.dkms("remove quick/1.0 --all --no-depmod").expect(0)
    #expect(Set(before).isSubset(of: machine.tree))
  }

  @Test("Unknown words are refused before anything is done")
  func unknownWords() async throws {
    let machine = try await Prepared.machine(.added)
    let before = machine.tree
    for words in [
      "build quick/1.0 -k \(Kernels.first) --json", "install quick/1.0 -k \(Kernels.first) --binaries",
      "frobnicate quick/1.0",
    ] {
      let outcome = try await machine.dkms(words).expectUnchanged(since: before)
      #expect(outcome.status == 2, "\(outcome)")
      #expect(outcome.run.errorOutput.hasPrefix("==> ERROR: "), "\(outcome)")
    }
  }

  @Test("The first error of a failed build is in the message, the rest in the log that it names")
  func buildError() async throws {
    let machine = try await Prepared.sources()
    try machine.addHelloWorld("2.0")
    try machine.write("#error out of greetings\n", to: "src/hello-world-2.0/hello_world.c")
    let outcome = try await machine.dkms("build hello-world/2.0 -k \(Kernels.first)")
    outcome.expect(10, says: ["hello-world/2.0", Kernels.first, "out of greetings"])
    let log = try #require(outcome.run.errorOutput.firstMatch(of: /\/var\/lib\/dkms\/([^ \n]*make\.log)/)?.1)
    #expect(try machine.text("var/\(log)").contains("#error out of greetings"))
  }

  @Test("A log is a header, then a block a step")
  func log() async throws {
    let machine = try await Prepared.machine(.built)
    let log = try machine.text("var/quick/1.0/\(Kernels.first)/x86_64/log/make.log").split(separator: "\n")
    #expect(
      log.first?.hasPrefix("DKMS (dkms-3.4.3) make.log for quick/1.0 for kernel \(Kernels.first)") == true)
    #expect(log.contains("# command: cp /usr/src/prebuilt/\(Kernels.first).ko quick.ko"), "\(log)")
    #expect(log.contains("# exit code: 0"), "\(log)")
    #expect(log.contains { $0.wholeMatch(of: /# elapsed time: \d\d:\d\d:\d\d/) != nil }, "\(log)")
  }
}
