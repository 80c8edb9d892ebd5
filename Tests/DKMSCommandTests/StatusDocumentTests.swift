// SPDX-License-Identifier: GPL-2.0-or-later

import Foundation
import Host
import TestSupport
import Testing

/// `dkms status --json`: for programs.
@Suite(.requiresRoot, .requiresKernelHeaders)
struct StatusDocumentTests {
  /// The document as a program reads it.
  private struct Document: Decodable {
    let schema: Int
    let version: String
    let dkmsTree: String
    let kernels: [KernelEntry]
    let modules: [ModuleEntry]

    func standing(_ module: String, _ version: String, _ kernel: String) -> Standing? {
      modules.first { $0.module == "\(module)/\(version)" && $0.name == module }?.kernels.first {
        $0.kernel == kernel
      }
    }
  }

  private struct KernelEntry: Decodable {
    let kernel: String
    let architecture: String
    let headersPresent: Bool
    let headersPackage: String?
  }

  private struct ModuleEntry: Decodable {
    let module: String
    let name: String
    let state: String
    let source: String?
    let kernels: [Standing]
  }

  private struct Standing: Decodable {
    let kernel: String
    let architecture: String
    let state: String
    let headersPresent: Bool
    let skip: Skip?
    let log: String?
    let failureLog: String?
    let originalModules: Bool?
    let differsFromBuilt: Bool?
    let missingFromTree: Bool?
    let kernelDiffers: Bool?
  }

  private struct Skip: Decodable, Equatable {
    let cause: String
    let reason: String
  }

  private func document(
    _ machine: MountedMachine, _ words: String = "", status: Int32 = 0, as user: MountedMachine.User = .root
  ) async throws -> Document {
    let outcome = try await machine.dkms("status --json \(words)", as: user).expect(status)
    #expect(try JSONSchema("status").faults(in: outcome.run.output) == [])
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Document.self, from: Data(outcome.run.output.utf8))
  }

  @Test("It has every fact of the text")
  func facts() async throws {
    let machine = try await Prepared.sources()
    try machine.addQuick()
    try machine.addQuick("quick", "1.1")
    let (first, second) = (Kernels.first, Kernels.second)
    try await machine.dkms("install quick/1.0 -k \(first)").expect(0)
    try await machine.dkms("build quick/1.1 -k \(first) -k \(second)").expect(0)
    try machine.write("x", to: "modules/\(first)/updates/dkms/quick.ko")
    try machine.write("x", to: "var/quick/original_module/\(first)/x86_64/quick.ko")
    try machine.remove("var/quick/1.1/\(second)/x86_64/module/quick.ko")
    let document = try await document(machine, as: .nobody)
    #expect(document.schema == 2)
    #expect(document.dkmsTree == "/var/lib/dkms")
    #expect(
      document.modules.map { "\($0.module) \($0.state)" } == [
        "quick/1.0 added", "quick/1.1 added",
      ])
    #expect(document.modules.first?.source == "/usr/src/quick-1.0")
    let installed = try #require(document.standing("quick", "1.0", first))
    #expect(installed.state == "installed" && installed.architecture == "x86_64")
    #expect(installed.originalModules == true && installed.differsFromBuilt == true)
    #expect(installed.missingFromTree == false && installed.skip == nil)
    #expect(installed.log == "/var/lib/dkms/quick/1.0/\(first)/x86_64/log/make.log")
    #expect(machine.exists("var/quick/1.0/\(first)/x86_64/log/make.log"))
    #expect(document.standing("quick", "1.0", second)?.state == "none")
    #expect(document.standing("quick", "1.1", first)?.state == "built")
    #expect(document.standing("quick", "1.1", second)?.missingFromTree == true)
  }

  @Test("It tells why a kernel has no such module")
  func skips() async throws {
    let machine = try await Prepared.sources()
    try machine.addKernel("9.9.9", hasHeaders: false)
    try machine.write("linux-nine\n", to: "modules/9.9.9/pkgbase")
    let confs = [
      "excluded": "BUILD_EXCLUSIVE_KERNEL='^2'", "needy": "BUILD_DEPENDS[0]=nobody",
      "failing": "MAKE[0]=false",
      "manual": "AUTOINSTALL=no", "wanted": "", "bad": "AUTOINSTALL=maybe",
    ]
    for (name, conf) in confs {
      try machine.addQuick(name, "1.0")
      try await machine.dkms("add \(name)/1.0").expect(0)
      try machine.addQuick(name, "1.0", conf: conf)
    }
    try await machine.dkms("build failing/1.0 -k \(Kernels.first)").expect(10)
    let document = try await document(machine)
    let skip = { (name: String, kernel: String) in document.standing(name, "1.0", kernel)?.skip }
    #expect(
      skip("excluded", Kernels.first) == Skip(cause: "excluded", reason: "BUILD_EXCLUSIVE_KERNEL is '^2'"))
    #expect(skip("needy", Kernels.first)?.cause == "dependencies")
    #expect(skip("needy", Kernels.first)?.reason.contains("nobody") == true)
    #expect(skip("failing", Kernels.first)?.cause == "failed")
    #expect(skip("manual", Kernels.first)?.cause == "not_autoinstalled")
    #expect(skip("bad", Kernels.first)?.cause == "configuration")
    #expect(skip("wanted", "9.9.9")?.cause == "headers")
    #expect(document.standing("wanted", "1.0", Kernels.first)?.state == "none")
    #expect(skip("wanted", Kernels.first) == nil)
    let log = try #require(document.standing("failing", "1.0", Kernels.first)?.failureLog)
    #expect(machine.exists(log.replacing("/var/lib/dkms", with: "var")))
    let kernel = try #require(document.kernels.first { $0.kernel == "9.9.9" })
    #expect(!kernel.headersPresent && kernel.headersPackage == "linux-nine-headers")
    #expect(document.kernels.first { $0.kernel == Kernels.first }?.headersPresent == true)
    #expect(document.standing("wanted", "1.0", "9.9.9")?.headersPresent == false)
  }

  @Test("It tells a build that was made for another kernel of the same release")
  func otherKernel() async throws {
    let machine = try await Prepared.sources()
    try machine.addKernel("9.9.9", hasHeaders: false)
    try machine.write("CONFIG_X=y\n", to: "modules/9.9.9/build/include/config/auto.conf")
    try machine.write("symbols\n", to: "modules/9.9.9/build/Module.symvers")
    try machine.addQuick(conf: "MAKE[0]='cp file quick.ko'\nSTRIP[0]=no")
    try await machine.dkms("install quick/1.0 -k 9.9.9 --no-depmod").expect(0)
    #expect(try await document(machine).standing("quick", "1.0", "9.9.9")?.kernelDiffers == false)
    try machine.write("other symbols\n", to: "modules/9.9.9/build/Module.symvers")
    #expect(try await document(machine).standing("quick", "1.0", "9.9.9")?.kernelDiffers == true)
    try machine.remove("var/quick/1.0/9.9.9/x86_64/.kernel")
    #expect(try await document(machine).standing("quick", "1.0", "9.9.9")?.kernelDiffers == nil)
  }

  @Test("A broken module is one, with the status and the message of the text")
  func broken() async throws {
    let machine = try await Prepared.machine(.installed)
    try machine.remove("src/quick-1.0")
    let document = try await document(machine)
    #expect(document.modules.map(\.state) == ["broken"])
    let outcome = try await machine.dkms("status --json")
    #expect(outcome.run.errorOutput.contains("quick/1.0 is broken"))
  }

  @Test("Filters are those of the text")
  func filters() async throws {
    let machine = try await Prepared.machine(.installed)
    try machine.addQuick("other", "2.0")
    try await machine.dkms("install other/2.0 -k \(Kernels.second)").expect(0)
    #expect(try await document(machine, "other/2.0").modules.map(\.module) == ["other/2.0"])
    #expect(try await document(machine, "-m q*").modules.map(\.module) == ["quick/1.0"])
    let kernels = try await document(machine, "-k \(Kernels.second)").kernels.map(\.kernel)
    #expect(kernels == [Kernels.second])
    #expect(try await document(machine, "nothing/1").modules.isEmpty)
  }

  @Test("The text is not changed by it")
  func text() async throws {
    let machine = try await Prepared.machine(.installed)
    try await machine.dkms("status").expect(0, output: ["quick/1.0, \(Kernels.first), x86_64: installed"])
  }
}
