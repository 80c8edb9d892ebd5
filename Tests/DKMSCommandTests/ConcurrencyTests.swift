// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import TestSupport
import Testing

/// Runs beside each other, and runs that are killed.
@Suite(.requiresRoot, .requiresKernelHeaders)
struct ConcurrencyTests {
  // MARK: At once

  @Test("Two kernels at once, with real builds")
  func twoKernels() async throws {
    let alone = try await Prepared.sources()
    let machine = try await Prepared.sources()
    let (first, second) = (
      "install hello-world/1.0 -k \(Kernels.first)", "install hello-world/1.0 -k \(Kernels.second)"
    )
    try await alone.dkms(first).expect(0)
    let undisturbed = try await alone.dkms(second).expect(0)
    async let one = machine.dkms(first)
    async let other = machine.dkms(second)
    try await one.expect(0)
    try await other.expect(0)
    try await machine.dkms("status").expect(
      0, output: [Kernels.first, Kernels.second].map { "hello-world/1.0, \($0), x86_64: installed" }
    ).expectUnchanged(since: undisturbed.tree)
    for kernel in [Kernels.first, Kernels.second] {
      for place in ["var/hello-world/1.0/\(kernel)/x86_64/module", "modules/\(kernel)/updates/dkms"] {
        let module = "\(place)/hello_world.ko"
        #expect(try machine.bytes(module) == alone.bytes(module), "\(module)")
      }
    }
  }

  @Test("One kernel, several runs", arguments: ["install", "build", "install --force"])
  func oneKernel(_ action: String) async throws {
    let machine = try await Prepared.sources()
    try machine.addQuick(conf: #"MAKE[0]="sleep 0.3; ${MAKE[0]}""#)
    let alone = try await machine.copy()
    let words = "\(action) quick/1.0 -k \(Kernels.first)"
    let undisturbed = try await alone.dkms(words).expect(0)
    async let one = machine.dkms(words)
    async let two = machine.dkms(words)
    async let three = machine.dkms(words)
    for outcome in try await [one, two, three] { outcome.expect(0) }
    try await machine.dkms("status").expect(0).expectUnchanged(since: undisturbed.tree)
  }

  @Test("Installations and removals at once end in the one state or the other")
  func opposites() async throws {
    let machine = try await Prepared.machine(.installed)
    let installed = machine.tree
    let kernel = "quick/1.0 -k \(Kernels.first)"
    async let one = machine.dkms("install --force \(kernel)")
    async let two = machine.dkms("uninstall \(kernel)")
    async let three = machine.dkms("install --force \(kernel)")
    for outcome in try await [one, two, three] { outcome.expect(0) }
    let lines = try await machine.dkms("status").expect(0).lines
    let line = "quick/1.0, \(Kernels.first), x86_64: "
    #expect(lines == ["\(line)installed"] || lines == ["\(line)built"])
    try await machine.dkms("install \(kernel)").expect(0).expectUnchanged(since: installed)
  }

  @Test("Two versions of one module at once: one of them is installed, whole")
  func twoVersions() async throws {
    let machine = try await Prepared.sources()
    for version in ["1.0", "1.1"] { try machine.addQuick("quick", version) }
    async let one = machine.dkms("install quick/1.0 -k \(Kernels.first) --force-version-override")
    async let other = machine.dkms("install quick/1.1 -k \(Kernels.first) --force-version-override")
    try await one.expect(0)
    try await other.expect(0)
    let lines = try await machine.dkms("status").expect(0).lines
    #expect(lines.count == 2)
    #expect(lines.filter { $0.hasSuffix(": installed") }.count == 1, "\(lines)")
    #expect(lines.filter { $0.hasSuffix(": built") }.count == 1, "\(lines)")
  }

  // MARK: Killed

  /// Where a run of `dkms` is killed: in a script or tool that it has started.
  private static let instants = [
    "POST_ADD", "PRE_BUILD", "MAKE", "POST_BUILD", "PRE_INSTALL", "POST_INSTALL", "openssl", "cp", "strip",
    "sign-file", "depmod",
  ]

  /// Waits at its instant until `dkms` has been killed, and it with it.
  private static let halt = """
    if [[ -e /etc/dkms/kill-INSTANT ]]; then
      : > /etc/dkms/reached
      exec sleep 300
    fi
    """

  private static let environment = ["PATH": "/etc/dkms/bin:/usr/sbin:/usr/bin"]

  private func mortalMachine() async throws -> MountedMachine {
    let machine = try await Prepared.sources()
    let scripts = ["POST_ADD", "PRE_BUILD", "POST_BUILD", "PRE_INSTALL", "POST_INSTALL", "POST_REMOVE"]
    let conf = scripts.map { "\($0)=hook-\($0)" } + [#"MAKE[0]="./hook-MAKE; ${MAKE[0]}""#]
    try machine.addQuick(conf: conf.joined(separator: "\n"))
    let ends = ["POST_BUILD": ": > /var/lib/dkms/quick/1.0/\(Kernels.first)/x86_64/log/post-build"]
    for script in scripts + ["MAKE"] {
      try machine.addScript(
        Self.halt.replacing("INSTANT", with: script) + "\n" + (ends[script] ?? ""),
        at: "src/quick-1.0/hook-\(script)")
    }
    let signFile = "/usr/lib/modules/\(Kernels.first)/build/scripts"
    for tool in ["openssl", "cp", "strip", "sign-file", "depmod"] {
      try machine.addScript(
        Self.halt.replacing("INSTANT", with: tool)
          + "\nPATH=/usr/sbin:/usr/bin:\(signFile); exec \(tool) \"$@\"", at: "etc/bin/\(tool)")
    }
    try machine.sign("sign_file=/etc/dkms/bin/sign-file")
    return machine
  }

  /// Kills a call of `dkms` when it has come to an instant and what it does beside that has led to a condition.
  private func kill(
    _ words: String, at instant: String, when condition: String = "true", on machine: MountedMachine
  ) async throws {
    try machine.write("", to: "etc/kill-\(instant)")
    let run = try await machine.shell(
      """
      set -m
      /mnt/dkms \(words) &
      until { [[ -e /etc/dkms/reached ]] && \(condition); } || ! kill -0 $!; do sleep 0.05; done
      kill -9 $!
      wait $!
      """, environment: Self.environment)
    #expect(run.status == 137, "\(run)")
    for name in ["etc/kill-\(instant)", "etc/reached"] { try machine.remove(name) }
  }

  @Test("Killed in the middle of an installation, the next run makes it whole", arguments: instants)
  func killedInstallation(_ instant: String) async throws {
    let machine = try await mortalMachine()
    let alone = try await machine.copy()
    let words = "install quick/1.0 -k \(Kernels.first)"
    let undisturbed = try await alone.dkms(words, environment: Self.environment).expect(0)
    try await kill(words, at: instant, on: machine)
    try await machine.dkms(words, environment: Self.environment).expect(0)
      .expectUnchanged(since: undisturbed.tree)
    try await machine.dkms("status").expect(0, output: ["quick/1.0, \(Kernels.first), x86_64: installed"])
  }

  @Test("Killed in the middle of a removal, the next run ends it", arguments: ["POST_REMOVE", "depmod"])
  func killedRemoval(_ instant: String) async throws {
    let machine = try await mortalMachine()
    try await machine.dkms("install quick/1.0 -k \(Kernels.first)").expect(0)
    let alone = try await machine.copy()
    let undisturbed = try await alone.dkms("remove quick/1.0 --all", environment: Self.environment).expect(0)
    try await kill("remove quick/1.0 --all", at: instant, on: machine)
    let second = try await machine.dkms("remove quick/1.0 --all", environment: Self.environment)
    #expect([0, 3].contains(second.status), "\(second)")
    second.expectUnchanged(since: undisturbed.tree)
  }

  @Test(
    "What a removal that was killed left in modules.dep goes with the next run for that kernel",
    arguments: [
      "autoinstall -k", "install hello-world/1.0 -k", "build hello-world/1.0 -k", "add hello-world/1.0 -k",
    ])
  func dependenciesOfAKilledRemoval(_ action: String) async throws {
    let machine = try await mortalMachine()
    try await machine.dkms("install quick/1.0 -k \(Kernels.first)").expect(0)
    let dependencies = "modules/\(Kernels.first)/modules.dep"
    #expect(try machine.text(dependencies).contains("quick.ko"))
    // Half removed, the next autoinstall would have it again.
    try await kill(
      "remove quick/1.0 --all", at: "depmod", when: "[[ ! -e /var/lib/dkms/quick ]]", on: machine)
    #expect(try machine.text(dependencies).contains("quick.ko"), "the kill came before depmod")
    try await machine.dkms("\(action) \(Kernels.first)").expect(0)
    #expect(try !machine.text(dependencies).contains("quick.ko"))
  }

  @Test(
    "A registration that was cut short, or that another run has just begun, is completed",
    arguments: [
      ("var/quick/1.0", "add quick/1.0"), ("var/quick/1.0", "install quick/1.0 -k \(Kernels.first)"),
      // What the reference leaves there. It is what a module has left that lost its link: nothing but adding it helps.
      ("var/quick/1.0/build", "add quick/1.0"),
    ])
  func registrationCutShort(_ directory: String, _ words: String) async throws {
    let machine = try await Prepared.sources()
    try machine.addQuick()
    let undisturbed = try await machine.copy().dkms(words).expect(0)
    try Files.makeDirectories(machine.path(directory))
    try await machine.dkms(words).expect(0).expectUnchanged(since: undisturbed.tree)
  }

  @Test("Killed again and again, at any time")
  func killedAnywhere() async throws {
    let machine = try await Prepared.sources()
    try machine.addQuick()
    let alone = try await machine.copy()
    let words = "install quick/1.0 -k \(Kernels.first)"
    let undisturbed = try await alone.dkms(words).expect(0)
    for milliseconds in [5, 10, 15, 20, 30, 40, 60, 80, 110, 150, 200] {
      let run = try await machine.shell(
        """
        /mnt/dkms \(words) & sleep \(Double(milliseconds) / 1000)
        kill -9 $!; wait $!; true
        """)
      #expect(run.status == 0, "\(run)")
    }
    try await machine.dkms(words).expect(0).expectUnchanged(since: undisturbed.tree)
  }
}
