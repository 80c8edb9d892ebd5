// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import SystemPackage
import TestSupport
import Testing

/// What Tab offers after `dkms`, in each shell.
@Suite(.requiresShells)
struct CompletionTests {
  /// The end of a line, and the words that fit there.
  private struct Case {
    let line: String
    let offers: String

    init(_ line: String, _ offers: String) {
      self.line = line
      self.offers = offers
    }
  }

  private static let actions =
    "add autoinstall build generate_mok install kernel_postinst kernel_preinst kernel_prerm ldtarball match mktarball "
    + "remove status unbuild uninstall"

  private static let common = "--debug --help --quiet --verbose --version"

  private static let cases: [Case] = [
    // Actions: one a call, before or after the module.
    Case("", actions),
    Case("a", "add autoinstall"),
    Case("kernel_p", "kernel_postinst kernel_preinst kernel_prerm"),
    Case("hello/1.0 un", "unbuild uninstall"),
    Case("-m hello -v 1.0 un", "unbuild uninstall"),
    Case("status a", ""),
    Case("install hello/1.0 a", ""),

    // Modules, by what the action can do with them.
    Case("add ", "dir fresh+plus/3.0~rc1 late/2 module.tar.gz"),
    Case("add la", "late/2"),
    Case("add -m ", "fresh+plus late"),
    Case("add -m fresh+plus -v ", "3.0~rc1"),
    Case("build ", "co:lon/1:2 fresh+plus/3.0~rc1 hello-world/1.1-2 hello/1.0 hello/2.0 late/2"),
    Case("install hello", "hello-world/1.1-2 hello/1.0 hello/2.0"),
    Case("install hello/", "hello/1.0 hello/2.0"),
    Case("install fresh+", "fresh+plus/3.0~rc1"),
    Case("install --force fresh+", "fresh+plus/3.0~rc1"),
    Case("install -k \(lts) -j 4 fresh+", "fresh+plus/3.0~rc1"),
    Case("install --kernelver=\(lts) fresh+", "fresh+plus/3.0~rc1"),
    Case("uninstall ", "hello/1.0"),
    Case("unbuild ", "hello-world/1.1-2 hello/1.0"),
    Case("remove ", "broken/9 co:lon/1:2 hello-world/1.1-2 hello/1.0 hello/2.0"),
    Case("remove co:lon/1:", "co:lon/1:2"),
    Case("remove --module=co:l", "co:lon"),
    Case("status ", "broken/9 co:lon/1:2 hello-world/1.1-2 hello/1.0 hello/2.0"),
    Case("mktarball ", "co:lon/1:2 hello-world/1.1-2 hello/1.0 hello/2.0"),
    Case("match ", "hello"),
    Case("uninstall hello/1.0 ", ""),
    Case("uninstall -m hello ", ""),
    Case("autoinstall ", ""),
    Case("generate_mok ", ""),
    Case("kernel_prerm ", ""),

    // Names and versions.
    Case("remove -m ", "broken co:lon hello hello-world"),
    Case("remove --module h", "hello hello-world"),
    Case("remove --module=h", "hello hello-world"),
    Case("remove -m hello/", "hello/1.0 hello/2.0"),
    Case("-m ", "co:lon fresh+plus hello hello-world late"),
    Case("remove -m hello -v ", "1.0 2.0"),
    Case("uninstall -m hello -v ", "1.0"),
    Case("install --module=hello-world -v ", "1.1-2"),
    Case("install -m fresh+plus -v ", "3.0~rc1"),
    Case("install -m hell -v ", ""),
    Case("install -v ", ""),

    // Kernels: those there are, or those that the module is built or installed for.
    Case("install hello/1.0 -k ", "\(lts) \(stable)"),
    Case("build hello/2.0 --kernelver ", "\(lts) \(stable)"),
    Case("build hello/2.0 --kernelver=6.12", stable),
    Case("build hello/2.0 -k \(lts) -k 6.12", stable),
    Case("autoinstall -k ", "\(lts) \(stable)"),
    Case("kernel_prerm -k ", "\(lts) \(stable)"),
    Case("uninstall hello/1.0 -k ", lts),
    Case("uninstall hello/2.0 -k ", ""),
    Case("unbuild hello/1.0 -k ", "\(lts) \(stable)"),
    Case("remove -m hello-world -v 1.1-2 -k ", gone),
    Case("remove hello-world/1.1-2 --kernelver=", gone),
    Case("status -k ", "\(gone) \(lts) \(stable)"),
    Case("mktarball hello/1.0 -k ", "\(lts) \(stable)"),
    Case("unbuild hello/1.0 -k \(lts)/", "\(lts)/x86_64"),
    Case("match --templatekernel ", lts),
    Case("match --templatekernel=", lts),
    Case("match --templatekernel \(lts) -k 6.12", stable),
    Case("unbuild hello/1.0 -a x86", "x86_64"),
    Case("unbuild hello/1.0 --arch=x86", "x86_64"),

    // Files and directories.
    Case("ldtarball ", "dir module.tar.gz notes"),
    Case("ldtarball --archive ", "dir module.tar.gz notes"),
    Case("add --archive=m", "module.tar.gz"),
    Case("build -c ", "dir module.tar.gz notes"),
    Case("build --config=n", "notes"),
    Case("build --kernelsourcedir ", "dir"),
    Case("build --kernelsourcedir=d", "dir"),
    Case("install -j ", ""),
    Case("install --directive=", ""),

    // Options, by what the action knows.
    Case("status --", "--arch --json --kernelver --module \(common)"),
    Case(
      "remove --",
      "--all --arch --dry-run --force --kernelver --module --no-depmod --rpm_safe_upgrade \(common)"),
    Case("ldtarball --", "--archive --dry-run --force \(common)"),
    Case("generate_mok --", "--dry-run \(common)"),
    Case("match --t", "--templatekernel"),
    Case("install --t", ""),
    Case("mktarball --s", "--source-only"),
    Case("install --sym", "--symlink-modules"),
    Case("uninstall --sym", ""),
  ]

  @Test("What fits is offered, and nothing else", arguments: Shell.allCases)
  func offers(_ shell: Shell) async throws {
    let machine = try Self.machine()
    let lines = Self.cases.map { "dkms \(Self.trees(of: machine)) \($0.line)" }
    let offers = try await shell.offers(for: lines, in: machine.path("etc/cwd"))
    for (test, offers) in zip(Self.cases, offers) {
      // zsh does not offer again what the line has.
      let offers = offers.filter { !["--dkmstree", "--sourcetree", "--installtree"].contains($0) }
      #expect(offers == test.offers.split(separator: " ").map(String.init).sorted(), "dkms \(test.line)")
    }
  }

  @Test(
    "The trees are those of every machine, unless the line names others", .requiresRoot,
    arguments: Shell.allCases)
  func trees(_ shell: Shell) async throws {
    let machine = try Self.machine()
    #expect(try await shell.offers(for: "dkms uninstall ", on: machine) == ["hello/1.0"])
    #expect(try await shell.offers(for: "dkms install fre", on: machine) == ["fresh+plus/3.0~rc1"])
    #expect(try await shell.offers(for: "dkms install -k ", on: machine) == [Self.lts, Self.stable])
    #expect(try await shell.offers(for: "dkms uninstall --dkmstree /nowhere ", on: machine) == [])
  }

  @Test(
    "Names are text: none is run, and none that a shell would have to quote is offered", .takesLong,
    arguments: Shell.allCases)
  func hostileNames(_ shell: Shell) async throws {
    let machine = try MountedMachine()
    let directory = machine.path("etc/cwd")
    try Files.makeDirectories(directory)
    for name in Self.hostileNames {
      for version in Self.hostileNames { try Self.register(name, version, on: machine) }
      try Self.register("good", name, on: machine)
      try machine.write("PACKAGE_NAME=\"\(name)\"\n", to: "src/\(name)-1/dkms.conf")
      try machine.write("PACKAGE_NAME=good\n", to: "src/good-\(name)/dkms.conf")
      try machine.write("", to: "modules/\(name)/modules.order")
      try Files.makeDirectories(machine.path("var/good/1/\(name)/x86_64/module"))
      try Files.makeDirectories(machine.path("var/good/1/6.1/\(name)/module"))
    }
    try Self.register("good", "1", on: machine)
    try machine.write("PACKAGE_NAME=good\n", to: "src/good-1/dkms.conf")
    let lines = Self.harmless.map { "dkms \(Self.trees(of: machine)) \($0.line)" }
    let offers = try await shell.offers(for: lines, in: directory)
    for (test, offers) in zip(Self.harmless, offers) {
      #expect(offers == test.offers.split(separator: " ").map(String.init), "dkms \(test.line)")
    }
    #expect(Disk.list(directory) == [])
  }

  private static let harmless = [
    Case("remove ", "good/1"), Case("add ", ""), Case("build ", "good/1"), Case("install -m ", "good"),
    Case("remove -m good -v ", "1"), Case("install -k ", ""), Case("unbuild -k ", ""),
    Case("unbuild -k 6.1/", ""),
    Case("remove '$(touch${IFS}x) ", ""), Case("remove $(touch${IFS}x) -k ", ""),
    Case("--dkmstree=$(touch${IFS}x) remove ", ""),
  ]

  private static let hostileNames = [
    "a b", "$(touch x)", "`touch x`", "$(touch${IFS}x)", ";touch x", "'q", "\"q", "two\nlines", "-rf", "*",
    "{a,b}",
    "~root", "a\\b", "back\tforth", "a=b",
  ]

  @Test("Completions and help know the same actions and options", arguments: Shell.allCases)
  func help(_ shell: Shell) async throws {
    let help = try await HelpText.read()
    #expect(try await shell.offers(for: "dkms ") == help.actions)
    let offers = try await shell.offers(for: "dkms -") + shell.offers(for: "dkms --")
    #expect(Set(offers).sorted() == help.options)
  }

  // MARK: Trees

  private static let lts = "6.1.0-1-lts"
  private static let stable = "6.12.1-arch1-1+"
  private static let gone = "5.0.gone"

  private static func trees(of machine: MountedMachine) -> String {
    "--dkmstree=\(machine.path("var"))/ --sourcetree \(machine.path("src")) --installtree=\(machine.path("modules"))"
  }

  /// A machine with modules and kernels in every state.
  private static func machine() throws -> MountedMachine {
    let machine = try MountedMachine()
    for (name, version) in [
      ("hello", "1.0"), ("hello", "2.0"), ("hello-world", "1.1-2"), ("co:lon", "1:2"),
      ("fresh+plus", "3.0~rc1"),
    ] {
      try machine.write(
        "# Its name\nPACKAGE_NAME=\"\(name)\"\nPACKAGE_VERSION=\"\(version)\"\n",
        to: "src/\(name)-\(version)/dkms.conf")
      if name != "fresh+plus" { try register(name, version, on: machine) }
    }
    try machine.write(
      "PACKAGE_VERSION=2\r\n  export PACKAGE_NAME='late' # here\r\n", to: "src/late-2/dkms.conf")
    try machine.write("PACKAGE_NAME=$other\nPACKAGE_VERSION=1\n", to: "src/unknown-1/dkms.conf")
    try register("broken", "9", on: machine)
    try machine.write("", to: "modules/\(lts)/modules.order")
    try Files.makeDirectories(machine.path("modules/\(stable)/kernel"))
    try Files.makeDirectories(machine.path("modules/6.2-headers-only/build"))
    for (id, kernel) in [("hello/1.0", lts), ("hello/1.0", stable), ("hello-world/1.1-2", gone)] {
      try machine.write("", to: "var/\(id)/\(kernel)/x86_64/module/hello.ko")
    }
    try Files.link(machine.path("var/hello/kernel-\(lts)-x86_64"), to: FilePath("1.0/\(lts)/x86_64"))
    try machine.write("", to: "var/hello/original_module/\(lts)/x86_64/hello.ko")
    for name in ["dir/dkms.conf", "module.tar.gz", "notes"] { try machine.write("", to: "etc/cwd/\(name)") }
    return machine
  }

  private static func register(_ name: String, _ version: String, on machine: MountedMachine) throws {
    try Files.makeDirectories(machine.path("var/\(name)/\(version)/build"))
    try Files.link(machine.path("var/\(name)/\(version)/source"), to: machine.path("src/\(name)-\(version)"))
  }
}
