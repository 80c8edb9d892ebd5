// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Glibc
import Host
import SystemPackage
import TestSupport

@testable import DKMSEngine

/// A machine with a cache, a kernel whose headers identify it, and a module whose compilations are counted.
struct CacheBench {
  var machine: TemporaryMachine
  let id: ModuleID
  let kernel: Kernel

  init() throws {
    (machine, id, kernel) = try TemporaryMachine.withKernel()
    machine.options.cache = CacheOptions()
    machine.environment["PATH"] = "\(machine.directory.path)/bin:\(machine.environment["PATH"] ?? "")"
    for name in ["gcc", "strip"] { try addProgram(name) }
    _ = try addKernel(kernel.release.description)
    try addModule()
  }

  static let fingerprint = KernelFingerprint(owner: nil, symbols: "s", configuration: "c", compiler: "gcc")

  var headers: FilePath { machine.layout.kernel(kernel.release).appending("build") }

  // MARK: What there is

  func addKernel(_ release: String) throws -> Kernel {
    let kernel = try machine.addKernel(release)
    let headers = "lib/modules/\(release)/build"
    try machine.directory.write("0x1 printk vmlinux EXPORT_SYMBOL\n", to: "\(headers)/Module.symvers")
    try machine.directory.write(
      "CONFIG_CC_VERSION_TEXT=\"gcc 12\"\n", to: "\(headers)/include/config/auto.conf")
    try machine.directory.write("#define X 1\n", to: "\(headers)/include/generated/asm-offsets.h")
    return kernel
  }

  func addModule(
    _ other: ModuleID? = nil, text: String = "text", conf: String = "", files: [String: String] = [:]
  ) throws {
    let id = other ?? id
    try machine.addTextModule(
      id, text: text,
      conf: """
        MAKE[0]="cp text \(id.name).ko; echo symbols > Module.symvers; echo >> '\(counter)'"
        \(conf)
        """, files: files)
  }

  /// A program that comes before the system's own, and does nothing.
  private func addProgram(_ name: String, _ comment: String = "#") throws {
    let file = try machine.directory.write("#!/bin/sh\n\(comment)\n", to: "bin/\(name)")
    guard chmod(file.string, 0o755) == 0 else { throw Errno(rawValue: errno) }
  }

  func setText(_ number: Int) throws { try addModule(text: "text \(number)") }

  func addDependency() async throws {
    let base = try module("base", "1.0")
    try machine.addTextModule(base, conf: "MAKE[0]='cp text base.ko; cp text Module.symvers'\n")
    let report = try await machine.install(base, kernel)
    guard report.failures.isEmpty else { throw Failed(report: report) }
    try addModule(conf: "BUILD_DEPENDS[0]=base\n", files: ["run.sh": "echo\n"])
    try Files.link(machine.layout.source(id).appending("link"), to: "text")
  }

  private struct Failed: Error { let report: Report }

  // MARK: What is done

  func build() async throws -> Report { try await machine.build(id, kernel) }

  /// Forgets the build, if there is one, and builds anew.
  func rebuild(at time: Int? = nil, owner: String? = nil) async throws -> Report {
    _ = try await machine.unbuild(id, kernel)
    var host = machine.host
    if let time { host.now = { time } }
    let snapshot = Snapshot(host: host, layout: machine.layout, options: machine.options)
    var facts = try await FactsReader(snapshot).facts(.init(modules: [id], kernels: [kernel]))
    if let owner {
      facts.kernels[kernel]?.fingerprint = try snapshot.kernel(kernel.release).fingerprint()
      facts.kernels[kernel]?.fingerprint?.owner = owner
    }
    return try await Executor(snapshot).execute(
      Planner.build(id, for: [kernel], facts: facts, options: machine.options))
  }

  mutating func make(_ change: BuildCacheTests.Change) async throws {
    let source = machine.layout.source(id)
    let write = { [machine] (text: String, name: String) in _ = try machine.directory.write(text, to: name) }
    let build = "lib/modules/\(kernel.release)/build"
    switch change {
    case .file: try write("other", "src/hello-1.0/text")
    case .newFile: try write("", "src/hello-1.0/new")
    case .emptyDirectory: try Files.makeDirectories(source.appending("empty"))
    case .executableBit: chmod(source.appending("run.sh").string, 0o755)
    case .link: try Files.link(source.appending("link"), to: "run.sh")
    case .command: machine.options.directives = ["MAKE=cp text hello.ko && echo >> '\(counter)'"]
    case .strip: machine.options.directives = ["STRIP=yes"]
    case .override: try write("MAKE[0]+=' && true'\n", "etc/hello.conf")
    case .directive: machine.options.directives = ["DEST_MODULE_NAME=other"]
    case .overlay: try write("", "etc/hello/patches/new.patch")
    case .administratorsScript: try write("#!/bin/sh\n", "etc/hello/script")
    case .symbols: try write("0x2 printk vmlinux EXPORT_SYMBOL\n", "\(build)/Module.symvers")
    case .configuration:
      try write("CONFIG_CC_VERSION_TEXT=\"gcc 12\"\nCONFIG_X=y\n", "\(build)/include/config/auto.conf")
    case .compilerOfTheKernel:
      try write("CONFIG_CC_VERSION_TEXT=\"gcc 13\"\n", "\(build)/include/config/auto.conf")
    case .generatedHeader: try write("#define X 2\n", "\(build)/include/generated/asm-offsets.h")
    case .compiler: try addProgram("gcc", "# new")
    case .variable: machine.environment["KCFLAGS"] = "-O3"
    case .dependency:
      try Files.write(
        Array("other".utf8),
        to: machine.layout.productModules(try module("base", "1.0"), kernel).appending("Module.symvers"))
    case .sourceOfTheDependency: try write("", "src/base-1.0/header.h")
    case .newLink: try Files.link(source.appending("more"), to: "link")
    }
  }

  func rewriteEntry(_ lie: BuildCacheTests.Lie) throws {
    let name = entries[0]
    guard let entry = try cache.entry(name), let draft = try cache.draft(size: 1),
      var module = try cache.contents("modules/hello.ko", of: entry, name),
      let log = try cache.contents("make.log", of: entry, name)
    else { throw HostError("rewrite", cache.path(name), .ioError) }
    var (id, kernel, fingerprint) = (entry.id, entry.kernel, entry.fingerprint)
    switch lie {
    case .vermagic: module = CacheBench.elf(for: "6.2.0")
    case .module: id = try DKMSEngineTests.module("other", "1.0")
    case .kernel: kernel = try machine.kernel("6.2.0")
    case .owner: fingerprint.owner = "linux 1"
    case .additionalModule, .otherModule: break
    }
    var files = ["make.log": try draft.add(log, as: "make.log")]
    for name in lie.modules { files[name] = try draft.add(module, as: name) }
    let other = CacheEntry(
      id: id, kernel: kernel, time: 1, fingerprint: fingerprint, files: files, tree: nil)
    try cache.keep(draft, as: name, other, at: 1)
    guard try cache.isWhole(name) else { throw HostError("rewrite", cache.path(name), .ioError) }
  }

  /// The smallest ELF file that says which kernel it is for.
  private static func elf(for release: String) -> [UInt8] {
    let number = { (value: Int, size: Int) in
      (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    let section = { (name: Int, type: Int, offset: Int, size: Int) in
      number(name, 4) + number(type, 4) + number(0, 16) + number(offset, 8) + number(size, 8) + number(0, 24)
    }
    let information = Array("vermagic=\(release) SMP \0".utf8)
    let names = Array("\0.modinfo\0.shstrtab\0".utf8)
    let contents = information + names
    var bytes: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1] + number(0, 9)
    bytes += number(1, 2) + number(62, 2) + number(1, 4) + number(0, 16) + number(64 + contents.count, 8)
    bytes += number(0, 4) + number(64, 2) + number(0, 4) + number(64, 2) + number(3, 2) + number(2, 2)
    bytes += contents + section(0, 0, 0, 0) + section(1, 1, 64, information.count)
    return bytes + section(10, 3, 64 + information.count, names.count)
  }

  // MARK: What came of it

  private var counter: FilePath { machine.directory.path.appending("compilations") }

  /// How often the module was compiled.
  var compilations: Int { ((try? Files.contents(counter)) ?? nil)?.count ?? 0 }

  var cache: BuildCache { BuildCache(machine.layout) }

  var entries: [String] { Disk.answer { () throws(HostError) in try cache.names() } }

  /// Copies what was built, but for the log, which tells how it came about.
  func keepProduct() throws -> FilePath {
    let kept = machine.directory.path.appending("kept")
    try copyProduct(to: kept)
    return kept
  }

  func productIs(_ kept: FilePath) throws -> Bool {
    let now = machine.directory.path.appending("now")
    try copyProduct(to: now)
    return try Files.haveEqualTrees(kept, now)
  }

  private func copyProduct(to path: FilePath) throws {
    let product = machine.layout.product(id, kernel)
    for name in TemporaryDirectory.listing(of: product) where !name.hasSuffix("/") {
      let goal = path.appending(FilePath(name).components)
      try Files.makeDirectories(goal.removingLastComponent())
      try Files.duplicate(product.appending(FilePath(name).components), to: goal)
      if name == "log/make.log" { try Files.write([], to: goal) }
    }
  }
}
