// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import SystemPackage
import TestSupport
import Testing

@testable import DKMSEngine

/// Modules are compressed as those of the kernel are.
@Suite struct CompressionTests {
  private let machine: TemporaryMachine
  private let id: ModuleID
  private let kernel: Kernel

  init() throws { (machine, id, kernel) = try TemporaryMachine.withKernel() }

  private func decompressed(_ program: String, _ file: String) async throws -> String {
    let path = machine.layout.installed(kernel.release).appending(file)
    return try await Run.program(FilePath("/usr/bin/\(program)"), ["-dc", path.string]).output
  }

  @Test(arguments: [("xz", ".xz"), ("zstd", ".zst"), ("gzip", ".gz")])
  func moduleFollowsTheKernel(_ program: String, _ suffix: String) async throws {
    try machine.directory.write("", to: "lib/modules/6.1.0/kernel/own.ko\(suffix)")
    let text = String(repeating: "text of a module ", count: 1000)
    try machine.addTextModule(id, text: text)
    #expect(try await machine.install(id, kernel).failures.isEmpty)
    #expect(Disk.list(machine.layout.productModules(id, kernel)) == ["hello.ko\(suffix)"])
    #expect(Disk.list(machine.layout.installed(kernel.release)) == ["hello.ko\(suffix)"])
    #expect(try await decompressed(program, "hello.ko\(suffix)") == text)
    #expect(try ModuleTree(machine.layout).integrity(of: id, kernel, nil) == .sound)
  }

  @Test(arguments: [".xz", ".zst", ".gz"])
  func equalModulesAreEqualWhenCompressed(_ suffix: String) async throws {
    try machine.directory.write("", to: "lib/modules/6.1.0/kernel/own.ko\(suffix)")
    try machine.addTextModule(id)
    #expect(try await machine.build(id, kernel).failures.isEmpty)
    let first = try Files.read(machine.product("hello.ko\(suffix)", id, kernel))
    #expect(try await machine.forced.build(id, kernel).failures.isEmpty)
    #expect(try Files.read(machine.product("hello.ko\(suffix)", id, kernel)) == first)
  }

  @Test func kernelThatChangesItsCompressionHasEachModuleOnce() async throws {
    try machine.addTextModule(id)
    #expect(try await machine.install(id, kernel).failures.isEmpty)
    try machine.directory.write("", to: "lib/modules/6.1.0/kernel/own.ko.xz")
    #expect(try await machine.forced.build(id, kernel).failures.isEmpty)
    #expect(try await machine.forced.install(id, kernel).failures.isEmpty)
    #expect(Disk.list(machine.layout.installed(kernel.release)) == ["hello.ko.xz"])
    #expect(try await machine.uninstall(id, kernel).failures.isEmpty)
    #expect(machine.listing(of: kernel) == ["kernel/", "kernel/own.ko.xz"])
  }

  @Test func argumentsOfTheCompressorAreTheAdministrators() async throws {
    var machine = machine
    machine.options.gzipArguments = ["-1", "-N"]
    try machine.directory.write("", to: "lib/modules/6.1.0/kernel/own.ko.gz")
    try machine.addTextModule(id)
    #expect(try await machine.build(id, kernel).failures.isEmpty)
    let command = try #require(machine.launcher.commands("gzip").first)
    #expect(command.arguments.starts(with: ["-1", "-N"]))
    let bytes = try Files.read(machine.product("hello.ko.gz", id, kernel))
    #expect(String(decoding: bytes, as: UTF8.self).contains("hello.ko"))
  }
}
