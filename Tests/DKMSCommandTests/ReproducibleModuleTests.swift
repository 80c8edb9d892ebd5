// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import SystemPackage
import TestSupport
import Testing

/// The same source, kernel and compiler give the same bytes.
///
/// `docs/reproducible.md` has the table.
@Suite(.requiresRoot, .requiresKernelHeaders, .requiresReference, .timeLimit(.minutes(120)))
struct ReproducibleModuleTests {
  /// The packages whose modules hold names of source files, with the directory that the build sees.
  ///
  /// The kernel's WARN and BUG put them in, and whatever else uses `__FILE__`.
  static let packagesWithFileNames: Set = [
    "bbswitch", "ddcci", "dm-writeboost", "evdi", "lttng-modules", "v4l2loopback", "xtables-addons",
  ]

  /// As long as the usual tree, so that nothing in a module moves when the one takes the place of the other.
  private static let (usual, other) = ("/var/lib/dkms", "/etc/dkms/var")

  @Test("Twice in one place, and in another one", arguments: RealModuleTests.modules + ["lttng-modules"])
  func twice(_ name: String) async throws {
    let machine = try MountedMachine()
    try machine.addKernel(Kernels.first)
    let id = try await machine.addRealModule(name)
    if name == "lttng-modules" { try machine.removeProbeThatDoesNotCompile(id) }
    try Files.makeDirectories(machine.path("etc/var"))
    let again = try await machine.copy()
    let words = "build \(id) -k \(Kernels.first)"
    try await machine.dkms(words).expect(0)
    // The second one is compiled, whatever the remembering compiler of other tests knows.
    try await again.dkms(words, environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]).expect(0)
    try await again.dkms("\(words) --dkmstree \(Self.other)").expect(0)

    let place = "\(id)/\(Kernels.first)/x86_64/module"
    let modules = Disk.list(machine.path("var/\(place)")).filter { $0.hasSuffix(".ko") }
    #expect(!modules.isEmpty)
    var holdsFileNames = false
    for module in modules {
      let bytes = try machine.bytes("var/\(place)/\(module)")
      #expect(try again.bytes("var/\(place)/\(module)") == bytes, "\(module)")
      let elsewhere = try again.bytes("etc/var/\(place)/\(module)")
      let usual = try await withoutBuildID(bytes, on: machine)
      let moved = try await withoutBuildID(elsewhere, on: machine)
      #expect(moved.replacing(Array(Self.other.utf8), with: Array(Self.usual.utf8)) == usual, "\(module)")
      if moved != usual { holdsFileNames = true }
    }
    #expect(holdsFileNames == Self.packagesWithFileNames.contains(name))
  }

  /// The build id is a digest of the debugging information, which names the directory.
  private func withoutBuildID(_ bytes: [UInt8], on machine: MountedMachine) async throws -> [UInt8] {
    try machine.write(bytes: bytes, to: "etc/module.ko")
    let run = try await Run.program(
      "/usr/bin/objcopy", ["-R", ".note.gnu.build-id", machine.path("etc/module.ko").string])
    try #require(run.status == 0, "\(run)")
    return try machine.bytes("etc/module.ko")
  }
}
