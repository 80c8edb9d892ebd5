// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import TestSupport
import Testing

/// Modules that were in a kernel before ours come back when ours go, byte for byte.
@Suite(.requiresRoot, .requiresKernelHeaders)
struct OriginalModuleTests {
  private let kernel = Kernels.first

  private func place(_ directory: String) -> String { "modules/\(kernel)/\(directory)/quick.ko" }

  private var archive: String { "var/quick/original_module/\(kernel)/x86_64/quick.ko" }

  /// Each module of the name, with its permissions and its time.
  private func list(_ machine: MountedMachine) async throws -> [String] {
    let run = try await machine.shell(
      "cd /usr/lib/modules/\(kernel) && find . -name quick.ko -exec stat -c '%n %a %y' {} + | sort")
    return run.lines
  }

  @Test(
    "Those in the way are put away, and come back as they were",
    arguments: [["extra"], ["updates"], ["updates/dkms"], ["extra/deep", "updates/deep", "updates"]])
  func putAway(_ directories: [String]) async throws {
    let machine = try await Prepared.machine(.built)
    for directory in directories { try machine.write("\(directory)'s own", to: place(directory)) }
    let change = "find /usr/lib/modules -name quick.ko -exec chmod 640 {} + -exec touch -d 2001-01-01 {} +"
    #expect(try await machine.shell(change).status == 0)
    let before = (tree: machine.tree, list: try await list(machine))
    #expect(before.list.count == directories.count)

    try await machine.dkms("install quick/1.0 -k \(kernel) --no-depmod").expect(0)
    let during = try await list(machine)
    #expect(during.count == 1 && during[0].hasPrefix("./updates/dkms/quick.ko 644 "))
    try await machine.dkms("install quick/1.0 -k \(kernel) --no-depmod --force").expect(0)
    try await machine.dkms("status").expect(
      0, output: ["quick/1.0, \(kernel), x86_64: installed (Original modules exist)"])

    try await machine.dkms("uninstall quick/1.0 -k \(kernel) --no-depmod").expect(0)
      .expectUnchanged(since: before.tree)
    for directory in directories { #expect(try machine.text(place(directory)) == "\(directory)'s own") }
    #expect(try await list(machine) == before.list)
  }

  /// What nobody has compared is not taken for older or newer, or the original would be lost in the end.
  @Test(
    "Where modinfo gives no answer nothing is changed, and the same call later does it all",
    arguments: [
      "kill -KILL $$", "exit 1", "exit 0",
      "echo 'error while loading shared libraries: libzstd.so.1: failed to map' >&2; exit 127",
      // There was no room for the rest of what it prints.
      #"printf 'filename:       %s' "$2""#,
    ])
  func noAnswer(_ modinfo: String) async throws {
    let machine = try await Prepared.machine(.built)
    try machine.write("its own", to: place("updates/dkms"))
    let before = machine.tree
    try machine.addScript(modinfo, at: "tools/modinfo")
    let run = try await machine.shell(
      "PATH=\(machine.path("tools")):$PATH /mnt/dkms install quick/1.0 -k \(kernel) --no-depmod")
    #expect(run.status != 0 && run.errorOutput.contains("modinfo gave no answer"), "\(run)")
    #expect(machine.tree == before)
    #expect(try machine.text(place("updates/dkms")) == "its own")
    try await machine.dkms("install quick/1.0 -k \(kernel) --no-depmod").expect(0)
    #expect(try machine.text(archive) == "its own")
  }

  @Test(
    "Between install and uninstall depmod sees ours, then the original again",
    arguments: [
      "extra", "updates", "kernel/drivers",
    ])
  func precedence(_ directory: String) async throws {
    let machine = try await Prepared.machine(.source)
    let original = try machine.bytes("src/prebuilt/\(kernel).ko")
    try machine.write(bytes: original, to: place(directory))
    // A newer one, or the version check would leave the original alone.
    try await machine.dkms("build hello-world/1.1 -k \(kernel)").expect(0)
    let newer = "var/hello-world/1.1/\(kernel)/x86_64/module/hello_world.ko"
    try machine.write(bytes: try machine.bytes(newer), to: "src/prebuilt/\(kernel).ko")
    try await machine.dkms("remove hello-world/1.1 --all").expect(0)

    let dependencies = "modules/\(kernel)/modules.dep"
    try await machine.dkms("install quick/1.0 -k \(kernel)").expect(0)
    #expect(try machine.text(dependencies) == "updates/dkms/quick.ko:\n")
    try await machine.dkms("remove quick/1.0 --all").expect(0)
    #expect(try machine.text(dependencies) == "\(directory)/quick.ko:\n")
    #expect(try machine.bytes(place(directory)) == original)
    #expect(!machine.exists("var/quick"))
  }

  /// On Debian the reference at hand leaves originals alone, and loses those that another has put away.
  @Test(
    "What one puts away the other puts back", .requiresReference,
    arguments: [MountedMachine.Program.ours, .reference], [MountedMachine.Program.ours, .reference])
  func either(_ first: MountedMachine.Program, _ second: MountedMachine.Program) async throws {
    let machine = try await Prepared.machine(.built)
    try machine.write("ID=arch\n", to: "etc/os-release")
    // Where the dkms.conf says, which is all that the reference at hand remembers.
    try machine.write("somebody else's", to: place("extra"))
    let before = machine.tree
    let onArch = #"mount --bind /etc/dkms/os-release /etc/os-release && exec dkms "$@""#
    let install = try await machine.shell(
      onArch, ["install", "quick/1.0", "-k", kernel, "--no-depmod"], by: first)
    #expect(install.status == 0, "\(install)")
    #expect(!machine.exists(place("extra")) && machine.exists(place("updates/dkms")))
    #expect(try machine.text(archive) == "somebody else's")
    for program in [MountedMachine.Program.ours, .reference] {
      try await machine.dkms("status", by: program).expect(
        0, output: ["quick/1.0, \(kernel), x86_64: installed (Original modules exist)"])
    }
    let uninstall = try await machine.shell(
      onArch, ["uninstall", "quick/1.0", "-k", kernel, "--no-depmod"], by: second)
    #expect(uninstall.status == 0, "\(uninstall)")
    #expect(machine.tree.filter { !$0.contains("/modules.") } == before.filter { !$0.contains("/modules.") })
    #expect(try machine.text(place("extra")) == "somebody else's")
  }

  /// The reference puts these away; ours leaves them where they are.
  private func withOwnPutAway() async throws -> MountedMachine {
    let machine = try await Prepared.machine(.installed)
    try machine.write("the kernel's own", to: archive)
    try machine.write(
      "/usr/lib/modules/\(kernel)/kernel/drivers/quick.ko\n", to: "\(archive).origin")
    try Files.makeDirectories(machine.path("modules/\(kernel)/kernel/drivers"))
    return machine
  }

  @Test("The kernel's own that the reference has put away comes back")
  func ownOfTheKernel() async throws {
    let machine = try await withOwnPutAway()
    try await machine.dkms("uninstall quick/1.0 -k \(kernel) --no-depmod").expect(0)
    #expect(try machine.text(place("kernel/drivers")) == "the kernel's own")
    #expect(!machine.exists("var/quick/original_module"))
  }

  @Test("It stays away where the kernel's package has put it there anew")
  func ownOfTheKernelAnew() async throws {
    let machine = try await withOwnPutAway()
    try machine.write("new", to: place("kernel/drivers"))
    try await machine.dkms("uninstall quick/1.0 -k \(kernel) --no-depmod").expect(0)
    #expect(try machine.text(place("kernel/drivers")) == "new")
    #expect(!machine.exists("var/quick/original_module"))
  }

  @Test("It stays away where the kernel has gone")
  func ownOfAKernelThatHasGone() async throws {
    let machine = try await withOwnPutAway()
    // What a package manager leaves: what is not the package's.
    for name in Disk.list(machine.path("modules/\(kernel)")) where name != "updates" {
      try machine.remove("modules/\(kernel)/\(name)")
    }
    try await machine.dkms("remove quick/1.0 --all").expect(0)
    #expect(machine.tree.filter { $0.contains(kernel) && !$0.hasPrefix("src/") }.isEmpty)
  }

  @Test(
    "One that lies elsewhere returns there, by either name of that place", arguments: ["/usr/lib", "/lib"])
  func elsewhere(_ prefix: String) async throws {
    let machine = try await Prepared.machine(.installed)
    try machine.write("the kernel's own", to: archive)
    try machine.write("\(prefix)/modules/\(kernel)/kernel/drivers/quick.ko\n", to: "\(archive).origin")
    try await machine.dkms("uninstall quick/1.0 -k \(kernel)").expect(0)
    #expect((try? machine.text(place("kernel/drivers"))) == "the kernel's own")
    #expect(!machine.exists("var/quick/original_module"))
  }

  @Test("One that cannot return is kept", arguments: ["/etc/dkms/quick.ko", ""])
  func cannotReturn(_ origin: String) async throws {
    let machine = try await Prepared.machine(.installed)
    try machine.write("the kernel's own", to: archive)
    try machine.write("\(origin)\n", to: "\(archive).origin")
    try await machine.dkms("uninstall quick/1.0 -k \(kernel)").expect(0)
    #expect((try? machine.text(archive)) == "the kernel's own")
    #expect(!machine.exists("etc/quick.ko"))
  }
}

/// Modules that were left in their place, since they are newer than ours: they are not ours, whatever comes later.
@Suite(.requiresRoot, .requiresKernelHeaders)
struct RefusedModuleTests {
  private let kernel = Kernels.first
  private var place: String { "modules/\(kernel)/updates/dkms/quick_two.ko" }

  /// quick/1.0, installed but for one of its two modules, of which there is a newer one.
  private func machine() async throws -> (machine: MountedMachine, newer: [UInt8]) {
    let machine = try await Prepared.sources()
    try await machine.dkms("build hello-world/1.1 -k \(kernel)").expect(0)
    let newer = try machine.bytes("var/hello-world/1.1/\(kernel)/x86_64/module/hello_world.ko")
    try await machine.dkms("remove hello-world/1.1 --all").expect(0)
    try machine.write(bytes: newer, to: "src/prebuilt/newer.ko")
    for (version, first) in [("1.0", "$kernelver"), ("1.1", "newer")] {
      try machine.addQuick(
        "quick", version,
        conf: """
          MAKE[0]="cp /usr/src/prebuilt/\(first).ko quick.ko; cp /usr/src/prebuilt/$kernelver.ko quick_two.ko"
          BUILT_MODULE_NAME[1]="quick_two"
          DEST_MODULE_LOCATION[1]="/extra"
          """)
    }
    try machine.write(bytes: newer, to: place)
    try await machine.dkms("install quick/1.0 -k \(kernel)").expect(0, says: ["quick_two.ko is newer"])
    #expect(try machine.bytes(place) == newer)
    return (machine, newer)
  }

  @Test(
    "Whatever overwrites them puts them away, and they are there when ours is gone",
    arguments: [
      [], ["install --force quick/1.0"], ["build --force quick/1.0", "install --force quick/1.0"],
      ["autoinstall"], ["install quick/1.1"], ["install --force quick/1.1"],
    ])
  func stay(_ calls: [String]) async throws {
    let (machine, newer) = try await machine()
    for call in calls { try await machine.dkms("\(call) -k \(kernel)").expect(0) }
    let isOverwritten = calls.last?.contains("--force") == true || calls == ["autoinstall"]
    #expect(try (machine.bytes(place) != newer) == isOverwritten)
    for version in Disk.list(machine.path("var/quick")) where version.hasPrefix("1.") {
      try await machine.dkms("remove quick/\(version) --all").expect(0)
    }
    #expect(try machine.bytes(place) == newer)
    #expect(machine.tree.filter { $0.hasSuffix(".ko") && $0.hasPrefix("modules/") } == [place])
    #expect(!machine.exists("var/quick"))
  }

  @Test("One is refused again where the same call is made again")
  func again() async throws {
    let (machine, newer) = try await machine()
    let before = machine.tree
    try await machine.dkms("install quick/1.0 -k \(kernel)")
      .expect(0, says: ["quick_two.ko is newer"]).expectUnchanged(since: before)
    #expect(try machine.bytes(place) == newer)
  }

  @Test("One that came beside ours after the installation is put away by the next, and comes back")
  func cameLater() async throws {
    let machine = try await Prepared.machine(.installed)
    let place = "modules/\(kernel)/extra/quick.ko"
    try machine.write("somebody else's", to: place)
    try await machine.dkms("install --force quick/1.0 -k \(kernel)").expect(0)
    #expect(!machine.exists(place))
    try await machine.dkms("uninstall quick/1.0 -k \(kernel)").expect(0)
    #expect(try machine.text(place) == "somebody else's")
  }
}

/// depmod that fails after an installation.
@Suite(.requiresRoot, .requiresKernelHeaders)
struct FailedDepmodTests {
  @Test(
    "What was installed before comes back where depmod fails",
    arguments: ["exit 1", "kill -KILL $$"])
  func comesBack(_ end: String) async throws {
    let kernel = Kernels.first
    let machine = try await Prepared.machine(.installed)
    try machine.addQuick("quick", "1.1")
    let before = machine.tree.filter { $0.hasPrefix("modules/") }
    try machine.addScript(end, at: "tools/depmod")
    let run = try await machine.shell(
      "PATH=\(machine.path("tools")):$PATH /mnt/dkms install quick/1.1 -k \(kernel)")
    #expect(run.status == 6, "\(run)")
    #expect(machine.tree.filter { $0.hasPrefix("modules/") } == before)
    try await machine.dkms("status quick").expect(
      0, output: ["quick/1.0, \(kernel), x86_64: installed", "quick/1.1, \(kernel), x86_64: built"])
  }

  /// Makes a machine whose kernel has modules in an order that is not that of its directory.
  private func orderedMachine() async throws -> MountedMachine {
    let kernel = Kernels.first
    let machine = try await Prepared.machine(.installed)
    let module = try machine.bytes("src/prebuilt/\(kernel).ko")
    for name in ["one", "two", "three"] {
      try machine.write(bytes: module, to: "modules/\(kernel)/kernel/\(name).ko")
    }
    try Depmod.run(on: machine.path("modules"), for: kernel)
    let files = try machine.text("modules/\(kernel)/modules.dep").split(separator: "\n")
      .map { $0.dropLast() }.filter { $0.hasPrefix("kernel/") }
    try machine.write(
      files.reversed().map { "\($0)\n" }.joined(), to: "modules/\(kernel)/modules.order")
    try Depmod.run(on: machine.path("modules"), for: kernel)
    return machine
  }

  @Test("Where depmod does not read all, what it wrote is not used, and the next run writes it anew")
  func unreadOrder() async throws {
    let kernel = Kernels.first
    let (machine, undisturbed) = (try await orderedMachine(), try await orderedMachine())
    try await undisturbed.dkms("remove quick/1.0 --all").expect(0)
    // It says so, and ends well.
    try machine.addScript(
      #"rm "$2/lib/modules/"*/modules.order; exec /usr/sbin/depmod "$@""#, at: "tools/depmod")
    let run = try await machine.shell(
      "PATH=\(machine.path("tools")):$PATH /mnt/dkms remove quick/1.0 --all")
    #expect(run.status == 6 && run.errorOutput.contains("modules.order"), "\(run)")
    try await machine.dkms("autoinstall -k \(kernel)").expect(0)
    #expect(machine.tree == undisturbed.tree)
    let dependencies = "modules/\(kernel)/modules.dep"
    #expect(try machine.text(dependencies) == undisturbed.text(dependencies))
  }

  @Test("What another program has had written without the order of the modules is written anew")
  func unorderedIndex() async throws {
    let kernel = Kernels.first
    let machine = try await orderedMachine()
    let (order, dependencies) = ("modules/\(kernel)/modules.order", "modules/\(kernel)/modules.dep")
    let (lines, right) = (try machine.text(order), try machine.text(dependencies))
    try machine.remove(order)
    try Depmod.run(on: machine.path("modules"), for: kernel)
    try machine.write(lines, to: order)
    #expect(try machine.text(dependencies) != right)
    try await machine.dkms("autoinstall -k \(kernel)").expect(0)
    #expect(try machine.text(dependencies) == right)
  }
}
