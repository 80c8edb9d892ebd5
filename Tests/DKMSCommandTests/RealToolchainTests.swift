// SPDX-License-Identifier: GPL-2.0-or-later

import Glibc
import Host
import SystemPackage
import TestSupport
import Testing

/// Real modules from compilers that are not what their kernel, or their Makefile, believes.
@Suite(.requiresRoot, .requiresKernelHeaders, .requiresReference)
struct RealToolchainTests {
  private static let first = Kernels.first
  private static let path = "/usr/src/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"
  private static let built = "var/hello-world/1.0/\(first)/x86_64/module/hello_world.ko"

  /// A machine whose first kernel has headers of its own, with another configuration and choice of compiler.
  private func machine(compiler: String, configuration change: (String) -> String) async throws
    -> MountedMachine
  {
    let machine = try await Prepared.sources()
    let headers = TestParts.headers(of: Self.first)
    let own = "modules/\(Self.first)/build"
    try machine.remove(own)
    func link(_ name: String, except own: Set<String>) throws {
      for entry in Disk.list(headers.appending(FilePath(name).components)) where !own.contains(entry) {
        let path = FilePath(name).appending(entry)
        let goal = machine.path("modules/\(Self.first)/build").appending(path.components)
        try Files.makeDirectories(goal.removingLastComponent())
        try Files.link(goal, to: headers.appending(path.components))
      }
    }
    try link("", except: ["include", ".kernelvariables"])
    try link("include", except: ["config"])
    try link("include/config", except: ["auto.conf"])
    let text = try #require(Disk.text(headers.appending("include/config/auto.conf")))
    try machine.write("\(change(text))\n", to: "\(own)/include/config/auto.conf")
    try machine.write(
      "CC = \(compiler)\nDEBIAN_KERNEL_NO_CC_VERSION_CHECK = y\n", to: "\(own)/.kernelvariables")
    return machine
  }

  private func compiler(_ machine: MountedMachine) async throws -> String {
    let run = try await Run.program(
      "/usr/bin/readelf", ["-p", ".comment", machine.path(Self.built).string])
    return run.output
  }

  @Test("A compiler that is gone is replaced by gcc, though .kernelvariables names the other")
  func fallback() async throws {
    let machine = try await machine(compiler: "gcc-99") { $0.replacing("=gcc-12 ", with: "=gcc-99 ") }
    try await machine.dkms("build hello-world/1.0 -k \(Self.first)").expect(0)
    #expect(try await compiler(machine).contains("GCC: "))
  }

  /// Swift comes with clang and lld.
  private static let toolchain = (getenv("PATH").map { String(cString: $0) } ?? "").split(separator: ":")
    .map(String.init).first {
      Disk.isExecutable(FilePath("\($0)/clang")) && Disk.isExecutable(FilePath("\($0)/ld.lld"))
    }

  @Test("A kernel of clang gets modules of clang, though .kernelvariables names gcc")
  func clang() async throws {
    let toolchain = try #require(Self.toolchain)
    let gcc = ["CC_IS_GCC", "GCC_", "CC_IMPLICIT_FALLTHROUGH", "FTRACE_MCOUNT"]
    let machine = try await machine(compiler: "gcc-12") { text in
      let lines = text.split(separator: "\n").filter { line in
        !gcc.contains { line.hasPrefix("CONFIG_\($0)") }
      }
      return lines.joined(separator: "\n") + "\nCONFIG_CC_IS_CLANG=y\nCONFIG_LD_IS_LLD=y"
    }
    let words = "build hello-world/1.0 -k \(Self.first)"
    try await machine.dkms(words, environment: ["PATH": "\(Self.path):\(toolchain)"]).expect(0)
    let compiler = try await compiler(machine)
    #expect(compiler.contains("clang version") && !compiler.contains("GCC: "), "\(compiler)")
  }

  @Test(
    "A Makefile that asks for the running kernel builds for that, and nobody notices",
    arguments: [MountedMachine.Program.ours, .reference])
  func runningKernel(_ program: MountedMachine.Program) async throws {
    let machine = try await Prepared.sources()
    // The kernel of these tests has no headers, so another one seems to run.
    try machine.addScript(
      "[[ $* == -r ]] && { echo \(Kernels.second); exit; }; exec /usr/bin/uname \"$@\"", at: "src/bin/uname")
    try machine.write(
      """
      all:
      \tmake -C /usr/lib/modules/$$(uname -r)/build M=$(CURDIR)

      """, to: "src/hello-world-1.0/GNUmakefile")
    try machine.write(
      "\(machine.text("src/hello-world-1.0/dkms.conf"))MAKE[0]=\"make -f GNUmakefile\"\n",
      to: "src/hello-world-1.0/dkms.conf")
    let words = "install hello-world/1.0 -k \(Self.first) --no-depmod"
    let outcome = try await machine.dkms(words, by: program, environment: ["PATH": Self.path])
    let installed = "modules/\(Self.first)/updates/dkms/hello_world.ko"
    #expect(machine.exists(installed) == (program == .reference))
    guard program == .ours else { return }
    outcome.expect(
      7,
      says: [
        "hello_world.ko was built for kernel \(Kernels.second)", "Makefile", "running kernel", "uname -r",
      ])
    #expect(!machine.exists("var/hello-world/1.0/\(Self.first)"))
  }
}
