// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import SystemPackage
import TestSupport
import Testing

/// A module that people use.
@Suite(.requiresRoot, .requiresKernelHeaders, .requiresReference)
struct RealModuleTests {
  @Test("v4l2loopback comes out the same")
  func v4l2loopback() async throws {
    let machine = try await Prepared.sources()
    let part = TestParts.cache.appending("parts/v4l2loopback-dkms/usr/src")
    let name = try #require(Files.list(part).first { $0.hasPrefix("v4l2loopback-") })
    for file in Files.list(part.appending(name)) {
      try machine.write(bytes: Files.read(part.appending(name).appending(file)), to: "src/\(name)/\(file)")
    }
    let id = name.replacing("v4l2loopback-", with: "v4l2loopback/")
    let pair = try await Pair(machine)
    try await pair.dkms("install \(id) -k \(Kernels.first)").expect(0)
    try await pair.dkms("status").expect(0, output: ["\(id), \(Kernels.first), x86_64: installed"])
    let installed = "modules/\(Kernels.first)/updates/dkms/v4l2loopback.ko"
    for field in ["name", "version", "vermagic", "depends", "license", "srcversion", "parm"] {
      let ours = try await information(field, pair.ours.path(installed))
      #expect(try await information(field, pair.theirs.path(installed)) == ours, "\(field)")
      // This one has no version of its own on these kernels.
      #expect(!ours.isEmpty || ["version", "srcversion"].contains(field), "\(field)")
    }
    let dependencies = try pair.ours.text("modules/\(Kernels.first)/modules.dep")
    #expect(dependencies.contains("updates/dkms/v4l2loopback.ko:"))
    #expect(try pair.theirs.text("modules/\(Kernels.first)/modules.dep") == dependencies)
    let before = try await pair.dkms("remove \(id) --all").expect(0).tree
    #expect(!before.contains { $0.hasSuffix("v4l2loopback.ko") })
  }

  private func information(_ field: String, _ file: FilePath) async throws -> String {
    let run = try await Run.program("/usr/sbin/modinfo", ["-F", field, file.string])
    try #require(run.status == 0, "\(run)")
    return run.output
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
