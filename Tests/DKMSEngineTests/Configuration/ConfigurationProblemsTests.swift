// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Testing

/// What a dkms.conf must not say.
@Suite struct ConfigurationProblemsTests {
  private let machine: TemporaryMachine

  init() throws { machine = try TemporaryMachine() }

  @Test(arguments: [
    ("unset PACKAGE_NAME", "PACKAGE_NAME"),
    ("PACKAGE_NAME=", "PACKAGE_NAME"),
    ("unset PACKAGE_VERSION", "PACKAGE_VERSION"),
    ("unset DEST_MODULE_LOCATION", "DEST_MODULE_LOCATION[0]"),
    ("DEST_MODULE_LOCATION[0]=/etc", "DEST_MODULE_LOCATION[0]"),
    ("DEST_MODULE_LOCATION[0]=/lib/modules", "DEST_MODULE_LOCATION[0]"),
    ("DEST_MODULE_LOCATION[0]=kernel/drivers", "DEST_MODULE_LOCATION[0]"),
    ("BUILT_MODULE_NAME[0]=hello.ko", "BUILT_MODULE_NAME[0]"),
    ("BUILT_MODULE_NAME[0]=hello.o", "BUILT_MODULE_NAME[0]"),
    ("BUILT_MODULE_NAME[0]=../hello", "BUILT_MODULE_NAME[0]"),
    ("BUILT_MODULE_LOCATION[0]=../elsewhere", "BUILT_MODULE_LOCATION[0]"),
    ("DEST_MODULE_NAME[0]=hello.ko", "DEST_MODULE_NAME[0]"),
    ("DEST_MODULE_NAME[0]=a/b", "DEST_MODULE_NAME[0]"),
    ("BUILT_MODULE_NAME[2]=two; DEST_MODULE_LOCATION[2]=/extra", "BUILT_MODULE_NAME[1]"),
    ("BUILT_MODULE_NAME[1]=hello; DEST_MODULE_LOCATION[1]=/extra; DEST_MODULE_NAME[1]=b", "hello"),
    ("BUILT_MODULE_NAME[1]=b; DEST_MODULE_LOCATION[1]=/extra; DEST_MODULE_NAME[1]=hello", "hello"),
    ("BUILT_MODULE_NAME[999999999]=b; DEST_MODULE_LOCATION[999999999]=/extra", "BUILT_MODULE_NAME[1]"),
    ("STRIP[999999999]=no; BUILT_MODULE_NAME[0]=b.ko", "BUILT_MODULE_NAME[0]"),
    ("BUILT_MODULE_NAME[1]=b", "DEST_MODULE_LOCATION[1]"),
    ("AUTOINSTALL=maybe", "AUTOINSTALL"),
    ("AUTOINSTALL=y", "AUTOINSTALL"),
    ("BUILD_DEPENDS_REBUILD=1", "BUILD_DEPENDS_REBUILD"),
    ("NO_WEAK_MODULES=never", "NO_WEAK_MODULES"),
  ])
  func problemIsNamed(_ line: String, _ subject: String) async throws {
    let problems = try await machine.problems(of: TemporaryMachine.plain + line + "\n")
    #expect(problems.contains { $0.contains(subject) })
  }

  @Test func confWithoutProblemsHasNone() async throws {
    _ = try await machine.read(adding: "")
  }

  @Test func allProblemsAreToldAtOnce() async throws {
    let problems = try await machine.problems(
      of: "BUILT_MODULE_NAME=a.ko\nAUTOINSTALL=maybe\nBUILD_DEPENDS_REBUILD=perhaps\n")
    for subject in [
      "PACKAGE_NAME", "PACKAGE_VERSION", "BUILT_MODULE_NAME[0]", "DEST_MODULE_LOCATION[0]", "AUTOINSTALL",
      "BUILD_DEPENDS_REBUILD",
    ] {
      #expect(problems.contains { $0.contains(subject) })
    }
  }

  @Test(arguments: ["../x", "a/b", "-x", ".x", "'a b'"])
  func nameMustBeANameOfADirectory(_ name: String) async throws {
    let error = try await #require(throws: DKMSError.self) {
      _ = try await machine.read(adding: "PACKAGE_NAME=\(name)")
    }
    guard case .invalidName(.moduleName, _, _) = error else { throw error }
    #expect(error.exitStatus == .badConfiguration)
  }

  @Test(arguments: ["/kernel", "/kernel/drivers/net/", "/updates", "/updates/dkms", "/extra"])
  func placesWhereModulesMayGo(_ location: String) async throws {
    let configuration = try await machine.read(adding: "DEST_MODULE_LOCATION[0]=\(location)")
    #expect(configuration.modules.map(\.destinationLocation) == [location])
  }

  /// Expressions for which the C library takes all memory or time, and what is said of them.
  @Test(arguments: [
    (
      String(repeating: "(", count: 20_000) + "a" + String(repeating: ")", count: 20_000),
      "more than 200 parentheses"
    ),
    ("((((a{99}){99}){99}){99}){99}", "more than 2000 characters"),
    (
      String(repeating: "(", count: 40) + "a" + String(repeating: "+)", count: 40),
      "more than 2000 characters"
    ),
    ("a{30000}", "more than 2000 characters"), ("(x(.{,20}){,999})*", "more than 2000 characters"),
    (String(repeating: "a?", count: 100_000), "more than 2000 characters"),
    ("(a*)(a*)(a*)\\1\\2\\3b", "it refers back"),
  ])
  func expressionIsTooLarge(_ pattern: String, _ reason: String) async throws {
    for directive in [
      "MAKE_MATCH[1]", "PATCH_MATCH[0]", "BUILD_EXCLUSIVE_KERNEL[0]", "BUILD_EXCLUSIVE_ARCH[2]",
    ] {
      let problems = try await machine.problems(of: TemporaryMachine.plain + "\(directive)='\(pattern)'\n")
      try #require(problems.count == 1)
      #expect(problems[0].hasPrefix("\(directive) is too large a regular expression: \(reason)"))
    }
  }

  /// What people write is far from the limits, brackets and braces included.
  @Test(arguments: [
    #"^(6\.([0-9]|1[0-9])|5\.1[0-9])\."#, "^[]x(]?6[.][[:digit:]]+", "6{1,3}", "^6.{0,200}x$",
    String(repeating: "(", count: 150) + "6" + String(repeating: ")", count: 150),
  ])
  func expressionIsTaken(_ pattern: String) async throws {
    let configuration = try await machine.read(adding: "BUILD_EXCLUSIVE_KERNEL='\(pattern)'")
    #expect(configuration.exclusion == nil)
  }
}
