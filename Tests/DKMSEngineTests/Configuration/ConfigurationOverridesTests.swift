// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import SystemPackage
import TestSupport
import Testing

@testable import DKMSEngine

/// Files in /etc/dkms, and directives of the caller, over a dkms.conf.
@Suite struct ConfigurationOverridesTests {
  private let machine: TemporaryMachine
  private let conf = TemporaryMachine.plain + "POST_ADD=own\n"

  init() throws { machine = try TemporaryMachine() }

  @Test func overridesFollowEachOtherFromWideToNarrow() async throws {
    for name in [
      "hello", "hello-1.0", "hello-1.0-6.1.5-x", "hello-1.0-6.1.5-x-x86_64", "hello--6.1.5-x",
      "hello--6.1.5-x-x86_64",
    ] {
      try machine.directory.write("POST_ADD=\"$POST_ADD \(name)\"\n", to: "etc/\(name).conf")
    }
    let scripts = try await machine.read(conf, of: try module("hello", "1.0")).scripts
    #expect(
      scripts[.postAdd]
        == "own hello hello-1.0 hello-1.0-6.1.5-x hello-1.0-6.1.5-x-x86_64 hello--6.1.5-x "
        + "hello--6.1.5-x-x86_64")
  }

  @Test func overridesOfOthersAreNotRead() async throws {
    for name in ["hell", "hello-1.1", "hello-1.0-6.1.6", "hello--6.1.6", "hello--6.1.5-x-arm64", "framework"]
    {
      try machine.directory.write("POST_ADD=foreign\n", to: "etc/\(name).conf")
    }
    let scripts = try await machine.read(conf, of: try module("hello", "1.0")).scripts
    #expect(scripts == [.postAdd: "own"])
  }

  @Test func overrideMayUnsetAndSeeWhatIsThere() async throws {
    try machine.directory.write(
      "unset POST_ADD\nPRE_BUILD=\"$PACKAGE_NAME for $kernelver\"\nBUILT_MODULE_LOCATION[0]=sub\n",
      to: "etc/hello.conf")
    let configuration = try await machine.read(conf, of: try module("hello", "1.0"))
    #expect(configuration.scripts == [.preBuild: "hello for 6.1.5-x"])
    #expect(configuration.modules.map(\.builtPath) == ["sub/hello.ko"])
  }

  @Test func directivesAreTheStrongest() async throws {
    var machine = machine
    try machine.directory.write("POST_ADD=override\n", to: "etc/hello.conf")
    machine.options.directives = ["POST_ADD=first", "POST_ADD=a = b", "MAKE=make all", "PRE_BUILD="]
    let configuration = try await machine.read(
      conf + "PRE_BUILD=configure\n", of: try module("hello", "1.0"))
    #expect(configuration.scripts == [.postAdd: "a = b"])
    #expect(configuration.makeCommand == "make all")
  }

  @Test func anotherConfTakesThePlaceOfTheSourcesOwn() async throws {
    var machine = machine
    machine.options.configurationFile = try machine.directory.write(
      conf.replacing("own", with: "other"), to: "other.conf")
    #expect(try await machine.read(conf).scripts == [.postAdd: "other"])
  }

  @Test(arguments: [
    "POST_ADD", "", "=x", "1POST=x", "POST-ADD=x", "POST_ADD[0]=x", "POST ADD=x", "POST_ADD+=x",
    " POST_ADD=x",
  ])
  func directiveThatIsNoneIsNamed(_ directive: String) async throws {
    var machine = machine
    machine.options.directives = ["POST_BUILD=x", directive]
    let error = try await #require(throws: DKMSError.self) { _ = try await machine.read(conf) }
    guard case .invalidName(.directive, directive, _) = error else { throw error }
    #expect(error.exitStatus == .badConfiguration)
  }

  @Test func directiveIsTakenAsItIs() async throws {
    var machine = machine
    machine.options.directives = ["MAKE=make  V=\"$(x)\" ${kernelver}", "FOO=bar"]
    #expect(try await machine.read(conf).makeCommand == "make  V=\"$(x)\" ${kernelver}")
  }
}
