// SPDX-License-Identifier: GPL-2.0-or-later

import Archives
import DKMSModel
import Glibc
import Host
import SystemPackage
import TestSupport

@testable import DKMSEngine

/// A machine of its own for the engine in this process: sources, the DKMS tree, kernels and /etc/dkms in a temporary
/// directory.
struct TemporaryMachine {
  let directory: TemporaryDirectory
  let layout: Layout
  let transcript = Transcript()
  let launcher: InterceptingLauncher
  var options = BuildOptions()
  var environment = ["HOME": "/root", "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
  var architecture = "x86_64"
  var runningRelease = "9.9.9-running"
  /// Modules are signed only where a test asks for it.
  var isInChroot = true
  var enforcesSignatures = false
  var signOfLife = SignOfLife.none
  var clock = SteadyClock.live

  /// Makes a machine on which these programs only seem to run, once a test says how; see `InterceptingLauncher`.
  init(intercepting programs: Set<String> = ["depmod"]) throws {
    directory = try TemporaryDirectory(in: TemporaryDirectory.memory)
    var layout = Layout()
    layout.sourceTree = directory.path.appending("src")
    layout.dkmsTree = directory.path.appending("dkms")
    layout.installTree = directory.path.appending("lib/modules")
    layout.configurationDirectory = directory.path.appending("etc")
    layout.stateDirectory = directory.path.appending("state")
    layout.cacheDirectory = directory.path.appending("cache")
    layout.temporaryDirectory = directory.path.appending("tmp")
    self.layout = layout
    for tree in [
      layout.temporaryDirectory, layout.sourceTree, layout.dkmsTree, layout.installTree,
      layout.configurationDirectory,
    ] {
      try Files.makeDirectories(tree)
    }
    launcher = InterceptingLauncher(programs)
    options.jobs = 2
  }

  /// Such a machine with a kernel, 6.1.0, and the name of a module that a test may add.
  static func withKernel() throws -> (machine: TemporaryMachine, id: ModuleID, kernel: Kernel) {
    let machine = try TemporaryMachine()
    return (machine, try module("hello", "1.0"), try machine.addKernel("6.1.0"))
  }

  /// What there is of processors and memory, by files that only some tests write.
  var allowance: Allowance {
    let place = directory.path.appending("allowance")
    return Allowance(processes: place, controlGroups: place.appending("cgroup"))
  }

  var host: Host {
    let (isInChroot, enforcesSignatures) = (isInChroot, enforcesSignatures)
    return Host(
      environment: environment, isRoot: geteuid() == 0, runningRelease: runningRelease,
      architecture: architecture, processorCount: 2, allowance: allowance, launcher: launcher,
      console: transcript.console,
      signOfLife: signOfLife, clock: clock, now: { 1_700_000_000 }, isInChroot: { isInChroot },
      enforcesSignatures: { enforcesSignatures })
  }

  // MARK: What is there

  func kernel(_ release: String) throws -> Kernel {
    try Kernel(release: KernelRelease(release), architecture: architecture)
  }

  /// Lays a kernel down; without headers to link to it gets a directory that looks like some.
  @discardableResult
  func addKernel(_ release: String, headers: FilePath? = nil) throws -> Kernel {
    try directory.write("", to: "lib/modules/\(release)/modules.order")
    try Depmod.run(on: layout.installTree, for: release)
    if let headers {
      try Files.link(layout.installTree.appending(release).appending("build"), to: headers)
    } else {
      try Files.makeDirectories(layout.installTree.appending(release).appending("build/include"))
    }
    return try kernel(release)
  }

  /// Lays a source down with its dkms.conf and files, which may be executed where they begin as scripts do.
  @discardableResult
  func addSource(_ id: ModuleID, conf: String, files: [String: String] = [:]) throws -> FilePath {
    let source = layout.source(id)
    try Files.remove(source)
    var files = files
    files["dkms.conf"] = "PACKAGE_NAME=\(id.name)\nPACKAGE_VERSION=\(id.version)\n\(conf)"
    for (name, text) in files {
      let file = try directory.write(text, to: "src/\(id.sourceDirectoryName)/\(name)")
      if text.hasPrefix("#!") { chmod(file.string, 0o755) }
    }
    return source
  }

  /// A source whose "module" is a copy of the text, made without a compiler.
  @discardableResult
  func addTextModule(
    _ id: ModuleID, text: String = "text", conf: String = "", files: [String: String] = [:]
  ) throws -> FilePath {
    let standard = """
      BUILT_MODULE_NAME[0]="\(id.name)"
      DEST_MODULE_LOCATION[0]="/updates/dkms"
      STRIP[0]=no
      MAKE[0]="cp text \(id.name).ko"
      AUTOINSTALL=yes

      """
    return try addSource(id, conf: standard + conf, files: files.merging(["text": text]) { $1 })
  }

  // MARK: What is done

  /// A look at the machine as it is now.
  var snapshot: Snapshot { Snapshot(host: host, layout: layout, options: options) }

  func facts(
    _ modules: [ModuleID], _ kernels: [Kernel], origin: ModuleOrigin? = nil
  ) async throws -> Facts {
    try await FactsReader(snapshot).facts(.init(modules: modules, kernels: kernels, origin: origin))
  }

  /// What steps for a module and a kernel are planned from, for plans that are made by hand.
  func basis(_ id: ModuleID, _ kernel: Kernel) async throws -> Basis {
    Planner(try await facts([id], [kernel]), options: options).basis(of: .init(id: id, kernel: kernel))
  }

  func execute(_ plan: Plan) async throws -> Report { try await Executor(snapshot).execute(plan) }

  func add(_ id: ModuleID) async throws -> Report {
    try await execute(Planner.add(id, facts: try await facts([id], []), options: options))
  }

  func build(_ id: ModuleID, _ kernels: Kernel...) async throws -> Report {
    let facts = try await facts([id], kernels)
    return try await execute(Planner.build(id, for: kernels, facts: facts, options: options))
  }

  func install(_ id: ModuleID, _ kernels: Kernel...) async throws -> Report {
    let facts = try await facts([id], kernels)
    return try await execute(Planner.install(id, for: kernels, facts: facts, options: options))
  }

  /// `dkms ldtarball`, or `dkms add` of a directory.
  @discardableResult
  func load(_ path: FilePath) async throws -> Report {
    let module = try await importer().module(at: path, for: runningKernel())
    let facts = try await facts([module.id], [try runningKernel()], origin: module.origin)
    let report = try await execute(Planner.load(module.id, facts: facts, options: options))
    module.discard()
    return report
  }

  /// `dkms install` of a directory or a tarball.
  func install(_ path: FilePath, _ kernels: Kernel...) async throws -> Report {
    let module = try await importer().module(at: path, for: kernels[0])
    let facts = try await facts([module.id], kernels, origin: module.origin)
    let report = try await execute(
      Planner.install(module.id, for: kernels, facts: facts, options: options))
    module.discard()
    return report
  }

  func importer(_ limits: UnpackLimits = UnpackLimits()) -> ModuleImporter {
    ModuleImporter(snapshot, limits: limits)
  }

  func runningKernel() throws -> Kernel { try kernel(host.runningRelease) }

  /// `dkms mktarball`.
  @discardableResult
  func archive(
    _ id: ModuleID, _ kernels: Kernel..., contents: TarballContents = .sourceAndBuilds,
    as name: FilePath? = nil
  ) async throws -> (file: FilePath, report: Report) {
    let file = layout.tarball(id, kernels, contents, named: name)
    let plan = Planner.archive(
      id, for: kernels, contents: contents, file: file.string, facts: try await facts([id], kernels),
      options: options)
    return (file, try await execute(plan))
  }

  func uninstall(_ id: ModuleID, _ kernels: Kernel...) async throws -> Report {
    let facts = try await facts([id], kernels)
    return try await execute(Planner.uninstall(id, for: kernels, facts: facts, options: options))
  }

  func unbuild(_ id: ModuleID, _ kernels: Kernel...) async throws -> Report {
    let facts = try await facts([id], kernels)
    return try await execute(Planner.unbuild(id, for: kernels, facts: facts, options: options))
  }

  func remove(_ id: ModuleID, _ kernels: Kernel...) async throws -> Report {
    let facts = try await facts([id], kernels)
    return try await execute(
      Planner.remove(id, for: kernels, facts: facts, options: options))
  }

  /// What `dkms install --force` or `dkms build --force` would do on this machine.
  var forced: TemporaryMachine {
    var machine = self
    machine.options.isForced = true
    return machine
  }

  // MARK: What came of it

  var state: TreeState { Disk.answer { () throws(HostError) in try ModuleTree(layout).state() } }

  var dkmsListing: [String] { directory.listing(of: "dkms") }

  /// What is in a kernel's directory beside what was there from the beginning and what depmod wrote.
  func listing(of kernel: Kernel) -> [String] {
    directory.listing(of: "lib/modules/\(kernel.release)")
      .filter { !$0.hasPrefix("build") && !$0.hasPrefix("modules.") }
  }

  func installed(_ file: String, _ kernel: Kernel) -> String? {
    Disk.text(layout.installed(kernel.release).appending(file))
  }

  func product(_ file: String, _ id: ModuleID, _ kernel: Kernel) -> FilePath {
    layout.productModules(id, kernel).appending(file)
  }

  func makeLog(_ id: ModuleID, _ kernel: Kernel) -> String? {
    Disk.text(layout.product(id, kernel).appending("log/make.log"))
  }
}

/// A module version in tests, whose names are known to be good.
func module(_ name: String, _ version: String) throws -> ModuleID {
  try ModuleID(name: name, version: version)
}
