// SPDX-License-Identifier: GPL-2.0-or-later

import Glibc
import Host
import SystemPackage
import TestSupport
import Testing

/// Builds as a user without privilege, where that user exists, and what hostile ones come to.
@Suite(.requiresRoot, .requiresKernelHeaders, .timeLimit(.minutes(60)))
struct ConfinementTests {
  private static let kernel = Kernels.first

  /// A machine with the user, and with a module whose build command does something before it is done.
  private func machine(
    _ attack: String, settings: String = "", conf: String = ""
  ) async throws -> MountedMachine {
    let machine = try await Prepared.sources()
    try machine.addBuildUser(settings: settings)
    try machine.addQuick(conf: "MAKE[0]=\"./attack && cp /usr/src/prebuilt/$kernelver.ko quick.ko\"\n\(conf)")
    try machine.addScript(attack, at: "src/quick-1.0/attack")
    return machine
  }

  private func install(_ name: String = "quick/1.0", on machine: MountedMachine) async throws -> Outcome {
    try await machine.dkms("install \(name) -k \(Self.kernel) --no-depmod")
  }

  private static let warning = "built as root, with access to everything"

  // MARK: What builds get

  @Test("A real module is the same, whoever builds it, and make finds its jobs")
  func sameModule() async throws {
    let machine = try await Prepared.sources()
    let confined = try await machine.copy()
    try confined.addBuildUser()
    var modules: [[UInt8]] = []
    for machine in [machine, confined] {
      let outcome = try await install("hello-world/1.0", on: machine).expect(0)
      #expect(!outcome.run.errorOutput.contains(Self.warning))
      modules.append(try machine.bytes("modules/\(Self.kernel)/updates/dkms/hello_world.ko"))
    }
    #expect(modules[0] == modules[1])
    let log = "var/hello-world/1.0/\(Self.kernel)/x86_64/log/make.log"
    #expect(try confined.text(log).contains("Built as dkms-build, without network"))
    #expect(try !confined.text(log).contains("jobserver unavailable"))
    #expect(try !machine.text(log).contains("dkms-build"))
    #expect(machine.tree.filter { !$0.hasPrefix("etc/") } == confined.tree.filter { !$0.hasPrefix("etc/") })
    let owner = try await Run.program(
      "/usr/bin/stat",
      ["-c", "%u:%g:%a", confined.path("modules/\(Self.kernel)/updates/dkms/hello_world.ko").string])
    #expect(owner.output == "0:0:644\n")
  }

  @Test("A build is that user, with its directory and a place for temporary files to write to")
  func surroundings() async throws {
    let machine = try await machine(
      """
      set -e
      [[ $(id -u):$(id -g) == \(MountedMachine.buildUser):\(MountedMachine.buildUser) ]]
      [[ $(id -G) == $(id -g) ]]
      [[ $(grep -c 0000000000000000 <(grep ^Cap /proc/self/status)) == 5 ]]
      [[ $PWD == /var/lib/dkms/quick/1.0/build ]]
      touch own "$(mktemp)"
      echo more > /dev/null
      rm file
      """)
    try await install(on: machine).expect(0)
  }

  // MARK: What builds cannot do

  @Test(
    "A build that writes elsewhere fails, and nothing is written",
    arguments: [
      "/etc/dkms", "/usr/src", "/usr/src/quick-1.0", "/usr/lib/modules", "/var/lib/dkms", "/var/tmp", "/root",
    ])
  func writing(_ directory: String) async throws {
    // The permissions alone must not be what keeps it from writing.
    let machine = try await machine("echo evil > \(directory)/evil-of-a-build")
    let run = try await machine.shell(
      """
      chmod 777 /etc/dkms /usr/src /usr/src/quick-1.0 /usr/lib/modules
      dkms install quick/1.0 -k \(Self.kernel) --no-depmod; status=$?
      [[ ! -e \(directory)/evil-of-a-build ]] || echo written
      exit $status
      """)
    #expect(run.status == 10, "\(run)")
    #expect(!run.output.contains("written"))
    let reason = directory == "/root" ? "Permission denied" : "Read-only file system"
    #expect(run.errorOutput.contains(reason), "\(run)")
    #expect(!machine.exists("modules/\(Self.kernel)/updates"))
  }

  @Test("Namespaces of its own give a build nothing to write to")
  func remounting() async throws {
    let machine = try await machine(
      "unshare --map-root-user --mount bash -c 'mount -o remount,bind,rw /etc/dkms; : > /etc/dkms/evil'")
    try await install(on: machine).expect(10)
    #expect(!machine.exists("etc/evil"))
  }

  @Test("A build reaches no server, not even on this machine")
  func network() async throws {
    let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(server) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        #expect(
          bind(server, $0, length) == 0 && listen(server, 1) == 0 && getsockname(server, $0, &length) == 0)
      }
    }
    let command = "exec 3<>/dev/tcp/127.0.0.1/\(UInt16(bigEndian: address.sin_port))"
    // It can be reached from here, and is not from there.
    #expect(try await Run.program("/bin/bash", ["-c", command]).status == 0)
    let machine = try await machine(command)
    try await install(on: machine).expect(10, says: ["Network is unreachable"])
  }

  @Test("A build sees no other process and no socket")
  func processes() async throws {
    let secret = "secret-of-\(getpid())"
    let machine = try await machine(
      """
      for file in /proc/[0-9]*/environ; do ! grep -qsa \(secret) "$file" || exit 0; done
      for place in /run/* /dev/shm/*; do [[ ! -e $place ]] || exit 0; done
      (( $(ls -d /proc/[0-9]* | wc -l) < 12 )) || exit 0
      echo nothing to see; exit 1
      """)
    let run = try await machine.shell(
      """
      : > /dev/shm/\(secret)
      NAME=\(secret) sleep 300 & dkms install quick/1.0 -k \(Self.kernel) --no-depmod; status=$?
      kill $!; rm /dev/shm/\(secret); exit $status
      """)
    #expect(run.status == 10, "\(run)")
    #expect(
      try machine.text("var/quick/1.0/build/\(Self.kernel)-x86_64/make.log").contains("nothing to see"))
  }

  @Test("A build has no terminal to type at")
  func terminal() async throws {
    let machine = try await machine("exec 3<>/dev/tty && : > /etc/dkms/opened")
    let words = "dkms install quick/1.0 -k \(Self.kernel) --no-depmod"
    let run = try await machine.shell(
      "script -qec 'exec 3<>/dev/tty && echo a terminal' /dev/null; script -qec '/mnt/\(words)' /dev/null")
    #expect(run.output.contains("a terminal"))
    #expect(run.status == 10, "\(run)")
    #expect(
      try machine.text("var/quick/1.0/build/\(Self.kernel)-x86_64/make.log")
        .contains("/dev/tty: No such device or address"))
  }

  // MARK: What builds cannot use up

  @Test("A build that forks without end is stopped, and its neighbour finishes", .requiresControlGroups)
  func forkBomb() async throws {
    let machine = try await machine(
      "bomb() { bomb | bomb & }; bomb; sleep 300", settings: "process-limit = 60")
    try machine.addQuick("neighbour")
    for name in ["quick", "neighbour"] { try await machine.dkms("add \(name)/1.0").expect(0) }
    let outcome = try await machine.dkms("autoinstall -k \(Self.kernel)")
    outcome.expect(
      outcome.status,
      says: [
        "quick/1.0 for \(Self.kernel): the build was stopped because it wanted more than 60 processes",
        "set a higher process-limit in /etc/alpm-dkms.conf",
      ])
    #expect(outcome.status != 0)
    #expect(machine.exists("modules/\(Self.kernel)/updates/dkms/neighbour.ko"))
  }

  @Test("A build that eats all memory is stopped", .requiresControlGroups)
  func memory() async throws {
    let machine = try await machine(
      "x=$(head -c 300M /dev/zero | tr '\\0' x); sleep 1", settings: "memory-limit = 64M")
    try await install(on: machine).expect(
      10,
      says: [
        "the build was stopped because it needed more than 64 MiB of memory",
        "set a higher memory-limit in /etc/alpm-dkms.conf",
      ])
  }

  @Test("A build that never ends is stopped, however much it prints")
  func time() async throws {
    let machine = try await machine("while :; do echo busy; sleep 0.1; done", settings: "time-limit = 2s")
    try await install(on: machine).expect(
      10, says: ["the build was stopped because it had run for 2 seconds", "set a higher time-limit in"])
    #expect(
      try machine.text("var/quick/1.0/build/\(Self.kernel)-x86_64/make.log")
        .contains("# stopped because it had run for 2 seconds"))
  }

  // MARK: What builds leave

  @Test(
    "What leads out of the build directory is not taken",
    arguments: [
      ("ln -s /etc/shadow quick.ko; false", ""),
      ("ln -s /usr/src/outside sub", #"BUILT_MODULE_LOCATION[0]="sub""#),
      ("ln -s /etc/shadow Module.symvers", ""),
    ])
  func links(_ attack: String, _ conf: String) async throws {
    let machine = try await machine("\(attack)\nexit 0", conf: conf)
    try machine.write("outside\n", to: "src/outside/quick.ko")
    if attack.hasSuffix("false") { try machine.addQuick(conf: "MAKE[0]=./attack") }
    try await install(on: machine).expect(7, says: ["what is there leads out of the build directory"])
    #expect(!machine.exists("var/quick/1.0/\(Self.kernel)"))
  }

  @Test("What is no file is not taken", arguments: ["mkfifo quick.ko", "mkdir quick.ko"])
  func noFile(_ attack: String) async throws {
    let machine = try await machine(attack, conf: "MAKE[0]=./attack")
    try await install(on: machine).expect(7, says: ["the build ended without quick.ko"])
  }

  @Test("A build cannot replace its log")
  func log() async throws {
    let machine = try await machine("rm -f make.log; ln -s /etc/shadow make.log; echo said by the build")
    try await install(on: machine).expect(0)
    let log = try machine.text("var/quick/1.0/\(Self.kernel)/x86_64/log/make.log")
    #expect(log.contains("said by the build") && log.contains("# exit code: 0"))
    #expect(!log.contains("root:"))
  }

  // MARK: Configuration files

  @Test("A dkms.conf that is a program runs as that user")
  func configuration() async throws {
    let machine = try await machine(
      "true",
      conf: """
        : > /etc/dkms/evil
        BUILD_EXCLUSIVE_KERNEL=$([[ $(id -u) == \(MountedMachine.buildUser) ]] && echo . || echo as-root)
        """)
    #expect(try await machine.shell("chmod 777 /etc/dkms").status == 0)
    try await install(on: machine).expect(0)
    #expect(!machine.exists("etc/evil"))
  }

  @Test("A dkms.conf that this user may not read is not run at all, and the message says why")
  func unreadableConfiguration() async throws {
    let machine = try await machine("true", conf: "BUILD_EXCLUSIVE_KERNEL=$(: > /etc/dkms/evil; echo .)")
    #expect(try await machine.shell("chmod 600 /usr/src/quick-1.0/dkms.conf").status == 0)
    try await install(on: machine).expect(
      8, says: ["/dkms.conf", "dkms-build, who runs it, may not read it", "chmod"])
    #expect(!machine.exists("etc/evil"))
  }

  // MARK: Scripts

  @Test("Scripts of the build are root's, and make can change what they made", arguments: [false, true])
  func scripts(_ areConfined: Bool) async throws {
    let machine = try await machine(
      "cat who.txt && echo more >> who.txt", settings: areConfined ? "sandbox-scripts = yes" : "",
      conf: "PRE_BUILD=who\nPOST_INSTALL=place")
    try machine.addScript("id -u > who.txt", at: "src/quick-1.0/who")
    try machine.addScript("id -u > /etc/dkms/placed", at: "src/quick-1.0/place")
    let outcome = try await install(on: machine).expect(0)
    let log = try machine.text("var/quick/1.0/\(Self.kernel)/x86_64/log/make.log")
    #expect(log.contains(areConfined ? "\n\(MountedMachine.buildUser)\n" : "\n0\n"), "\(log)")
    #expect(machine.exists("etc/placed") == !areConfined)
    #expect(outcome.run.errorOutput.contains("POST_INSTALL script ended") == areConfined, "\(outcome)")
  }

  // MARK: Builds in the source

  private static let inSource = """
    MAKE[0]="cd /usr/src/quick-1.0 && touch stamp && cp /usr/src/prebuilt/$kernelver.ko $dkms_tree/quick/1.0/build/quick.ko"
    """

  @Test("A build in the source directory sees a copy of it")
  func copyOfTheSource() async throws {
    let machine = try await machine("true", conf: Self.inSource)
    let outcome = try await install(on: machine).expect(0)
    #expect(!outcome.run.errorOutput.contains(Self.warning))
    #expect(!machine.exists("src/quick-1.0/stamp"))
  }

  @Test("Where a script of the installation may need what lies there, it builds as root, and that is said")
  func sourceThatScriptsNeed() async throws {
    let machine = try await machine("true", conf: "\(Self.inSource)\nPOST_INSTALL=use")
    try machine.addScript("cp stamp /etc/dkms/used", at: "src/quick-1.0/use")
    let outcome = try await install(on: machine).expect(
      0, says: ["quick/1.0 is \(Self.warning)", "POST_INSTALL"])
    #expect(machine.exists("src/quick-1.0/stamp") && machine.exists("etc/used"), "\(outcome)")
  }

  // MARK: Where it is not possible

  @Test("Without namespaces root builds, and one warning says why")
  func withoutNamespaces() async throws {
    let machine = try await machine("id -u > /etc/dkms/who")
    try machine.addQuick("other", conf: #"MAKE[0]="${MAKE[0]}; true""#)
    for name in ["quick", "other"] { try await machine.dkms("add \(name)/1.0").expect(0) }
    let run = try await machine.shell(
      "exec setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin /mnt/dkms autoinstall -k \(Self.kernel)")
    #expect(run.status == 0, "\(run)")
    #expect(try machine.text("etc/who") == "0\n")
    let warnings = run.errorOutput.split(separator: "\n").filter { $0.contains(Self.warning) }
    #expect(warnings.count == 1 && warnings[0].contains("Operation not permitted"), "\(run)")
  }

  @Test(
    "Who builds can be chosen",
    arguments: [("root", nil), ("nobody-of-that-name", "there is no user nobody-of-that-name")])
  func chosen(_ user: String, _ complaint: String?) async throws {
    let machine = try await machine("id -u > /etc/dkms/who", settings: "build-user = \(user)")
    let outcome = try await install(on: machine).expect(0, says: complaint.map { [$0] } ?? [])
    #expect(try machine.text("etc/who") == "0\n")
    #expect(outcome.run.errorOutput.contains(Self.warning) == (complaint != nil))
  }
}

extension Trait where Self == ConditionTrait {
  /// The test limits all processes of a build together.
  fileprivate static var requiresControlGroups: Self {
    Requirement.slowlyNeeds("needs control groups that limit memory and processes") {
      guard let group = ControlGroup.make(memory: 64 << 20, processes: 60) else { return false }
      group.remove()
      return true
    }
  }
}
