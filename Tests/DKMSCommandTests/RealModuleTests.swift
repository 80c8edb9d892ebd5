// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import SystemPackage
import TestSupport
import Testing

/// Modules that people use come out as the reference makes them; one that it cannot build, neither can ours.
@Suite(.requiresRoot, .requiresKernelHeaders, .requiresReference)
struct RealModuleTests {
  static let modules = [
    "acpi-call", "bbswitch", "ddcci", "dm-writeboost", "evdi", "v4l2loopback", "xtables-addons",
  ]

  @Test("Side by side", arguments: modules, [Kernels.first, Kernels.second])
  func sideBySide(_ name: String, _ kernel: String) async throws {
    let machine = try MountedMachine()
    try machine.addKernel(kernel)
    let files = try await expectSame(of: try await machine.addRealModule(name), for: kernel, on: machine)
    // Those of this name that Debian has are older than its newer kernel.
    if kernel == Kernels.first { #expect(!files.isEmpty) }
  }

  /// The largest, with a hundred files to compile; as Debian has it, it fits neither kernel any more.
  @Test("lttng-modules without the probe that does not compile")
  func lttng() async throws {
    let machine = try MountedMachine()
    try machine.addKernel(Kernels.first)
    let id = try await machine.addRealModule("lttng-modules")
    try machine.removeProbeThatDoesNotCompile(id)
    let files = try await expectSame(of: id, for: Kernels.first, on: machine)
    #expect(files.count > 30)
  }

  /// Installs a module by both; the files that both have put into the kernel.
  private func expectSame(of id: String, for kernel: String, on machine: MountedMachine) async throws
    -> [String]
  {
    let pair = try await Pair(machine)
    // One after the other: what both compile alike is compiled once.
    let ours = try await pair.ours.dkms("install \(id) -k \(kernel)")
    let theirs = try await pair.theirs.dkms("install \(id) -k \(kernel)", by: .reference)
    try #require(![125, 126, 127].contains(ours.status), "\(ours)")
    #expect(ours.status == theirs.status, "\(ours)\n\(theirs)")
    // What is left of a failed build is each one's own.
    let isKept = { (path: String) in !path.hasPrefix("var/\(id)/build/") }
    #expect(ours.comparableTree.filter(isKept) == theirs.comparableTree.filter(isKept), "\(ours)\n\(theirs)")
    async let status = pair.ours.dkms("status")
    #expect(try await status.lines == (try await pair.theirs.dkms("status", by: .reference).lines))
    if ours.status != 0 { try expectReason(ours, of: id, for: kernel, in: pair.ours) }

    let dependencies = try pair.theirs.text("modules/\(kernel)/modules.dep")
    #expect(try pair.ours.text("modules/\(kernel)/modules.dep") == dependencies)
    let files = theirs.tree.filter { $0.hasSuffix(".ko") && $0.hasPrefix("modules/") }
    #expect(files.isEmpty == (theirs.status != 0))
    for file in files {
      let information = try await pair.ours.information(file)
      #expect(information.contains("\nvermagic:       \(kernel) "), "\(file)")
      #expect(try await pair.theirs.information(file) == information, "\(file)")
      #expect(dependencies.contains("updates/dkms/\(try #require(FilePath(file).lastComponent)):"))
    }
    return files
  }

  /// A failed build tells the first error of its log, and where the log is.
  private func expectReason(
    _ outcome: Outcome, of id: String, for kernel: String, in machine: MountedMachine
  ) throws {
    let log = "var/\(id)/build/\(kernel)-x86_64/make.log"
    outcome.expect(outcome.status, says: ["  -> the log is /var/lib/dkms/\(log.dropFirst(4))\n"])
    let lines = try machine.text(log).split(separator: "\n")
    let first = try #require(
      lines.first { $0.contains(": error: ") || $0.contains(": fatal error: ") }, "\(outcome)")
    let error = first.replacing("/var/lib/dkms/\(id)/build/", with: "")
    outcome.expect(outcome.status, says: ["==> ERROR: \(id) for \(kernel): ", ": \(error)\n"])
  }

  @Test("A module is compressed as the kernel's own are", arguments: ["gz", "xz", "zst"])
  func compression(_ suffix: String) async throws {
    let machine = try await Prepared.sources()
    try machine.addQuick()
    // The reference at hand goes by the list, later ones by the file.
    try machine.write("", to: "modules/\(Kernels.first)/kernel/fs/own.ko.\(suffix)")
    try machine.write("kernel/fs/own.ko.\(suffix):\n", to: "modules/\(Kernels.first)/modules.dep")
    let pair = try await Pair(machine)
    let words = "install quick/1.0 -k \(Kernels.first) --no-depmod"
    try await pair.dkms(words).expect(0)
    let file = "modules/\(Kernels.first)/updates/dkms/quick.ko.\(suffix)"
    #expect(pair.ours.exists(file))
    let tool = ["gz": "gzip", "xz": "xz", "zst": "zstd"][suffix] ?? ""
    let comparison = try await Run.program(
      "/bin/bash",
      [
        "-c", #"cmp <("$0" -dc "$1") <("$0" -dc "$2")"#, tool, pair.ours.path(file).string,
        pair.theirs.path(file).string,
      ])
    #expect(comparison.status == 0, "\(comparison)")
    try await pair.dkms("status").expect(0, output: ["quick/1.0, \(Kernels.first), x86_64: installed"])
    try await pair.dkms("remove quick/1.0 --all --no-depmod").expect(0)
  }
}
