// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import SystemPackage
import TestSupport
import Testing

@testable import DKMSEngine

/// Real modules, built against real headers and placed by the real depmod.
@Suite(.requiresRoot, .requiresKernelHeaders, .serialized, .timeLimit(.minutes(60)))
struct RealBuildTests {
  private let machine: TemporaryMachine
  private let id: ModuleID

  init() throws {
    machine = try TemporaryMachine(intercepting: [])
    id = try module("hello", "1.0")
  }

  private func addKernel(_ index: Int) throws -> Kernel {
    let release = TestParts.kernels[index]
    return try machine.addKernel(release, headers: TestParts.headers(of: release))
  }

  private func addModule(_ id: ModuleID, conf: String = "", code: String = "") throws {
    try machine.addSource(
      id, conf: "BUILT_MODULE_NAME[0]=hello\nDEST_MODULE_LOCATION[0]=/kernel/drivers/misc\n" + conf,
      files: [
        "Makefile": "obj-m := hello.o\n",
        "hello.c": """
        #include <linux/module.h>
        static int __init hello_init(void) { return 0; }
        static void __exit hello_exit(void) { }
        module_init(hello_init);
        module_exit(hello_exit);
        MODULE_LICENSE("GPL");
        MODULE_VERSION("\(id.version)");
        \(code)
        """,
      ])
  }

  private func information(_ field: String, of file: FilePath) async throws -> String {
    try await Run.program("/usr/sbin/modinfo", ["-F", field, file.string]).lines.first ?? ""
  }

  private func hasDebugSections(_ file: FilePath) async throws -> Bool {
    try await Run.program("/usr/bin/readelf", ["-SW", file.string]).output.contains(".debug_info")
  }

  private func dependencies(_ kernel: Kernel) -> String? {
    Disk.text(machine.layout.kernel(kernel.release).appending("modules.dep"))
  }

  @Test func twoKernelsSideBySide() async throws {
    let kernels = [try addKernel(0), try addKernel(2)]
    try addModule(id)
    let report = try await machine.install(id, kernels[0], kernels[1])
    #expect(report.failures.isEmpty && report.warnings.isEmpty)
    for kernel in kernels {
      let installed = machine.layout.installed(kernel.release).appending("hello.ko")
      #expect(
        try await information("vermagic", of: installed).split(separator: " ").first == "\(kernel.release)")
      #expect(try await information("version", of: installed) == "1.0")
      #expect(try await !hasDebugSections(installed))
      #expect(try Files.haveEqualContents(installed, machine.product("hello.ko", id, kernel)))
      #expect(
        Disk.list(machine.layout.productModules(id, kernel)) == ["Module.symvers", "hello.ko"])
      #expect(dependencies(kernel)?.contains("updates/dkms/hello.ko:") == true)
      let log = try #require(machine.makeLog(id, kernel))
      let directory = machine.layout.build(id)
      let headers = machine.layout.kernel(kernel.release).appending("build")
      #expect(
        log.contains("# command: make -j2 KERNELRELEASE=\(kernel.release) -C \(headers) M=\(directory)\n"))
      #expect(log.contains("# exit code: 0"))
      #expect(!log.contains("jobserver"))
    }
    #expect(Disk.list(machine.layout.registration(id)) == kernels.map(\.release.description) + ["source"])
    #expect(try await machine.remove(id, kernels[0], kernels[1]).failures.isEmpty)
    #expect(machine.dkmsListing.isEmpty)
    for kernel in kernels {
      #expect(dependencies(kernel)?.contains("hello") == false)
      #expect(Disk.kind(machine.layout.kernel(kernel.release).appending("updates")) == nil)
    }
  }

  @Test func sameSourceGivesTheSameBytesAndKeepsItsDebugSections() async throws {
    let kernel = try addKernel(0)
    try addModule(id, conf: "STRIP[0]=no\n")
    #expect(try await machine.build(id, kernel).failures.isEmpty)
    let product = machine.product("hello.ko", id, kernel)
    let bytes = try Files.read(product)
    #expect(try await hasDebugSections(product))
    #expect(try await machine.forced.build(id, kernel).failures.isEmpty)
    #expect(try Files.read(product) == bytes)
  }

  @Test func moduleForAnotherKernelIsRefused() async throws {
    let kernel = try addKernel(0)
    let other = TestParts.kernels[2]
    try addModule(
      id,
      conf:
        """
        MAKE[0]="make -C \(TestParts.headers(of: other)) M=$dkms_tree/hello/1.0/build KERNELRELEASE=\(other)"
        """
    )
    let report = try await machine.install(id, kernel)
    guard case .vermagicMismatch(id, kernel, file: "hello.ko", let found, let log) = report.failures.first
    else { throw try #require(report.failures.first) }
    #expect(found == other)
    #expect(Disk.isFile(FilePath(log)))
    #expect(report.failures.map(\.exitStatus.rawValue) == [7])
    #expect(machine.state[id]?.builds == [])
    #expect(Disk.kind(machine.layout.kernel(kernel.release).appending("updates")) == nil)
  }

  @Test func compilersFirstErrorIsTold() async throws {
    let kernel = try addKernel(0)
    try addModule(id, code: "static int broken = undeclared_name;")
    let report = try await machine.build(id, kernel)
    guard case .buildFailed(id, kernel, let firstError?, _) = report.failures.first else {
      throw try #require(report.failures.first)
    }
    #expect(firstError.hasPrefix("hello.c:8:"))
    #expect(firstError.contains("error: ") && firstError.contains("undeclared_name"))
  }

  @Test func newerModuleOfTheKernelStays() async throws {
    let kernel = try addKernel(0)
    let newer = try module("hello", "1.10")
    let older = try module("hello", "1.9")
    try addModule(newer)
    try addModule(older)
    #expect(try await machine.build(newer, kernel).failures.isEmpty)
    let own = machine.layout.kernel(kernel.release).appending("kernel/misc/hello.ko")
    try Files.makeDirectories(own.removingLastComponent())
    try Files.copy(machine.product("hello.ko", newer, kernel), to: own)
    let report = try await machine.install(older, kernel)
    guard case .nothingInstalled(older, kernel, let reasons) = report.failures.first else {
      throw try #require(report.failures.first)
    }
    #expect(reasons.count == 1 && reasons[0].contains("1.10") && reasons[0].contains("1.9"))
    #expect(try await machine.forced.install(older, kernel).failures.isEmpty)
    #expect(
      try await information("version", of: machine.layout.installed(kernel.release).appending("hello.ko"))
        == "1.9")
    #expect(dependencies(kernel)?.contains("updates/dkms/hello.ko:") == true)
  }
}
