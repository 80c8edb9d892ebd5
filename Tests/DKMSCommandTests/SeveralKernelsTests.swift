// SPDX-License-Identifier: GPL-2.0-or-later

import TestSupport
import Testing

/// What a call for several kernels ends with, and what it says of those for which there is nothing to do.
@Suite(.requiresRoot, .requiresKernelHeaders)
struct SeveralKernelsTests {
  private static let (first, second) = (Kernels.first, Kernels.second)

  @Test(
    "A failure decides the status, an exclusion only where there is nothing else",
    arguments: ["build", "install"])
  func failureAndExclusion(_ action: String) async throws {
    let machine = try await Prepared.sources()
    try machine.addQuick(
      conf:
        "BUILD_EXCLUSIVE_KERNEL='^6\\.1\\.'\n[[ $kernelver != \(Self.first) ]] || MAKE[0]=false"
    )
    for (kernels, status) in [
      ("-k \(Self.first) -k \(Self.second)", 10), ("-k \(Self.second) -k \(Self.first)", 10),
      ("-k \(Self.second)", 77), ("-k \(Self.second) -k 9.9.9", 77),
    ] as [(String, Int32)] {
      try await machine.dkms("\(action) quick/1.0 \(kernels)").expect(status)
    }
  }

  @Test("match for a kernel without headers is refused, even where all is built")
  func matchWithoutHeaders() async throws {
    let machine = try await Prepared.machine(.installed)
    try await machine.dkms("build quick/1.0 -k \(Self.second)").expect(0)
    try machine.remove("modules/\(Self.second)/build")
    try await machine.dkms("match --templatekernel \(Self.first) -k \(Self.second)").expect(21)
  }

  @Test(
    "A kernel that has nothing to undo is named",
    arguments: [("uninstall", "installed"), ("unbuild", "built"), ("remove", "built")])
  func nothingToUndo(_ action: String, _ state: String) async throws {
    let machine = try await Prepared.machine(.installed)
    let outcome = try await machine.dkms("\(action) quick/1.0 -k \(Self.second) -k \(Self.first)").expect(0)
    let line = "  -> quick/1.0 for \(Self.second): not \(state), skipped"
    #expect(outcome.run.lines.filter { $0.hasSuffix("skipped") } == [line], "\(outcome)")
  }

  @Test("A directory that the module was registered from is built from, and is no second one to add")
  func registeredDirectory() async throws {
    let machine = try await Prepared.sources()
    try machine.addQuick(in: "etc/there")
    let source = "/etc/dkms/there/quick-1.0"
    try await machine.dkms("add \(source)").expect(0)
    try await machine.dkms("add \(source)").expect(3)
    try await machine.dkms("build \(source) -k \(Self.first)").expect(0)
    try await machine.dkms("install \(source) -k \(Self.first)").expect(0)
    try await machine.dkms("status").expect(0, output: ["quick/1.0, \(Self.first), x86_64: installed"])
    // Another source under that name is not what is registered.
    try machine.write("changed\n", to: "etc/there/quick-1.0/file")
    try await machine.dkms("build \(source) -k \(Self.second)").expect(3)
  }
}
