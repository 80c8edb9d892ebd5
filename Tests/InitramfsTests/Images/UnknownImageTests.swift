// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import Initramfs
import SystemPackage
import TestSupport
import Testing

/// A look that failed says nothing about an image, neither good nor bad.
@Suite(.requiresImageTools, .serialized) struct UnknownImageTests {
  private static let modules = "installed/\(Imaging.release)"
  private static let zfs = "\(modules)/updates/dkms/zfs.ko"

  /// An image with a module that is not the one that is installed.
  private static func stale() async throws -> Imaging {
    let imaging = try Imaging()
    try imaging.install(["updates/dkms/zfs.ko": "new".bytes])
    try imaging.fill(["updates/dkms/zfs.ko": "old".bytes])
    try await imaging.run("\(Imaging.pack) > image")
    try #require(try await imaging.condition(of: "image").flaws == [.differs(kernelModule: "zfs")])
    return imaging
  }

  static let failures = [
    ("rm image; ln -s image image", "/image: Too many levels of symbolic links"),
    (
      "cd \(modules); rm modules.dep; ln -s modules.dep modules.dep",
      "/\(modules)/modules.dep: Too many levels of symbolic links"
    ),
    (
      "rm \(modules)/modules.dep; mkfifo \(modules)/modules.dep",
      "/\(modules)/modules.dep: it is a pipe, a socket or a device, not a file"
    ),
    (
      "rm \(modules)/modules.dep; mkdir \(modules)/modules.dep",
      "/\(modules)/modules.dep: it is a directory, not a file"
    ),
    (
      "truncate -s 100G \(modules)/modules.dep",
      "/\(modules)/modules.dep: it is too large: more than 65536 KiB"
    ),
    ("rm \(zfs); ln -s zfs.ko \(zfs)", "/\(zfs): Too many levels of symbolic links"),
    (
      "rm -r \(modules)/updates; ln -s updates \(modules)/updates",
      "/\(zfs): Too many levels of symbolic links"
    ),
  ]

  @Test(arguments: failures) func whereALookFailsNothingIsKnown(_ words: String, _ reason: String)
    async throws
  {
    let imaging = try await Self.stale()
    try await imaging.run(words)
    let flaws = try await imaging.condition(of: "image").flaws
    try #require(flaws.count == 1)
    guard case .unknown(let found) = flaws[0] else {
      Issue.record("\(flaws)")
      return
    }
    #expect(found.hasSuffix("\(imaging.path)\(reason)"))
    #expect(flaws[0].words == "nothing is known about it: \(found)")
  }

  @Test func whatIsAskedForAndCannotBeLookedAtIsUnknown() async throws {
    let imaging = try await Self.stale()
    try imaging.install(["updates/dkms/zfs.ko": "old".bytes, "updates/dkms/asked.ko": "1".bytes])
    let asked = "\(Self.modules)/updates/dkms/asked.ko"
    try await imaging.run("rm \(asked); ln -s asked.ko \(asked)")
    #expect(try await imaging.condition(of: "image").isFresh)
    let request = ModuleRequest(module: "asked", place: "MODULES")
    #expect(try await imaging.condition(of: "image", requested: [request]).isUnknown)
  }

  @Test func whereThereIsNoListThereAreNoModules() async throws {
    let imaging = try await Self.stale()
    try await imaging.run("rm \(Self.modules)/modules.dep")
    #expect(try await imaging.condition(of: "image").flaws == [.gone(kernelModule: "zfs")])
  }

  @Test func aMissingImageIsMissingWhateverElseCannotBeRead() async throws {
    let imaging = try await Self.stale()
    try await imaging.run("rm image; cd \(Self.modules); rm modules.dep; ln -s modules.dep modules.dep")
    #expect(try await imaging.condition(of: "image").flaws == [.missing])
  }

  @Test func withoutRoomForStrippedCopiesNothingIsKnown() async throws {
    let imaging = try await Self.stale()
    let nowhere = imaging.path.appending("nowhere")
    let image = try imaging.image("image", .archive, .dracut)
    let condition = await ImageInspector(host: .live(), temporaryDirectory: nowhere).condition(
      of: image, modulesDirectory: imaging.modules)
    #expect(
      condition.flaws == [
        .unknown(reason: "cannot make a directory in \(nowhere): No such file or directory")
      ])
  }

  @Test(arguments: ["exit 127", "kill -KILL $$"])
  func whereStripFailsNothingIsKnown(_ end: String) async throws {
    let imaging = try await Self.stale()
    try await imaging.run(
      #"mkdir tools; printf '#!/bin/bash\n%s\n' '\#(end)' > tools/strip; chmod +x tools/strip"#)
    var host = Host.live()
    host.environment["PATH"] = "\(imaging.path)/tools:/usr/bin"
    let condition = await ImageInspector(host: host, temporaryDirectory: imaging.path).condition(
      of: try imaging.image("image", .archive, .booster), modulesDirectory: imaging.modules)
    let module = imaging.path.appending(FilePath(Self.zfs).components)
    #expect(
      condition.flaws == [.unknown(reason: "cannot strip a copy of \(module): strip gave no answer")])
  }

  @Test func theModulesOfAnImageAreLimitedTogether() async throws {
    let imaging = try Imaging()
    let files = ["updates/a.ko": Imaging.noise(3000), "updates/b.ko": Imaging.noise(3000)]
    try imaging.install(files)
    try imaging.fill(files)
    try await imaging.run("\(Imaging.pack) > image")
    let flaws = { (limits: ImageLimits) in
      await ImageInspector(host: .live(), limits: limits).condition(
        of: try imaging.image("image"), modulesDirectory: imaging.modules
      ).flaws
    }
    var limits = ImageLimits()
    limits.allModuleBytes = 6000
    limits.modules = 2
    #expect(try await flaws(limits) == [])
    limits.allModuleBytes = 5999
    #expect(
      try await flaws(limits) == [.unreadable(reason: "its modules unpack to more than 5999 bytes")])
    limits.allModuleBytes = 6000
    limits.modules = 1
    #expect(try await flaws(limits) == [.unreadable(reason: "it has more than 1 modules")])
  }
}
