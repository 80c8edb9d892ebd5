// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import SystemPackage
import Testing

@testable import DKMSEngine

/// What values of a dkms.conf become.
@Suite struct ConfigurationValuesTests {
  private let machine: TemporaryMachine

  init() throws { machine = try TemporaryMachine() }

  private static let whole = """
    # A comment
    PACKAGE_NAME="hello-world"
    PACKAGE_VERSION="1.0-rc1"
    BUILT_MODULE_NAME[0]="one"
    BUILT_MODULE_LOCATION[0]="src/"
    DEST_MODULE_NAME[0]="first"
    DEST_MODULE_LOCATION[0]="/kernel/drivers/misc/"
    BUILT_MODULE_NAME[1]="two"
    DEST_MODULE_LOCATION[1]="/extra"
    STRIP[1]="no"
    MAKE[0]="make -C src all"
    PATCH[0]="a.patch"
    PATCH[1]="b.patch"
    BUILD_DEPENDS[0]="base"
    BUILD_DEPENDS[1]="other"
    BUILD_DEPENDS_REBUILD="yes"
    AUTOINSTALL="yes"
    PRE_BUILD="configure.sh --fast"
    POST_REMOVE="clean.sh"
    REMAKE_INITRD="yes"

    """

  private func expectWhole(_ configuration: ModuleConfiguration) throws {
    #expect(configuration.id == (try module("hello-world", "1.0-rc1")))
    #expect(
      configuration.modules == [
        ModuleFile(
          builtName: "one", builtLocation: "src", destinationName: "first",
          destinationLocation: "/kernel/drivers/misc/", isStripped: true),
        ModuleFile(
          builtName: "two", builtLocation: "", destinationName: "two", destinationLocation: "/extra",
          isStripped: false),
      ])
    #expect(configuration.modules.map(\.builtPath) == ["src/one.ko", "two.ko"])
    #expect(configuration.makeCommand == "make -C src all")
    #expect(configuration.patches == ["a.patch", "b.patch"])
    #expect(configuration.buildDepends == ["base", "other"])
    #expect(configuration.rebuildsWithDependencies)
    #expect(configuration.autoinstall)
    #expect(configuration.scripts == [.preBuild: "configure.sh --fast", .postRemove: "clean.sh"])
    #expect(configuration.exclusion == nil)
    #expect(configuration.deprecated == ["REMAKE_INITRD"])
  }

  @Test func plainConf() async throws {
    try expectWhole(try await machine.read(Self.whole))
  }

  @Test func carriageReturnsAtLineEndsAreTolerated() async throws {
    try expectWhole(try await machine.read(Self.whole.replacing("\n", with: "\r\n")))
  }

  @Test func shortConf() async throws {
    let configuration = try await machine.read(
      "PACKAGE_NAME=hello\nPACKAGE_VERSION=1.0\nDEST_MODULE_LOCATION=/updates\n")
    #expect(configuration.modules.map(\.builtPath) == ["hello.ko"])
    #expect(configuration.modules.map(\.isStripped) == [true])
    #expect(!configuration.autoinstall)
    #expect(!configuration.rebuildsWithDependencies)
    #expect(configuration.patches.isEmpty && configuration.scripts.isEmpty)
    #expect(configuration.buildDepends.isEmpty && configuration.deprecated.isEmpty)
    #expect(
      configuration.makeCommand
        == "make -C \(machine.layout.installTree)/6.1.5-x/build M=\(machine.layout.dkmsTree)/hello/1.0/build")
  }

  @Test(arguments: [
    ("'make -C $kernel_source_dir'", "make -C TREE/6.1.5-x/build"),
    (#""make -C ${kernel_source_dir}""#, "make -C TREE/6.1.5-x/build"),
    ("'make V=`echo 1`'", "make V=1"),
    ("'make V=$(echo 1)'", "make V=1"),
    (#""make FLAGS=\"-O2 -DX\"""#, #"make FLAGS="-O2 -DX""#),
    (#"'make FLAGS="-O2 -DX"'"#, #"make FLAGS="-O2 -DX""#),
    (#"'make DIR="$kernel_source_dir"'"#, #"make DIR="TREE/6.1.5-x/build""#),
    (#""make FLAGS='-O2 -DX'""#, "make FLAGS='-O2 -DX'"),
    ("\"make   one \ttwo\"", "make one two"),
    ("\"make \\\n  one\"", "make one"),
    ("'make one && make two; make *'", "make one && make two; make *"),
    ("\"make X=a=b\"", "make X=a=b"),
    ("make", "make"),
  ])
  func makeCommandIsWhatItsAuthorMeant(_ value: String, _ command: String) async throws {
    let configuration = try await machine.read(adding: "MAKE=\(value)")
    #expect(
      configuration.makeCommand == command.replacing("TREE", with: machine.layout.installTree.string))
  }

  @Test func arraysMayHaveGaps() async throws {
    let configuration = try await machine.read(
      adding: """
        BUILT_MODULE_NAME[1]=second
        DEST_MODULE_LOCATION[1]=/extra
        DEST_MODULE_NAME[1]=renamed
        STRIP[1]=no
        PATCH[3]=three.patch
        PATCH[7]=seven.patch
        BUILD_DEPENDS[5]=base
        MAKE[4]="make four"
        MAKE_MATCH[4]=.
        """)
    #expect(configuration.modules.map(\.destinationName) == ["hello", "renamed"])
    #expect(configuration.modules.map(\.isStripped) == [true, false])
    #expect(configuration.patches == ["three.patch", "seven.patch"])
    #expect(configuration.buildDepends == ["base"])
    #expect(configuration.makeCommand == "make four")
  }

  @Test(arguments: [
    ("", [true, true, true]), ("STRIP[0]=no", [false, false, false]), ("STRIP=no", [false, false, false]),
    ("STRIP[0]=no; STRIP[2]=yes", [false, false, true]), ("STRIP[1]=No", [true, false, true]),
    ("STRIP[0]=n; STRIP[1]=Y", [false, true, false]),
  ])
  func stripIsInheritedFromTheFirst(_ line: String, _ expected: [Bool]) async throws {
    let three = (1...2).map { "BUILT_MODULE_NAME[\($0)]=m\($0)\nDEST_MODULE_LOCATION[\($0)]=/extra" }
    let configuration = try await machine.read(adding: (three + [line]).joined(separator: "\n"))
    #expect(configuration.modules.map(\.isStripped) == expected)
  }

  @Test(arguments: [
    ("yes", true), ("YES", true), ("Yes", true), ("no", false), ("NO", false), ("\"\"", false),
  ])
  func yesAndNoInAnyCase(_ value: String, _ expected: Bool) async throws {
    #expect(try await machine.read(adding: "AUTOINSTALL=\(value)").autoinstall == expected)
  }

  @Test func eachScript() async throws {
    let lines = ScriptKind.allCases.map { "\($0.rawValue)=\"\($0.rawValue).sh a  b\"" }
    let configuration = try await machine.read(adding: lines.joined(separator: "\n"))
    #expect(configuration.scripts.count == 6)
    for kind in ScriptKind.allCases { #expect(configuration.scripts[kind] == "\(kind.rawValue).sh a b") }
  }

  @Test(arguments: ["true", "/bin/true", "make clean"])
  func cleanIsRemarkedUponWhereItDoesSomething(_ value: String) async throws {
    let configuration = try await machine.read(adding: "CLEAN=\"\(value)\"")
    #expect(configuration.deprecated == (value == "make clean" ? ["CLEAN"] : []))
  }

  @Test func everyDirectiveThatIsNoLongerUsed() async throws {
    let names = [
      "CLEAN", "REMAKE_INITRD", "MODULES_CONF", "MODULES_CONF_OBSOLETES", "MODULES_CONF_ALIAS_TYPE",
      "MODULES_CONF_OBSOLETE_ONLY", "OBSOLETE_BY",
    ]
    for name in names {
      #expect(try await machine.read(adding: "\(name)=9").deprecated == [name])
      #expect(try await machine.read(adding: "\(name)=").deprecated == [name])
    }
    #expect(try await machine.read(adding: "MODULES_CONF[3]=x").deprecated == ["MODULES_CONF"])
    #expect(try await machine.read(adding: "").deprecated.isEmpty)
  }
}
