// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import SystemPackage
import TestSupport
import Testing

@testable import DKMSEngine

/// Files that are read without a shell mean what they mean to bash.
@Suite(.timeLimit(.minutes(60))) struct PlainAgreementTests {
  private let machine: TemporaryMachine
  private var names = PlainSamples.variables
  private var environment: [String: String]

  init() throws {
    machine = try TemporaryMachine()
    environment = BashEvaluator(host: machine.host, timeLimit: .seconds(600)).environment(adding: [
      "kernelver": "6.1.5-x", "module": "", "A": "a  a", "B": "", "C_1": "\\\\c", "MAKE": "$A",
      "PACKAGE_NAME": "$B",
    ])
  }

  private func plain(_ files: [String]) -> Variables? {
    try? PlainEvaluator.evaluate(files.map { Array($0.utf8) }, reading: names, environment: environment)
  }

  private func bash(_ files: [String], in directory: String = "files") async throws -> Variables {
    var paths: [FilePath] = []
    for (index, text) in files.enumerated() {
      try paths.append(machine.directory.write(text, to: "\(directory)/\(index)"))
    }
    return try await BashEvaluator(host: machine.host, timeLimit: .seconds(600))
      .evaluate(paths, reading: names, environment: environment)
  }

  // MARK: Generated files

  /// Bash takes milliseconds for a file, so some lists of them go side by side.
  private static let seeds = Array(UInt64(0)..<4)

  @Test(arguments: seeds) func samplesOfPlainFiles(_ seed: UInt64) async throws {
    var samples = PlainSamples(seed: seed)
    let attempts = try await attempts(seed) { [samples.plainFile(), samples.plainFile()] }
    // Bash alone expands some values, such as one that ends with a backslash.
    #expect(attempts < 600)
  }

  @Test(arguments: seeds) func samplesOfNoise(_ seed: UInt64) async throws {
    var samples = PlainSamples(seed: ~seed)
    _ = try await attempts(seed) { [samples.noise()] }
  }

  /// Compares until many files were plain; how many it took.
  private func attempts(_ seed: UInt64, _ next: () -> [String]) async throws -> Int {
    var (agreements, attempts) = (0, 0)
    while agreements < 200, attempts < 100_000 {
      attempts += 1
      let files = next()
      guard let variables = plain(files) else { continue }
      // A variable that is put into itself again and again grows to megabytes, which show nothing more.
      let size = names.flatMap(variables.array).reduce(0) { $0 + $1.utf8.count }
      guard size < 20_000 else { continue }
      agreements += 1
      let expected = try await bash(files, in: "\(seed)")
      #expect(variables == expected, "\(files)")
    }
    #expect(agreements == 200)
    return attempts
  }

  // MARK: Files made by hand

  @Test(arguments: PlainFileTests.plain) func fileByHand(_ text: String) async throws {
    let variables = try #require(plain([text]))
    #expect(try await variables == bash([text]))
  }

  /// Some of bash's own variables ignore what is assigned, or change what bash does with the rest.
  @Test func variablesOfBash() async throws {
    let all = try await Run.program("/bin/bash", ["--norc", "-c", "compgen -v"]).lines
    let documented = [
      "COMP_WORDBREAKS", "COPROC", "EPOCHREALTIME", "GLOBIGNORE", "HISTCMD", "IGNOREEOF", "LC_ALL",
      "LC_COLLATE",
      "MAPFILE", "OPTARG", "POSIXLY_CORRECT", "PROMPT_COMMAND", "REPLY", "SRANDOM", "TIMEFORMAT", "TMOUT",
      "TZ",
    ]
    var compared = 0
    for name in all + documented where name.utf8.first.map({ !(48...57).contains($0) }) ?? false {
      #expect(plain(["A=\"$\(name)\""]) == nil || environment[name] != nil, "\(name)")
      let file = "\(name)=7\nA=\"$\(name)\"\nB=(\"$A\"  x)\n"
      guard let variables = plain([file]) else { continue }
      #expect(try await variables == bash([file]), "\(name)")
      compared += 1
    }
    #expect(compared > 5)
  }

  // MARK: Real files

  private static let fixtures = TestParts.repository.appending("Fixtures/packages")

  private func compareReal(_ file: FilePath) async throws -> Bool {
    var tests = self
    tests.names = ConfigurationInterpreter.directives
    for name in ["kernelver", "arch", "kernel_source_dir", "dkms_tree", "source_tree", "install_tree"] {
      tests.environment[name] = "/some/\(name)"
    }
    let text = String(decoding: try Files.read(file), as: UTF8.self)
    guard let variables = tests.plain([text]) else { return false }
    #expect(try await variables == tests.bash([text]), "\(file)")
    #expect(try await variables == tests.bash([text.replacing("\n", with: "\r\n")]), "\(file)")
    return true
  }

  @Test func confsOfTestPackages() async throws {
    var unplain: [String] = []
    for name in Disk.list(Self.fixtures) {
      let file = Self.fixtures.appending(name).appending("dkms.conf")
      if Disk.isFile(file), try await !compareReal(file) { unplain.append(name) }
    }
    #expect(unplain == ["odd-conf-dkms"])
  }

  @Test(.requiresKernelHeaders) func confsOfOthers() async throws {
    let parts = TestParts.cache.appending("parts")
    var count = 0
    for package in Disk.list(parts) where package.hasSuffix("-dkms") {
      let sources = parts.appending(package).appending("usr/src")
      for name in Disk.list(sources) {
        if try await compareReal(sources.appending(name).appending("dkms.conf")) { count += 1 }
      }
    }
    #expect(count >= 1)
  }
}
