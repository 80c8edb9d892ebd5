// SPDX-License-Identifier: GPL-2.0-or-later

import TestSupport
import Testing

/// Every action, on a module in every state, does what the reference does.
@Suite(.requiresRoot, .requiresKernelHeaders, .requiresReference)
struct ActionTests {
  /// An action with its arguments, on a machine where quick/1.0 is in some state.
  struct Case: CustomTestStringConvertible {
    let state: Prepared.State
    let words: String
    var testDescription: String { "\(words), \(state.rawValue)" }
  }

  private static let cases = Prepared.State.allCases.flatMap { state in
    [
      "add quick/1.0", "build quick/1.0 -k K", "install quick/1.0 -k K", "uninstall quick/1.0 -k K",
      "unbuild quick/1.0 -k K", "remove quick/1.0 --all", "autoinstall -k K",
    ].flatMap { [$0, "\($0) --force"] }.map { Case(state: state, words: $0) }
  }

  @Test("Once and again: status, lines and files are the reference's", arguments: cases)
  func action(_ test: Case) async throws {
    let pair = try await Pair(Prepared.machine(test.state))
    let words = test.words.replacing(" K", with: " \(Kernels.first)")
    try await pair.dkms(words)
    try await pair.dkms(words)
  }

  @Test("A whole life, for two kernels and two versions")
  func life() async throws {
    let machine = try await Prepared.sources()
    for version in ["1.0", "1.1"] { try machine.addQuick("quick", version) }
    let pair = try await Pair(machine)
    let (first, second) = (Kernels.first, Kernels.second)
    for words in [
      "install quick/1.0 -k \(first) -k \(second)", "status", "build quick/1.1 -k \(first)", "status",
      // By force, since its modules are the same; the one that is matched ends with 6 else, the one at hand with 0.
      "install quick/1.1 -k \(first) --force", "status", "uninstall quick/1.0 -k \(first)", "status",
      "install --force quick/1.0 -k \(first)", "status", "uninstall quick/1.1 -k \(first)", "status",
      "unbuild quick/1.1 --all", "status", "autoinstall -k \(first)", "status", "remove quick/1.0 --all",
      "status",
      "remove quick/1.1 --all", "status",
    ] { try await pair.dkms(words) }
  }

  @Test("Removal for one kernel of two keeps the other")
  func removeForOneKernel() async throws {
    let machine = try await Prepared.sources()
    try machine.addQuick()
    let pair = try await Pair(machine)
    try await pair.dkms("install quick/1.0 -k \(Kernels.first) -k \(Kernels.second)")
    try await pair.dkms("remove quick/1.0 -k \(Kernels.first)")
    try await pair.dkms("status")
  }

  @Test("No build directory is left, however builds and installations of one call overlap")
  func buildDirectoryOfSeveralKernels() async throws {
    let machine = try await Prepared.sources()
    try machine.addQuick(conf: #"PRE_INSTALL="wait-for-the-other $kernelver""#)
    // The first kernel's installation goes on until the second one's build has ended.
    try machine.addScript(
      """
      [[ $1 == \(Kernels.first) ]] || exit 0
      for try in {1..3000}; do
        [[ -d /var/lib/dkms/quick/1.0/\(Kernels.second)/x86_64/module ]] && exec sleep 0.5
        sleep 0.1
      done
      """, at: "src/quick-1.0/wait-for-the-other")
    try await machine.dkms("install quick/1.0 -k \(Kernels.first) -k \(Kernels.second)").expect(0)
    #expect(!machine.exists("var/quick/1.0/build"))
  }

  @Test(
    "A kernel that is named twice is one kernel", arguments: ["build", "install", "uninstall", "unbuild"])
  func kernelNamedTwice(_ action: String) async throws {
    let pair = try await Pair(Prepared.machine(action.hasPrefix("un") ? .installed : .added))
    let kernel = Kernels.first
    try await pair.dkms("\(action) quick/1.0 -k \(kernel) -k \(kernel)/x86_64 -k \(kernel)").expect(0)
    try await pair.dkms("status").expect(0)
  }

  @Test("Removal, too, of a kernel that is named twice")
  func removeForKernelNamedTwice() async throws {
    let pair = try await Pair(Prepared.machine(.installed))
    try await pair.dkms("remove quick/1.0 -k \(Kernels.first) -k \(Kernels.first)").expect(0)
    try await pair.dkms("status").expect(0, output: [])
  }

  @Test("Removal for the last kernel, or for one that it is not built for, forgets the module")
  func removeForLastKernel() async throws {
    for state in [Prepared.State.added, .built, .installed] {
      let pair = try await Pair(Prepared.machine(state))
      try await pair.dkms("remove quick/1.0 -k \(Kernels.first)").expect(0)
      try await pair.dkms("status").expect(0, output: [])
    }
    let pair = try await Pair(Prepared.machine(.installed))
    try await pair.dkms("remove quick/1.0 -k \(Kernels.second)").expect(0)
    try await pair.dkms("status").expect(0, output: ["quick/1.0, \(Kernels.first), x86_64: installed"])
  }

  @Test("What a kernel's removal clears stays registered, so that the next kernel gets it")
  func kernelRemoval() async throws {
    let machine = try await Prepared.machine(.installed)
    try await machine.dkms("kernel_prerm -k \(Kernels.first)").expect(0)
    try await machine.dkms("status").expect(0, output: ["quick/1.0: added"])
    try await machine.dkms("autoinstall -k \(Kernels.second)").expect(0)
    try await machine.dkms("status").expect(0, output: ["quick/1.0, \(Kernels.second), x86_64: installed"])
  }

  @Test("install --all installs for every kernel, remove --all undoes all of it")
  func allKernels() async throws {
    let machine = try await Prepared.sources()
    try machine.addQuick()
    let before = machine.tree
    try await machine.dkms("install quick/1.0 --all --no-depmod").expect(0)
    try await machine.dkms("status").expect(
      0, output: [Kernels.first, Kernels.second].map { "quick/1.0, \($0), x86_64: installed" })
    try await machine.dkms("remove quick/1.0 --all --no-depmod").expect(0).expectUnchanged(since: before)
  }

  @Test("Trees in other places, named by options")
  func otherTrees() async throws {
    let pair = try await Pair(Prepared.sources())
    let trees = "--dkmstree /var/lib/dkms/other --sourcetree /usr/src/there --installtree /usr/lib/modules"
    try pair.change { machine in
      try machine.addQuick(in: "src/there")
      try machine.write("", to: "var/other/.keep")
    }
    for words in [
      "add quick/1.0", "install quick/1.0 -k \(Kernels.first)", "status",
      "uninstall quick/1.0 -k \(Kernels.first)",
      "remove quick/1.0 --all",
    ] { try await pair.dkms("\(words) \(trees)") }
  }

  @Test("Trees may be named from the current directory")
  func relativeTrees() async throws {
    let machine = try await Prepared.machine(.source)
    let trees = "--dkmstree lib/dkms --sourcetree ../usr/src --installtree ../usr/lib/modules"
    let run = try await machine.shell(
      "cd /var && dkms install quick/1.0 -k \(Kernels.first) \(trees) && dkms status \(trees)")
    #expect(run.status == 0, "\(run)")
    #expect(run.lines.last == "quick/1.0, \(Kernels.first), x86_64: installed", "\(run)")
    try await machine.dkms("status").expect(0, output: ["quick/1.0, \(Kernels.first), x86_64: installed"])
  }

  @Test("So may a dkms.conf and headers")
  func relativeFiles() async throws {
    let machine = try await Prepared.machine(.added)
    try machine.write(
      #"""
      PACKAGE_NAME=quick
      PACKAGE_VERSION=1.0
      MAKE="[ -d $kernel_source_dir/include ] && cp /usr/src/prebuilt/$kernelver.ko other.ko"
      BUILT_MODULE_NAME=other
      DEST_MODULE_LOCATION=/extra
      """#, to: "src/other.conf")
    let headers = "--kernelsourcedir ../lib/modules/\(Kernels.first)/build"
    let run = try await machine.shell(
      "cd /usr/src && dkms build quick/1.0 -k \(Kernels.first) -c other.conf \(headers)")
    #expect(run.status == 0, "\(run)")
    #expect(machine.exists("var/quick/1.0/\(Kernels.first)/x86_64/module/other.ko"), "\(run)")
  }

  @Test("Directives and overrides")
  func configuration() async throws {
    let machine = try await Prepared.machine(.added)
    try machine.write("DEST_MODULE_NAME=renamed\n", to: "etc/quick.conf")
    let pair = try await Pair(machine)
    try await pair.dkms("build quick/1.0 -k \(Kernels.first)")
    #expect(pair.ours.exists("var/quick/1.0/\(Kernels.first)/x86_64/module/renamed.ko"))
    try await pair.dkms("unbuild quick/1.0 -k \(Kernels.first)")
    try await pair.dkms("build quick/1.0 -k \(Kernels.first) --directive=DEST_MODULE_NAME=directed")
    #expect(pair.ours.exists("var/quick/1.0/\(Kernels.first)/x86_64/module/directed.ko"))
  }

  @Test(
    "Scripts get the arguments that the reference hands them",
    arguments: [
      #"note a  b"#, #"note \"$kernelver\" $arch"#, #"note --empty=\"\" last"#,
      #"./note $module/$module_version"#,
    ])
  func scriptArguments(_ text: String) async throws {
    let machine = try await Prepared.sources()
    let kinds = ["POST_ADD", "PRE_BUILD", "POST_BUILD", "PRE_INSTALL", "POST_INSTALL", "POST_REMOVE"]
    try machine.addQuick(conf: kinds.map { "\($0)=\"\(text)\"" }.joined(separator: "\n"))
    try machine.addScript(
      #"{ printf '<%s>' "$@"; echo; } >> /etc/dkms/notes"#, at: "src/quick-1.0/note")
    let pair = try await Pair(machine)
    try await pair.dkms("install quick/1.0 -k \(Kernels.first)").expect(0)
    try await pair.dkms("remove quick/1.0 --all").expect(0)
    let notes = try pair.theirs.text("etc/notes")
    #expect(notes.split(separator: "\n").count == kinds.count)
    #expect(try pair.ours.text("etc/notes") == notes)
  }

  @Test("The build and its scripts find in their environment what the reference puts there")
  func environment() async throws {
    let machine = try await Prepared.sources()
    let kinds = ["POST_ADD", "PRE_BUILD", "POST_BUILD", "PRE_INSTALL", "POST_INSTALL"]
    try machine.addQuick(
      conf: kinds.map { "\($0)=note" }.joined(separator: "\n")
        + #"\#nMAKE[0]="./note && cp /usr/src/prebuilt/\$kernelver.ko \$module.ko""#)
    try machine.addScript(
      "env | grep -E '^(kernelver|arch|module|module_version|PWD)=' | sort >> /etc/dkms/notes",
      at: "src/quick-1.0/note")
    let pair = try await Pair(machine)
    try await pair.dkms("install quick/1.0 -k \(Kernels.first)").expect(0)
    let notes = try pair.theirs.text("etc/notes")
    #expect(notes.contains("kernelver=\(Kernels.first)\nmodule=quick\nmodule_version=1.0\n"))
    #expect(try pair.ours.text("etc/notes") == notes)
  }

  @Test(
    "A dkms.conf may read what lies in the current directory",
    arguments: [MountedMachine.Program.ours, .reference])
  func readsCurrentDirectory(_ program: MountedMachine.Program) async throws {
    let machine = try await Prepared.sources()
    try machine.addQuick(conf: "PACKAGE_VERSION=$(< version)")
    try machine.write("1.0\n", to: "src/quick-1.0/version")
    let run = try await machine.shell("cd /usr/src/quick-1.0 && dkms add .", by: program)
    #expect(run.status == 0, "\(run)")
    try await machine.dkms("status", by: program).expect(0, output: ["quick/1.0: added"])
  }

  @Test("no-autoinstall turns autoinstall off, and says so")
  func noAutoinstall() async throws {
    let machine = try await Prepared.machine(.added)
    try machine.write("", to: "etc/no-autoinstall")
    let before = machine.tree
    try await machine.dkms("autoinstall -k \(Kernels.first)")
      .expect(0, says: ["/etc/dkms/no-autoinstall"]).expectUnchanged(since: before)
    try await machine.dkms("install quick/1.0 -k \(Kernels.first)").expect(0)
  }

  @Test("-q says nothing, and the version is the one scripts look for")
  func words() async throws {
    let machine = try await Prepared.machine(.added)
    let quiet = try await machine.dkms("build -q quick/1.0 -k \(Kernels.first)").expect(0, output: [])
    #expect(quiet.run.errorOutput.isEmpty)
    let version = try await machine.dkms("--version").expect(0)
    #expect(version.lines.first == "dkms-3.4.3")
    let help = try await machine.dkms("--help").expect(0)
    for action in ["add", "build", "install", "uninstall", "unbuild", "remove", "status", "autoinstall"] {
      #expect(help.run.output.contains("\n  \(action) "), "\(action) is not explained")
    }
  }
}
