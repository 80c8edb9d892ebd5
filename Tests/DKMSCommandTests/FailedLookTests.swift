// SPDX-License-Identifier: GPL-2.0-or-later

import TestSupport
import Testing

/// Calls of `dkms` in which a directory cannot be listed, as on a disk that is failing: nobody takes it for an empty one.
@Suite(.requiresRoot, .requiresKernelHeaders, .requiresTracing)
struct FailedLookTests {
  private static let kernel = Kernels.first
  private static let target = "quick/1.0 -k \(kernel)"

  /// Makes a call in which opening a directory fails with an error.
  private func dkms(_ words: String, _ error: String, at path: String, of machine: MountedMachine)
    async throws -> Run
  {
    try await machine.shell(
      """
      strace -f -qq -e trace=openat -P '\(path)' -e inject=openat:error=\(error) -o /mnt/trace /mnt/dkms \(words)
      """)
  }

  @Test(
    "A kernel's directory that cannot be listed keeps all that is in it",
    arguments: ["install --force", "remove", "uninstall", "unbuild"], ["EIO", "EMFILE"])
  func kernelDirectory(_ action: String, _ error: String) async throws {
    let machine = try await Prepared.machine(.installed)
    try machine.write("in-tree", to: "modules/\(Self.kernel)/kernel/in-tree.ko")
    let own = machine.tree.filter { $0.contains("/kernel/") || $0.contains("modules.order") }
    let directory = "/usr/lib/modules/\(Self.kernel)"
    let run = try await dkms("\(action) \(Self.target)", error, at: directory, of: machine)
    #expect(run.status != 0, "\(run)")
    #expect(run.errorOutput.contains(directory), "\(run)")
    #expect(machine.tree.filter { $0.contains("/kernel/") || $0.contains("modules.order") } == own)
  }

  @Test(
    "Where a part of the trees cannot be listed nothing changes",
    arguments: [
      ("install --force", "/usr/lib/modules"), ("remove", "/var/lib/dkms"), ("remove", "/var/lib/dkms/quick"),
      ("uninstall", "/var/lib/dkms/quick/original_module/\(kernel)/x86_64"),
      ("unbuild", "/var/lib/dkms/quick/original_module/\(kernel)/x86_64"), ("autoinstall", "/var/lib/dkms"),
    ])
  func trees(_ action: String, _ path: String) async throws {
    let machine = try await Prepared.machine(.built)
    try machine.write("somebody else's", to: "modules/\(Self.kernel)/updates/dkms/quick.ko")
    try await machine.dkms("install \(Self.target)").expect(0)
    let before = machine.tree
    let words = action == "autoinstall" ? "autoinstall -k \(Self.kernel)" : "\(action) \(Self.target)"
    let run = try await dkms(words, "EIO", at: path, of: machine)
    #expect(run.status != 0, "\(run)")
    #expect(run.errorOutput.contains(path) && run.errorOutput.contains("Input/output error"), "\(run)")
    #expect(machine.tree == before)
  }

  @Test("A build whose jobs cannot be counted says so, instead of waiting for one")
  func jobServer() async throws {
    let machine = try await Prepared.sources()
    try machine.addQuick()
    let run = try await machine.shell(
      """
      timeout -s KILL 60 strace -f -qq -e trace=fcntl -e inject=fcntl:error=EROFS -o /mnt/trace \
        /mnt/dkms build \(Self.target)
      """)
    #expect(run.status == 1 && run.errorOutput.contains("cannot make a pipe for make"), "\(run)")
    try await machine.dkms("build \(Self.target)").expect(0)
  }

  @Test(
    "A value that bash cannot hand over is not taken for one that is not set",
    arguments: Array(1...12) + [never])
  func lostValue(_ number: Int) async throws {
    let machine = try await Prepared.sources()
    try machine.addQuick(conf: "POST_INSTALL=$(echo)\nDEST_MODULE_NAME[0]=renamed")
    try machine.addScript(
      """
      exec strace -qq -e trace=write -e inject=write:error=EIO:when=\(number) -o /mnt/trace /bin/bash "$@"
      """, at: "src/bin/bash")
    let path = ["PATH": "/usr/src/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"]
    try await machine.dkms("add quick/1.0").expect(0)
    let run = try await machine.dkms("build \(Self.target)", environment: path)
    let product = "var/quick/1.0/\(Self.kernel)/x86_64/module"
    #expect(!machine.exists("\(product)/quick.ko"), "\(run)")
    #expect(run.status != 0 || machine.exists("\(product)/renamed.ko"), "\(run)")
    if number == Self.never { #expect(run.status == 0, "\(run)") }
  }

  /// More writes than bash makes: none of them fails.
  private static let never = 10_000

  @Test("A conf that is not plain is given to bash once")
  func bashRunsOnce() async throws {
    let machine = try await Prepared.sources()
    try machine.addQuick(conf: "POST_INSTALL=$(echo)")
    let run = try await machine.shell(
      """
      strace -f -qq -e trace=execve -o /mnt/trace /mnt/dkms install \(Self.target) >&2
      grep -c 'execve("[^"]*/bash", \\["bash", "--noprofile"' /mnt/trace
      """)
    #expect(run.output.split(separator: "\n").last == "1", "\(run)")
  }

  @Test("What configures a kernel is read once")
  func kernelIsReadOnce() async throws {
    let machine = try await Prepared.sources()
    for name in ["one", "two", "three"] {
      try machine.addQuick(name, conf: "BUILD_EXCLUSIVE_CONFIG=CONFIG_MODULES")
    }
    for name in ["one", "two", "three"] { try await machine.dkms("add \(name)/1.0").expect(0) }
    let run = try await machine.shell(
      """
      strace -f -qq -e trace=openat -o /mnt/trace /mnt/dkms autoinstall -k \(Self.kernel) --dry-run >&2
      for name in Module.symvers auto.conf modules.dep; do
        echo $name $(grep "/$name\\"" /mnt/trace | grep -vc ENOENT)
      done
      """)
    let lines = run.output.split(separator: "\n")
    #expect(lines.count == 3, "\(run)")
    for line in lines {
      #expect(["0", "1"].contains(line.split(separator: " ").last), "\(run)")
    }
  }
}
