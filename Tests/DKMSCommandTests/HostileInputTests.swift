// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import TestSupport
import Testing

/// Calls of `dkms` on what would crash it, keep it waiting, or fill the memory.
@Suite(.requiresRoot, .requiresKernelHeaders, .timeLimit(.minutes(60)))
struct HostileInputTests {
  private static let target = "quick/1.0 -k \(Kernels.first)"

  /// Makes a call that is killed if it hangs.
  private func dkms(_ words: String, on machine: MountedMachine) async throws -> Run {
    try await machine.shell("exec timeout -s KILL 300 /mnt/dkms \(words)")
  }

  /// Checks that a call ended by itself, with an error that says this.
  private func expectRefused(
    _ run: Run, _ words: String..., at location: SourceLocation = #_sourceLocation
  ) {
    let ends: Set<Int32> = [132, 134, 137, 139]
    #expect(run.status != 0 && !ends.contains(run.status), "\(run)", sourceLocation: location)
    for word in words {
      #expect(run.errorOutput.contains(word), "\(run)", sourceLocation: location)
    }
  }

  // MARK: Values

  @Test(
    "A script of quotes and blanks is none",
    arguments: ["POST_ADD", "PRE_BUILD", "POST_BUILD", "PRE_INSTALL", "POST_INSTALL", "POST_REMOVE"])
  func emptyScript(_ script: String) async throws {
    for value in [#"'""'"#, #"'"" ""'"#] {
      let machine = try await Prepared.sources()
      try machine.addQuick(conf: "\(script)=\(value)")
      try await machine.dkms("install \(Self.target)").expect(0)
      try await machine.dkms("remove \(Self.target)").expect(0)
    }
  }

  @Test("A regular expression that takes all memory is refused")
  func expression() async throws {
    let machine = try await Prepared.sources()
    let nested = String(repeating: "(", count: 20_000) + "." + String(repeating: ")", count: 20_000)
    for pattern in [nested, "((((.{1,99}){1,99}){1,99}){1,99}){1,99}"] {
      try machine.addQuick(conf: "BUILD_EXCLUSIVE_KERNEL='\(pattern)'")
      expectRefused(
        try await dkms("build \(Self.target)", on: machine), "BUILD_EXCLUSIVE_KERNEL[0] is too large")
    }
  }

  @Test("A million digits in a version")
  func digits() async throws {
    let machine = try await Prepared.sources()
    try machine.addQuick(conf: "BUILD_EXCLUSIVE_KERNEL_MAX=\(String(repeating: "9", count: 1_000_000))")
    let run = try await dkms("build \(Self.target)", on: machine)
    #expect(run.status == 0, "\(run)")
  }

  @Test(
    "A conf that prints without end, or whose values double without end, is stopped",
    arguments: [
      (#"head -c 300000000 /dev/zero >&2"#, "what it prints is too large: more than 16384 KiB"),
      (#"head -c 300000000 /dev/zero >&$__dkms_out"#, "what it prints is too large: more than 16384 KiB"),
      (#"all=x; while :; do all+=$all; done"#, "bash ended with status"),
    ])
  func output(_ line: String, _ reason: String) async throws {
    let machine = try await Prepared.sources()
    try machine.addQuick(conf: line)
    expectRefused(try await dkms("build \(Self.target)", on: machine), "quick-1.0/dkms.conf", reason)
  }

  @Test("Plain values that double are not taken in either")
  func plainValues() async throws {
    let machine = try await Prepared.sources()
    try machine.addQuick(
      conf: "A=\(String(repeating: "a", count: 1000))\n" + String(repeating: "A=$A$A\n", count: 40))
    expectRefused(try await dkms("build \(Self.target)", on: machine), "quick-1.0/dkms.conf")
  }

  // MARK: Jobs

  @Test("More jobs than a pipe holds", arguments: ["-j 70000", ""])
  func jobs(_ option: String) async throws {
    let machine = try await Prepared.machine(.added)
    if option.isEmpty {
      try machine.write(
        "parallel_jobs=70000\ntry_sign_modules=false\nsign_file=/nonexistent\n", to: "etc/framework.conf")
    }
    let run = try await dkms("build \(Self.target) \(option)", on: machine)
    #expect(run.status == 0, "\(run)")
  }

  // MARK: Places of files

  /// Files that are read, and the calls that read them.
  private static let places = [
    ("/usr/src/quick-1.0/dkms.conf", "build"), ("/etc/dkms/framework.conf", "build"),
    ("/etc/dkms/quick.conf", "build"),
    ("/usr/lib/modules/\(Kernels.first)/modules.order", "install --force"),
    ("/usr/lib/modules/\(Kernels.first)/modules.dep", "status"),
    ("/usr/lib/modules/\(Kernels.first)/pkgbase", "install --force"),
    ("/var/lib/dkms/quick/1.0/\(Kernels.first)/x86_64/.kernel", "install --force"),
    ("/var/lib/dkms/quick/1.0/\(Kernels.first)/x86_64/module/quick.ko", "install --force"),
    ("/usr/lib/modules/\(Kernels.first)/updates/dkms/quick.ko", "install --force"),
  ]

  @Test("A pipe or a device in the place of a file is not waited for", arguments: places)
  func pipes(_ path: String, _ action: String) async throws {
    for make in ["mkfifo \(path)", "mknod \(path) c 1 5"] {
      let machine = try await Prepared.machine(.installed)
      let words = action == "status" ? action : "\(action) \(Self.target)"
      let run = try await machine.shell(
        "rm -f \(path); \(make) || exit 99; exec timeout -s KILL 300 /mnt/dkms \(words)"
      )
      let ends: Set<Int32> = [99, 125, 132, 134, 137, 139]
      #expect(!ends.contains(run.status), "\(make): \(run)")
    }
  }

  @Test("A pipe that came with a source as its log is not written to")
  func log() async throws {
    let machine = try await Prepared.machine(.added)
    let run = try await machine.shell(
      "mkfifo /usr/src/quick-1.0/make.log; exec timeout -s KILL 300 /mnt/dkms build \(Self.target)")
    #expect(run.status == 0, "\(run)")
    #expect(
      try machine.text("var/quick/1.0/\(Kernels.first)/x86_64/log/make.log").contains("make.log for quick"))
  }

  @Test("Nothing is renamed over a device")
  func device() async throws {
    let machine = try await Prepared.machine(.built)
    let run = try await machine.shell(
      """
      mknod /etc/dkms/null c 1 3
      timeout -s KILL 300 /mnt/dkms mktarball \(Self.target) --archive=/etc/dkms/null --force
      status=$?
      [[ -c /etc/dkms/null ]] || exit 99
      exit $status
      """)
    expectRefused(run, "/etc/dkms/null")
    #expect(run.status != 99, "\(run)")
  }

  // MARK: The start of the program

  @Test(
    "Where the system refuses what the runtime's threads need, that is said", .requiresTracing,
    arguments: ["epoll_create1", "eventfd2", "timerfd_create", "epoll_ctl", "clone3"])
  func start(_ call: String) async throws {
    let machine = try await Prepared.sources()
    let run = try await machine.shell(
      """
      exec timeout -s KILL 300 strace -f -qq -e trace=\(call) -e inject=\(call):error=EMFILE -o /mnt/trace \
        /mnt/dkms status
      """, environment: ["SWIFT_BACKTRACE": "enable=no"])
    expectRefused(run, "cannot start: ")
  }
}
