// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import SystemPackage
import TestSupport
import Testing

@testable import DKMSCommand

/// The grammar, without running anything.
struct ArgumentsTests {
  private func parse(_ words: String) throws -> Arguments {
    try Arguments(words.split(separator: " ").map(String.init))
  }

  private func fault(_ words: String) -> UsageError? {
    do {
      _ = try Arguments(words.split(separator: " ").map(String.init))
      return nil
    } catch {
      return error
    }
  }

  @Test(
    "A module is named in these forms",
    arguments: [
      "build -m M -v 1.0", "build -v 1.0 -m M", "build -m M/1.0", "build M/1.0", "M/1.0 build",
      "build --module=M/1.0", "build --module M -v 1.0", "build M -v 1.0", "build M/1.0/", "build -m M/1.0/",
    ])
  func module(_ words: String) throws {
    let arguments = try parse(words)
    #expect(arguments.action == .build)
    #expect(arguments.module == "M")
    #expect(arguments.version == "1.0")
  }

  @Test("A version may hold more slashes; it is refused later, not cut")
  func slashes() throws {
    #expect(try parse("build M/1/2").version == "1/2")
  }

  @Test(
    "Kernels are named in these forms",
    arguments: ["build -k K/A", "build --kernelver K/A", "build --kernelver=K/A"])
  func kernel(_ words: String) throws {
    #expect(try parse(words).kernels == [.init(release: "K", architecture: "A")])
  }

  @Test("-k and -a may be repeated")
  func severalKernels() throws {
    let arguments = try parse("build -k K -k L/B -a A --arch=B")
    #expect(
      arguments.kernels == [.init(release: "K", architecture: nil), .init(release: "L", architecture: "B")])
    #expect(arguments.architectures == ["A", "B"])
  }

  @Test("Options with values take the next word or the part after =")
  func values() throws {
    for form in [" ", "="] {
      let words =
        ["config", "kernelsourcedir", "dkmstree", "sourcetree", "installtree"]
        .map { "--\($0)\(form)/\($0)" }.joined(separator: " ")
      let arguments = try parse("add \(words) --directive\(form)A=b=c -j 3 -c /conf")
      #expect(arguments.kernelConfiguration == "/config")
      #expect(arguments.kernelSourceDirectory == "/kernelsourcedir")
      #expect(arguments.dkmsTree == "/dkmstree")
      #expect(arguments.sourceTree == "/sourcetree")
      #expect(arguments.installTree == "/installtree")
      #expect(arguments.directives == ["A=b=c"])
      #expect(arguments.jobs == 3)
      #expect(arguments.configuration == "/conf")
    }
  }

  @Test("Switches")
  func switches() throws {
    let arguments = try parse("install --all --force --no-depmod -q --verbose --debug")
    #expect(arguments.isAll && arguments.isForced && arguments.skipsDepmod && arguments.isQuiet)
    #expect(try parse("install --quiet").isQuiet)
    let rest = try parse(
      "mktarball --dry-run --source-only --force-version-override --symlink-modules --modprobe-on-install"
        + " --rpm_safe_upgrade")
    #expect(rest.isDryRun && rest.overridesVersions && rest.linksModules && rest.probesModules)
    #expect(rest.isSafeUpgrade && rest.contents == .sourceOnly)
    #expect(try parse("status --json").isJSON)
    let plain = try parse("install")
    #expect(!plain.isAll && !plain.isForced && !plain.skipsDepmod && !plain.isQuiet)
  }

  @Test(
    "Deprecated switches change nothing and are remarked upon",
    arguments: ["--no-initrd", "--no-clean-kernel", "--no-prepare-kernel"])
  func deprecated(_ word: String) throws {
    var arguments = try parse("add \(word)")
    #expect(arguments.remarks.count == 1)
    #expect(arguments.remarks.first?.contains(word) == true)
    arguments.remarks = []
    #expect(arguments == (try parse("add")))
  }

  @Test("Help and version are answered whatever follows")
  func requests() throws {
    for word in ["-h", "--help"] { #expect(try parse("\(word) --nonsense").request == .help) }
    for word in ["-V", "--version"] { #expect(try parse("add \(word) build").request == .version) }
  }

  @Test("Every action is known by its name", arguments: Action.allCases)
  func actions(_ action: Action) throws {
    #expect(try parse(action.rawValue).action == action)
  }

  @Test("What is wrong has the reference's status")
  func faults() {
    let faults: [(String, UsageError, Int32)] = [
      ("", .noAction, 2),
      ("M/1.0", .noAction, 2),
      ("M", .unknownAction("M"), 2),
      ("add --nonsense", .unknownOption("--nonsense"), 2),
      ("add --nonsense=1", .unknownOption("--nonsense=1"), 2),
      ("add -x", .unknownOption("-x"), 2),
      ("add --force=yes", .unknownOption("--force=yes"), 2),
      ("add -m=M", .unknownOption("-m=M"), 2),
      ("add build", .secondAction("build"), 4),
      ("add add", .secondAction("add"), 4),
      ("build --all -k K", .allWithKernel, 2),
      ("build -k K --all", .allWithKernel, 2),
      ("build --all -a A", .allWithArchitecture, 3),
      ("build -a A -a B", .architectureCount, 1),
      ("build -k K -a A -a B", .architectureCount, 1),
      ("build -j many", .badValue("-j", "many"), 2),
      ("build -j -1", .badValue("-j", "-1"), 2),
      ("mktarball M/1 --source-only --binaries-only", .contradictoryContents, 8),
      ("build M/1 --json", .onlyStatusHasJSON(.build), 2),
    ]
    for (words, expected, status) in faults {
      #expect(fault(words) == expected, "\(words)")
      #expect(expected.exitStatus.rawValue == status, "\(words)")
    }
  }

  @Test("One architecture goes with any number of kernels, several with as many")
  func architectureCounts() {
    #expect(fault("build -k K -k L -a A") == nil)
    #expect(fault("build -k K -k L -a A -a B") == nil)
  }

  @Test(
    "An option without its value is refused",
    arguments: [
      "-m", "-v", "-k", "-a", "-c", "-j", "--config", "--kernelsourcedir", "--dkmstree", "--sourcetree",
      "--installtree", "--directive", "--templatekernel", "--archive",
    ])
  func missingValue(_ option: String) {
    #expect(fault("build \(option)") == .missingValue(option))
  }

  @Test(
    "A tree without a name is refused; it would be the current directory",
    arguments: ["--dkmstree=", "--sourcetree=", "--installtree=", "--kernelsourcedir="])
  func emptyValue(_ word: String) {
    #expect(fault("build M/1.0 \(word)")?.exitStatus == .usage)
  }

  @Test(
    "An empty value asks for nothing in particular",
    arguments: ["-m", "--module", "-v", "-c", "-j", "--templatekernel", "--archive"])
  func nothing(_ option: String) throws {
    #expect(try Arguments(["build", option, ""]) == Arguments(["build"]))
    if option.hasPrefix("--") { #expect(try Arguments(["build", "\(option)="]) == Arguments(["build"])) }
  }

  @Test("An architecture without a name is none", arguments: [["-a", ""], ["--arch="], ["-k", "K/"]])
  func noArchitecture(_ words: [String]) throws {
    #expect(throws: UsageError.noArchitecture) { try Arguments(["build", "M/1"] + words) }
    #expect(UsageError.noArchitecture.exitStatus.rawValue == 12)
    #expect(throws: Never.self) { try Arguments(["status"] + words) }
  }

  @Test("Nor is a kernel without a name", arguments: [["-k", ""], ["--kernelver="], ["-k", "/A"]])
  func noKernel(_ words: [String]) throws {
    #expect(throws: UsageError.noKernel) { try Arguments(["build", "M/1"] + words) }
    #expect(UsageError.noKernel.exitStatus.rawValue == 16)
    #expect(throws: Never.self) { try Arguments(["status"] + words) }
  }

  @Test("--archive is a name for the usual place, or a path from here")
  func archive() throws {
    let archive = { (word: String) in try Arguments(["mktarball", "--archive", word], from: "/here").archive }
    #expect(try archive("name.tar.gz") == "name.tar.gz")
    #expect(try archive("./name.tar.gz") == "/here/name.tar.gz")
    #expect(try archive("/there/name.tar.gz") == "/there/name.tar.gz")
    let path = try Arguments(["ldtarball", "--archive=name.tar.gz"], from: "/here").importPath
    #expect(path == "/here/name.tar.gz")
  }

  @Test("A path is what it leads to")
  func paths() throws {
    let directory = try TemporaryDirectory()
    try directory.write("", to: "source/dkms.conf")
    try directory.write("", to: "M-1.0.dkms.tar.gz")
    try directory.write("", to: "empty/file")
    let origin = { (word: String) in try Arguments(["add", word], from: directory.path).origin }
    let source = directory.path.appending("source")
    #expect(try origin("source") == source)
    #expect(try origin("./source/") == source)
    #expect(try origin("source/dkms.conf") == source)
    #expect(try origin("\(directory.path)/source") == source)
    #expect(try origin("M-1.0.dkms.tar.gz") == directory.path.appending("M-1.0.dkms.tar.gz"))
    #expect(try origin("empty") == nil)
    #expect(try Arguments(["add", "empty"], from: directory.path).module == "empty")
    let missing = directory.path.appending("nowhere").string
    #expect(throws: UsageError.noSuchPath(missing)) { try origin("./nowhere") }
    #expect(UsageError.noSuchPath(missing).exitStatus.rawValue == 2)
    let empty = directory.path.appending("empty").string
    #expect(throws: UsageError.noConfiguration(empty)) { try origin("./empty") }
    #expect(UsageError.noConfiguration(empty).exitStatus.rawValue == 1)
  }

  @Test("A second operand is not taken in silence")
  func secondOperand() throws {
    let arguments = try parse("build M/1.0 N/2.0")
    #expect(arguments.module == "M")
    #expect(arguments.remarks.contains { $0.contains("N/2.0") })
  }
}
