// SPDX-License-Identifier: GPL-2.0-or-later

import Glibc
import Host
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// The kernels that modules are built for.
enum Kernels {
  /// One of 6.1.
  static let first = TestParts.kernels.first ?? "no kernel"
  /// One of 6.12.
  static let second = TestParts.kernels.last ?? "no kernel"
}

/// Machines that take time to make; each test takes copies.
enum Prepared {
  /// Two kernels, the sources of hello-world 1.0 and 1.1, and modules to copy in the place of a build.
  static func sources() async throws -> MountedMachine { try await sourcesTask.value.copy() }

  /// The same, with quick/1.0 in some state for the first kernel.
  static func machine(_ state: State) async throws -> MountedMachine {
    let machine = try await sources()
    try machine.addQuick()
    if let action = state.action {
      let arguments = "\(action) quick/1.0" + (state == .added ? "" : " -k \(Kernels.first)")
      try await machine.dkms(arguments).expect(0)
    }
    return machine
  }

  /// How far a module has come.
  enum State: String, CaseIterable {
    case source, added, built, installed

    fileprivate var action: String? {
      switch self {
      case .source: nil
      case .added: "add"
      case .built: "build"
      case .installed: "install"
      }
    }
  }

  private static let sourcesTask = Task {
    let machine = try MountedMachine()
    shared.withLock { $0.append(machine.path("")) }
    atexit { shared.withLock { $0.forEach { try? Files.remove($0) } } }
    for kernel in [Kernels.first, Kernels.second] { try machine.addKernel(kernel) }
    for version in ["1.0", "1.1"] { try machine.addHelloWorld(version) }
    let kernels = "-k \(Kernels.first) -k \(Kernels.second)"
    try await machine.dkms("build hello-world/1.0 \(kernels)").expect(0)
    for kernel in [Kernels.first, Kernels.second] {
      let built = machine.path("var/hello-world/1.0/\(kernel)/x86_64/module/hello_world.ko")
      try Files.makeDirectories(machine.path("src/prebuilt"))
      try Files.copy(built, to: machine.path("src/prebuilt/\(kernel).ko"))
    }
    try await machine.dkms("remove hello-world/1.0 --all").expect(0)
    return machine
  }

  /// What a global holds goes only this way.
  private static let shared = Mutex<[FilePath]>([])
}

extension MountedMachine {
  /// A module of the fixtures that takes a real build.
  func addHelloWorld(_ version: String) throws {
    let fixture = TestParts.repository.appending("Fixtures/packages/hello-world-dkms")
    for name in ["Makefile", "dkms.conf", "hello_world.c"] {
      let text = try #require(Disk.text(fixture.appending(name)))
        .replacing("@_PKGBASE@", with: "hello-world").replacing("@PKGVER@", with: version)
      try write("\(text)\n", to: "src/hello-world-\(version)/\(name)")
    }
  }

  /// A module whose build command only copies what was built before; `conf` is added to its dkms.conf.
  func addQuick(
    _ name: String = "quick", _ version: String = "1.0", in tree: String = "src", conf: String = ""
  ) throws {
    let text = """
      PACKAGE_NAME="\(name)"
      PACKAGE_VERSION="\(version)"
      MAKE[0]="cp /usr/src/prebuilt/$kernelver.ko \(name).ko"
      CLEAN="true"
      BUILT_MODULE_NAME[0]="\(name)"
      DEST_MODULE_LOCATION[0]="/extra"
      AUTOINSTALL="yes"
      \(conf)

      """
    try write(text, to: "\(tree)/\(name)-\(version)/dkms.conf")
    try write("a file\n", to: "\(tree)/\(name)-\(version)/file")
  }

  /// What `dkms add quick/1.0` leaves.
  func register() throws {
    try Files.makeDirectories(path("var/quick/1.0/build"))
    try Files.link(path("var/quick/1.0/source"), to: "/usr/src/quick-1.0")
  }

  /// An executable script.
  func addScript(_ text: String, at name: String) throws {
    try Files.makeDirectories(path(name).removingLastComponent())
    try Files.write(
      Array("#!/bin/bash\n\(text)\n".utf8), to: path(name),
      permissions: [.ownerReadWriteExecute, .groupReadExecute, .otherReadExecute])
  }

  /// A module of Debian's; its name and version, as `dkms` takes them.
  func addRealModule(_ name: String) async throws -> String {
    let sources = TestParts.cache.appending("parts/\(name)-dkms/usr/src")
    let directory = try #require(
      Disk.list(sources).first { $0.hasPrefix("\(name)-") }, "\(name): run make test")
    let run = try await Run.program(
      "/bin/cp", ["-a", sources.appending(directory).string, path("src").string])
    try #require(run.status == 0, "\(run)")
    return "\(name)/\(directory.dropFirst(name.count + 1))"
  }

  /// Makes lttng-modules, as Debian has it, fit the first kernel.
  func removeProbeThatDoesNotCompile(_ id: String) throws {
    let source = "src/\(id.replacing("/", with: "-"))"
    try change("\(source)/src/probes/Kbuild") { $0.filter { !$0.contains("lttng-probe-timer.o") } }
    try change("\(source)/dkms.conf") { lines in
      let first = try #require(lines.firstIndex { $0.contains("lttng-probe-timer") })
      return lines[..<first] + lines[(first + 4)...]
    }
  }

  /// Rewrites the lines of a file.
  func change(_ name: String, _ body: ([Substring]) throws -> some Sequence<Substring>) throws {
    let lines = try text(name).split(separator: "\n", omittingEmptySubsequences: false)
    try write(body(lines).joined(separator: "\n"), to: name)
  }

  /// All that modinfo tells of a module, less where it is.
  func information(_ name: String) async throws -> String {
    let run = try await Run.program("/usr/sbin/modinfo", [path(name).string])
    try #require(run.status == 0, "\(run)")
    return run.output.drop { $0 != "\n" }.description
  }
}
