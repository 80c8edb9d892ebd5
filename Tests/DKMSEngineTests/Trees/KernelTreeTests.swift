// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Glibc
import Host
import SystemPackage
import TestSupport
import Testing

@testable import DKMSEngine

@Suite struct KernelTreeTests {
  private let machine: TemporaryMachine

  init() throws { machine = try TemporaryMachine() }

  private func tree(_ options: BuildOptions = BuildOptions()) throws -> KernelTree {
    KernelTree(try KernelRelease("6.1.0"), in: machine.layout, options: options)
  }

  private func add(_ file: String, _ text: String = "") throws {
    try machine.directory.write(text, to: "lib/modules/6.1.0/\(file)")
  }

  @Test(arguments: [
    ([], Compression.none),
    (["kernel/a.ko"], .none),
    (["kernel/drivers/misc/a.ko.xz"], .xz),
    (["kernel/a.ko.zst"], .zstd),
    (["kernel/a.ko.gz"], .gzip),
    (["kernel/z.ko.zst", "extra/a.ko", "updates/dkms/b.ko.xz"], .zstd),
    (["extra/a.ko.xz"], .xz),
    (["build/drivers/a.ko.zst", "source/a.ko.zst"], .none),
    (["kernel/a.ko", "kernel/b.ko.zst", "kernel/c.ko"], .zstd),
    (["kernel/README", "kernel/a.ko.bz2", "kernel/a.kos", "kernel/b.ko.xz"], .xz),
  ])
  func compressionIsThatOfTheKernelsOwnModules(_ files: [String], _ compression: Compression) throws {
    for file in files { try add(file) }
    #expect(try tree().compression() == compression)
  }

  @Test func modulesOfANameOutsideOurPlace() throws {
    for file in [
      "kernel/drivers/hello.ko.xz", "extra/hello.ko", "updates/hello.ko.gz", "updates/dkms/hello.ko",
      "kernel/hello-world.ko", "build/hello.ko", "kernel/hello.ko.bak",
    ] { try add(file) }
    let found = try tree().modules(named: "hello").map { "\($0)" }
    let directory = machine.layout.installTree.appending("6.1.0")
    #expect(
      found
        == ["extra/hello.ko", "kernel/drivers/hello.ko.xz", "updates/hello.ko.gz"].map {
          "\(directory)/\($0)"
        })
  }

  @Test func factsOfAKernel() throws {
    var facts = try tree().facts()
    #expect(!facts.exists && !facts.hasHeaders && facts.headersPackage == nil)
    #expect(facts.directory == "\(machine.layout.installTree)/6.1.0")
    #expect(facts.headersDirectory == "\(machine.layout.installTree)/6.1.0/build")
    try add("pkgbase", "linux-lts\n")
    facts = try tree().facts()
    #expect(facts.exists && !facts.hasHeaders && facts.headersPackage == "linux-lts-headers")
    try add("build/include/linux/kernel.h")
    #expect(try tree().facts().hasHeaders)
  }

  @Test func leftoverOfAnOldBuildIsNoHeaders() throws {
    try add("build/Module.symvers")
    #expect(try !tree().facts().hasHeaders)
  }

  @Test func headersAndConfigurationElsewhere() throws {
    try machine.directory.write("", to: "headers/include/config/auto.conf")
    var options = BuildOptions()
    options.kernelSourceDirectory = machine.directory.path.appending("headers")
    let tree = try tree(options)
    #expect(try tree.facts().hasHeaders)
    #expect(
      try tree.configurationFile() == machine.directory.path.appending("headers/include/config/auto.conf"))
    options.kernelConfiguration = "/some/config"
    #expect(try self.tree(options).configurationFile() == "/some/config")
  }

  @Test func catalogueListsDirectories() throws {
    try add("modules.order")
    try machine.directory.write("linux\n", to: "lib/modules/6.2.0/pkgbase")
    try machine.directory.write("", to: "lib/modules/file")
    try machine.directory.write("", to: "lib/modules/.hidden/modules.order")
    try Files.link(machine.layout.installTree.appending("dangling"), to: "nowhere")
    let catalogue = try KernelCatalogue(machine.layout)
    #expect(catalogue.releases.map(\.description) == ["6.1.0", "6.2.0"])
    #expect(try catalogue.releases.map(catalogue.packageBase) == [nil, "linux"])
  }

  // MARK: Headers

  @Test func headersOfAnotherVersionAreNamed() throws {
    try add("modules.order")
    try add("pkgbase", "linux\n")
    #expect(try tree().facts().strayHeaders == nil)
    for release in ["6.1.1", "6.1.2-lts"] {
      try machine.directory.write("", to: "lib/modules/\(release)/build/include/a.h")
    }
    try machine.addKernel("6.0.9")
    #expect(try tree().facts().strayHeaders == [try KernelRelease("6.1.1")])
    try add("build/include/a.h")
    #expect(try tree().facts().strayHeaders == nil)
  }

  @Test func damagedHeadersAreTold() async throws {
    let headers = machine.layout.installTree.appending("6.1.0/build")
    try add("build/include/a.h")
    #expect(
      try await tree().headersProblem(on: machine.host) == nil, "nothing says that these are a kernel's")
    try add("build/Makefile")
    #expect(
      try await tree().headersProblem(on: machine.host)
        == "\(headers)/include/generated/autoconf.h is missing")
    try add("build/include/generated/autoconf.h")
    let fixdep = headers.appending("scripts/basic/fixdep")
    #expect(try await tree().headersProblem(on: machine.host) == "\(fixdep) is missing")
    try add("build/scripts/basic/fixdep", "\u{7F}ELF of another machine")
    chmod(fixdep.string, 0o755)
    #expect(
      try await tree().headersProblem(on: machine.host) == "\(fixdep) cannot be run: Exec format error")
    try Files.remove(fixdep)
    try add("build/scripts/basic/fixdep", "#!/bin/sh\nexit 1\n")
    chmod(fixdep.string, 0o755)
    #expect(try await tree().headersProblem(on: machine.host) == nil)
  }
}
