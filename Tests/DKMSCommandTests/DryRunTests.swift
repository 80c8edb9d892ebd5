// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import TestSupport
import Testing

/// `--dry-run` says what would be done, and does nothing.
@Suite(.requiresRoot, .requiresKernelHeaders)
struct DryRunTests {
  private static let kernel = Kernels.first

  /// A call, and what it would do.
  struct Case: CustomTestStringConvertible, Sendable {
    let state: Prepared.State
    let words: String
    let lines: [String]
    var testDescription: String { "\(words), \(state.rawValue)" }
  }

  private static let subject = "quick/1.0 for \(kernel)"
  private static let added =
    "  -> quick/1.0: would be added, its source is /usr/src/quick-1.0"
  private static let depmod = "  -> \(kernel): module dependencies would be updated"

  private static let cases = [
    Case(state: .source, words: "add quick/1.0", lines: [added]),
    Case(state: .source, words: "build quick/1.0 -k K", lines: [added, "  -> \(subject): would be built"]),
    Case(
      state: .source, words: "install quick/1.0 -k K",
      lines: [added, "  -> \(subject): would be built", "  -> \(subject): would be installed", depmod]),
    Case(
      state: .built, words: "install quick/1.0 -k K --no-depmod",
      lines: ["  -> \(subject): would be installed"]),
    Case(
      state: .installed, words: "install quick/1.0 -k K",
      lines: ["  -> \(subject): nothing to do", "==> Nothing would be done"]),
    Case(
      state: .installed, words: "uninstall quick/1.0 -k K",
      lines: ["  -> \(subject): would be uninstalled", depmod]),
    Case(
      state: .installed, words: "unbuild quick/1.0 -k K",
      lines: ["  -> \(subject): would be uninstalled", "  -> \(subject): its build would be removed", depmod]),
    Case(
      state: .installed, words: "remove quick/1.0 --all",
      lines: [
        "  -> \(subject): would be uninstalled", "  -> \(subject): its build would be removed",
        "  -> quick/1.0: would be removed", depmod,
      ]),
    Case(
      state: .added, words: "autoinstall -k K",
      lines: ["  -> \(subject): would be built", "  -> \(subject): would be installed", depmod]),
    Case(
      state: .installed, words: "match --templatekernel K -k L",
      lines: [
        "  -> quick/1.0 for \(Kernels.second): would be built",
        "  -> quick/1.0 for \(Kernels.second): would be installed",
        "  -> \(Kernels.second): module dependencies would be updated",
      ]),
    Case(
      state: .added, words: "kernel_postinst -k K",
      lines: ["  -> \(subject): would be built", "  -> \(subject): would be installed", depmod]),
    Case(
      state: .installed, words: "kernel_preinst -k K",
      lines: ["  -> \(subject): would be uninstalled", "  -> \(subject): its build would be removed", depmod]),
    Case(
      state: .installed, words: "kernel_prerm -k K",
      lines: ["  -> \(subject): would be uninstalled", "  -> \(subject): its build would be removed", depmod]),
  ]

  @Test("Every action tells its plan and changes nothing; anybody may ask", arguments: cases)
  func plan(_ test: Case) async throws {
    let machine = try await Prepared.machine(test.state)
    let before = machine.tree
    let words = test.words.replacing(" K", with: " \(Kernels.first)")
      .replacing(" L", with: " \(Kernels.second)")
    for user in [MountedMachine.User.root, .nobody] {
      try await machine.dkms("\(words) --dry-run", as: user).expect(0, output: test.lines)
        .expectUnchanged(since: before)
    }
    // What was told is what is then done.
    if !test.lines.contains("==> Nothing would be done") {
      #expect(try await machine.dkms(words).expect(0).tree != before)
    }
  }

  @Test("What is in the way is told, with the status that the call would have")
  func obstacle() async throws {
    let machine = try await Prepared.machine(.added)
    let before = machine.tree
    try await machine.dkms("build quick/1.0 -k 9.9.9 --dry-run")
      .expect(21, output: ["==> Nothing would be done"], says: ["9.9.9", "headers"])
      .expectUnchanged(since: before)
  }

  @Test("A reason is told where the step alone does not say it")
  func reason() async throws {
    let machine = try await Prepared.sources()
    try machine.addQuick()
    try machine.addQuick("quick", "1.1")
    try machine.addQuick("user", "1.0", conf: "BUILD_DEPENDS[0]=quick\nBUILD_DEPENDS_REBUILD=yes")
    for id in ["quick/1.0", "user/1.0"] {
      try await machine.dkms("install \(id) -k \(Self.kernel)").expect(0)
    }
    let outcome = try await machine.dkms("install quick/1.1 -k \(Self.kernel) --dry-run").expect(0)
    #expect(
      outcome.lines.contains(
        "  -> user/1.0 for \(Self.kernel): would be installed (it needs quick/1.1, which changed)"),
      "\(outcome)")
  }
}
