// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import SystemPackage
import TestSupport
import Testing

@testable import DKMSEngine

@Suite struct FrameworkTests {
  private let machine: TemporaryMachine

  init() throws { machine = try TemporaryMachine() }

  private func framework() async throws -> Framework {
    try await Framework.read(over: machine.layout, host: machine.host)
  }

  @Test func withoutFilesNothingChanges() async throws {
    let framework = try await framework()
    #expect(framework.layout == machine.layout)
    #expect(framework.options == BuildOptions())
    #expect(framework.allowsAutoinstall)
  }

  @Test func everythingThatMayBeSet() async throws {
    try machine.directory.write(
      """
      source_tree="/other/src"
      dkms_tree="/other/dkms"
      install_tree="/other/modules"
      parallel_jobs=7
      compress_gzip_opts="-6"
      compress_xz_opts="--check=crc32 -9"
      compress_zstd_opts=""

      """, to: "etc/framework.conf")
    let framework = try await framework()
    #expect(framework.layout.sourceTree == "/other/src")
    #expect(framework.layout.dkmsTree == "/other/dkms")
    #expect(framework.layout.installTree == "/other/modules")
    #expect(framework.layout.configurationDirectory == machine.layout.configurationDirectory)
    #expect(framework.options.jobs == 7)
    #expect(framework.options.gzipArguments == ["-6"])
    #expect(framework.options.xzArguments == ["--check=crc32", "-9"])
    #expect(framework.options.zstdArguments == [])
  }

  @Test func laterFilesAreStronger() async throws {
    try machine.directory.write("parallel_jobs=1\n", to: "etc/framework.conf")
    try machine.directory.write(
      "parallel_jobs=$((parallel_jobs * 10 + 2))\n", to: "etc/framework.conf.d/10-a.conf")
    try machine.directory.write(
      "parallel_jobs=$((parallel_jobs * 10 + 3))\n", to: "etc/framework.conf.d/20-b.conf")
    try machine.directory.write("parallel_jobs=99\n", to: "etc/framework.conf.d/30-c.conf.bak")
    #expect(try await framework().options.jobs == 123)
  }

  @Test func dropInsNeedNoMainFile() async throws {
    try machine.directory.write("parallel_jobs=0\n", to: "etc/framework.conf.d/a.conf")
    #expect(try await framework().options.jobs == 0)
  }

  @Test func directivesOfModulesHaveNoEffect() async throws {
    try machine.directory.write("AUTOINSTALL=no\nMAKE=false\ndkms_tree=\"\"\n", to: "etc/framework.conf")
    let framework = try await framework()
    #expect(framework.layout == machine.layout)
    #expect(framework.options == BuildOptions())
  }

  @Test func autoinstallIsForbiddenByAFile() async throws {
    try machine.directory.write("", to: "etc/no-autoinstall")
    #expect(try await framework().allowsAutoinstall == false)
  }

  @Test func whatIsBrokenIsNamedAndTheRestCounts() async throws {
    try machine.directory.write("dkms_tree=/main\n", to: "etc/framework.conf")
    for (name, text) in [
      ("10-bad", "if true; then\n"), ("20-good", "parallel_jobs=3\n"), ("30-out", "exit 1\n"),
      ("40-last", "source_tree=$dkms_tree/src\n"),
    ] {
      try machine.directory.write(text, to: "etc/framework.conf.d/\(name).conf")
    }
    let (framework, problems) = try await Framework.readUsable(over: machine.layout, host: machine.host)
    #expect(framework.options.jobs == 3 && framework.layout.sourceTree == "/main/src")
    #expect(problems.count == 2)
    #expect("\(problems[0])".contains("framework.conf.d/10-bad.conf"))
    #expect("\(problems[1])".contains("framework.conf.d/30-out.conf"))
  }

  @Test(arguments: ["if true; then\n", "exit 1\n"])
  func unreadableFileIsAnError(_ text: String) async throws {
    try machine.directory.write(text, to: "etc/framework.conf")
    await #expect(throws: DKMSError.self) { _ = try await framework() }
  }
}
