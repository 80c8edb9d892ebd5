// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import SystemPackage
import TestSupport
import Testing

@testable import DKMSEngine

@Suite struct PatchTests {
  private let machine: TemporaryMachine
  private let id: ModuleID
  private let kernel: Kernel

  init() throws { (machine, id, kernel) = try TemporaryMachine.withKernel() }

  private func patch(from old: String, to new: String) -> String {
    "--- a/text\n+++ b/text\n@@ -1 +1 @@\n-\(old)\n+\(new)\n"
  }

  private func failure(_ report: Report) throws -> DKMSError {
    try #require(report.failures.count == 1 ? report.failures[0] : nil)
  }

  @Test func patchesAreAppliedInTheirOrder() async throws {
    let source = try machine.addTextModule(
      id, text: "one\n",
      conf: "PATCH[0]=z.patch\nPATCH[1]=\"sub/a b.patch\"\nPATCH[2]=never.patch\nPATCH_MATCH[2]=^5\n",
      files: [
        "patches/z.patch": patch(from: "one", to: "two"),
        "patches/sub/a b.patch": patch(from: "two", to: "three"),
      ])
    #expect(try await machine.build(id, kernel).failures.isEmpty)
    #expect(Disk.text(machine.product("hello.ko", id, kernel)) == "three")
    #expect(Disk.text(source.appending("text")) == "one")
  }

  @Test func patchesOfTheAdministratorAreLaidOver() async throws {
    try machine.addTextModule(
      id, text: "one\n", conf: "PATCH[0]=own.patch\nPATCH[1]=more.patch\n",
      files: ["patches/own.patch": "this does not apply"])
    try machine.directory.write(patch(from: "one", to: "two"), to: "etc/hello/patches/own.patch")
    try machine.directory.write(patch(from: "two", to: "three"), to: "etc/hello/patches/more.patch")
    #expect(try await machine.build(id, kernel).failures.isEmpty)
    #expect(Disk.text(machine.product("hello.ko", id, kernel)) == "three")
  }

  @Test func missingPatch() async throws {
    try machine.addTextModule(id, conf: "PATCH[0]=missing.patch\n")
    let error = try failure(try await machine.build(id, kernel))
    guard case .patchMissing(id, patch: "missing.patch", _) = error else { throw error }
    #expect(error.exitStatus.rawValue == 5)
    #expect(machine.state[id]?.builds == [])
  }

  @Test(arguments: ["../outside.patch", "sub/../../outside.patch"])
  func patchOutsideTheSource(_ name: String) async throws {
    try machine.addTextModule(
      id, text: "one\n", conf: "PATCH[0]=\(name)\n",
      files: ["outside.patch": patch(from: "one", to: "two"), "patches/sub/file": ""])
    let error = try failure(try await machine.build(id, kernel))
    #expect(error == .patchOutside(id, patch: name))
    #expect(error.exitStatus.rawValue == 5)
  }

  @Test func patchThatDoesNotApply() async throws {
    try machine.addTextModule(
      id, text: "one\n", conf: "PATCH[0]=bad.patch\n",
      files: ["patches/bad.patch": patch(from: "zero", to: "two")])
    let error = try failure(try await machine.build(id, kernel))
    guard case .patchFailed(id, kernel, patch: "bad.patch", let log) = error else { throw error }
    #expect(error.exitStatus.rawValue == 6)
    #expect(Disk.text(FilePath(log))?.contains("FAILED") == true)
  }
}
