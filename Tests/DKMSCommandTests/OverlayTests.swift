// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import SystemPackage
import TestSupport
import Testing

/// The life of modules on a layer over what an image holds, as in containers and live systems.
///
/// The kernel refuses to rename a directory that the lower layer holds; everything else about such a layer is
/// as it is elsewhere, so every call has to end as it does in a machine without layers.
@Suite(.requiresRoot, .requiresKernelHeaders)
struct OverlayTests {
  private static let kernel = Kernels.first

  /// A machine whose trees were all made beforehand, with modules in every state, and an original that is put away.
  private static func image() async throws -> MountedMachine {
    let machine = try await Prepared.sources()
    try machine.write("the kernel's own", to: "modules/\(kernel)/updates/dkms/quick.ko")
    for name in ["quick", "other", "third"] { try machine.addQuick(name) }
    try machine.addQuick("quick", "1.1")
    try machine.addQuick("scripted", conf: "POST_BUILD=after")
    try machine.addScript("exit $(cat /etc/dkms/status)", at: "src/scripted-1.0/after")
    try machine.write("0", to: "etc/status")
    for kernel in [Kernels.first, Kernels.second] {
      try await machine.dkms("install quick/1.0 -k \(kernel)").expect(0)
    }
    for words in ["install other/1.0", "build scripted/1.0", "build third/1.0"] {
      try await machine.dkms("\(words) -k \(kernel)").expect(0)
    }
    try await machine.dkms("mktarball third/1.0 -k \(kernel) --archive=/usr/src/third.tar.gz").expect(0)
    // Found again in the image, as a killed build would have left it.
    try machine.write("stale", to: "var/third/1.0/\(kernel)/.tmp_x86_64_build/file")
    return machine
  }

  /// What a life consists of: each call, and the status with which it ends.
  private static let lives: [String: [(words: String, status: Int32)]] = [
    "of one module": [
      ("add hello-world/1.0", 0), ("build hello-world/1.0 -k \(kernel)", 0),
      ("install hello-world/1.0 -k \(kernel)", 0), ("install --force quick/1.0 -k \(kernel)", 0),
      ("uninstall quick/1.0 -k \(kernel)", 0), ("unbuild quick/1.0 -k \(kernel)", 0),
      ("install quick/1.0 -k \(kernel)", 0), ("unbuild third/1.0 -k \(kernel)", 0),
      ("remove quick/1.0 --all", 0), ("remove other/1.0 --all", 0), ("remove hello-world/1.0 --all", 0),
    ],
    "through upgrades": [
      ("build --force quick/1.0 -k \(kernel)", 0), ("install --force quick/1.1 -k \(kernel)", 0),
      ("remove quick/1.0 --all", 0), ("install --force quick/1.1 -k \(kernel)", 0),
      ("uninstall quick/1.1 -k \(kernel)", 0), ("autoinstall -k \(kernel)", 0),
    ],
    "of a kernel": [
      ("autoinstall -k \(Kernels.second)", 0), ("match --templatekernel \(kernel) -k \(Kernels.second)", 0),
      ("kernel_prerm -k \(kernel)", 0), ("kernel_postinst -k \(kernel)", 0),
      ("kernel_preinst -k \(kernel)", 0),
    ],
    "in tarballs": [
      ("mktarball quick/1.0 -k \(kernel) --archive=/usr/src/quick.tar.gz", 0),
      ("ldtarball /usr/src/third.tar.gz", 8), ("ldtarball --force /usr/src/third.tar.gz", 0),
      ("ldtarball --force /usr/src/quick.tar.gz", 0), ("remove third/1.0 --all", 0),
      ("ldtarball /usr/src/third.tar.gz", 0), ("install third/1.0 -k \(kernel)", 0),
      ("remove quick/1.0 --all", 0), ("ldtarball /usr/src/quick.tar.gz", 0),
    ],
  ]

  @Test(
    "A life ends, call by call, as on plain directories",
    arguments: lives.keys.sorted(), [LayerPlace.disk, .memory])
  func life(_ life: String, on place: LayerPlace) async throws {
    let plain = try await Self.image()
    let layered = try MountedMachine(over: try await plain.copy(), in: place.directory)
    for (words, status) in try #require(Self.lives[life]) {
      try await plain.dkms(words).expect(status)
      try await layered.dkms(words).expect(status)
      for question in ["status", "status --json"] {
        let expected = try await plain.dkms(question).expect(0)
        try await layered.dkms(question).expect(0, output: expected.lines)
      }
      let (theirs, ours) = (try await plain.contents(), try await layered.contents())
      #expect(ours.subtracting(theirs).sorted() == [], "only on the layer after \(words)")
      #expect(theirs.subtracting(ours).sorted() == [], "missing on the layer after \(words)")
    }
  }

  @Test("A build whose last script refuses it leaves the one before, as on plain directories")
  func withdrawn() async throws {
    let layered = try MountedMachine(over: try await Self.image())
    let before = try await layered.contents()
    _ = try await layered.shell("echo 1 > /etc/dkms/status")
    let words = "build --force scripted/1.0 -k \(Self.kernel)"
    #expect(try await layered.dkms(words).status == 1)
    let after = try await layered.contents()
    #expect(before.subtracting(after).filter { $0.contains("/module/") } == [])
  }

  @Test(
    "Wherever a call is killed, the same call again leaves what it would have left undisturbed",
    .requiresTracing,
    arguments: [
      "build --force quick/1.0", "install --force quick/1.0", "unbuild third/1.0", "remove third/1.0",
      "remove quick/1.0",
    ])
  func killed(_ action: String) async throws {
    let words = "\(action) -k \(Self.kernel) --no-depmod"
    let image = try await Self.image()
    let undisturbed = try MountedMachine(over: image)
    let changes = try await MountedMachine(over: image).changesHere(by: words)
    try await undisturbed.dkms(words).expect(0)
    let expected = try await undisturbed.contents()
    let isTools = { (path: String?) in path?.contains("_build/") == true }
    for change in changes where !isTools(change.path) {
      let layered = try MountedMachine(over: image)
      try await layered.dkms(words, killedBefore: change)
      // Nothing that another kernel has is ever touched.
      let status = try await layered.dkms("status quick/1.0 -k \(Kernels.second)")
      status.expect(0, output: ["quick/1.0, \(Kernels.second), x86_64: installed"])
      let again = try await layered.dkms(words)
      #expect([0, 3].contains(again.status), "\(change): \(again)")
      let left = try await layered.contents()
      #expect(left.subtracting(expected).sorted() == [], "only after a kill: \(change)")
      #expect(expected.subtracting(left).sorted() == [], "missing after a kill: \(change)")
    }
  }
}

/// Where the upper layer lies: on the file system of the lower one, or in memory, as in a live system.
enum LayerPlace: String, CaseIterable, Sendable {
  case disk, memory

  var directory: FilePath { self == .disk ? "/tmp" : TemporaryDirectory.memory }
}
