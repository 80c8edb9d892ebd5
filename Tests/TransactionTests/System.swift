// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import SystemPackage
import TestSupport
import Testing

/// A throwaway pacman system with this suite in it, and questions to it.
struct System {
  let root: ThrowawayRoot

  static let stable = release(of: "-arch1-")
  static let stableUpgrade = release(of: "-arch2-")
  static let lts = release(of: "-lts")
  static let realtime = release(of: "-rt")

  private static func release(of mark: String) -> String {
    TestParts.kernels.first { $0.contains(mark) && (mark == "-rt" || !$0.hasSuffix("-rt")) } ?? "missing"
  }

  // MARK: Systems to start from

  /// Two kernels with headers, and the suite.
  static func withTwoKernels() async throws -> System {
    System(root: try await ThrowawayRoot(from: twoKernels.value))
  }

  /// One kernel with headers, an older one, and the suite.
  static func withLTSKernel() async throws -> System {
    System(root: try await ThrowawayRoot(from: ltsKernel.value))
  }

  /// The suite, and no kernel.
  static func withoutKernels() async throws -> System {
    System(root: try await ThrowawayRoot(from: suite.value))
  }

  private static let suite = Task {
    let system = System(root: try await ThrowawayRoot())
    try system.root.add(TestParts.package, as: "suite.pkg.tar")
    try await system.pacman("-U", ["/suite.pkg.tar", package("kmod-hooks")]).mustSucceed()
    try await system.root.shell(noteTargets).mustSucceed()
    return system.root
  }

  private static let ltsKernel = Task {
    let system = System(root: try await ThrowawayRoot(from: suite.value))
    try await system.install("linux-lts", "linux-lts-headers").mustSucceed()
    return system.root
  }

  private static let twoKernels = Task {
    let system = System(root: try await ThrowawayRoot(from: ltsKernel.value))
    try await system.install("linux=.arch1-", "linux-headers=.arch1-").mustSucceed()
    return system.root
  }

  // MARK: Transactions

  /// Installs packages of the cache, each given as NAME or as NAME=PART with a part of its version.
  func install(_ names: String...) async throws -> Run {
    try await pacman("-U", names.map(Self.package))
  }

  func remove(_ names: String...) async throws -> Run {
    try await pacman("-R", names)
  }

  func pacman(_ operation: String, _ arguments: [String]) async throws -> Run {
    try await root.run(["pacman", "--noconfirm", operation] + arguments)
  }

  static func package(_ wanted: String) -> String {
    let parts = wanted.split(separator: "=", maxSplits: 1).map(String.init)
    let file = Disk.list(TestParts.packages).first { file in
      guard file.hasPrefix("\(parts[0])-") else { return false }
      let version = file.dropFirst(parts[0].count + 1)
      let isVersion = version.first?.isNumber == true
      return isVersion && (parts.count == 1 || version.contains(parts[1]))
    }
    return "/packages/\(file ?? "no package for \(wanted)")"
  }

  // MARK: Questions

  /// The lines of `dkms status`.
  func status() async throws -> [String] {
    let run = try await root.run(["dkms", "status"])
    #expect(run.status == 0, "\(run)")
    return run.lines
  }

  /// Module files that DKMS has put into kernels, below /usr/lib/modules, sorted.
  func installedModules() async throws -> [String] {
    try await root.shell(
      "cd /usr/lib/modules && find . -path '*/updates/*' -type f -printf '%P\\n' | LC_ALL=C sort"
    ).lines
  }

  /// The names in the install tree, sorted.
  func kernelDirectories() async throws -> [String] {
    try await root.shell("ls /usr/lib/modules | LC_ALL=C sort").lines
  }

  func listing(_ path: String) async throws -> [String] {
    try await root.shell("find \(path) -mindepth 1 -printf '%P %l\\n' | LC_ALL=C sort").lines
  }

  /// Checks one installed module by what is in it and what depmod has made of it.
  func expectInstalled(
    _ module: String, _ version: String? = nil, for release: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let information = try await root.run(["modinfo", "-k", release, module])
    #expect(information.status == 0, "\(information)", sourceLocation: sourceLocation)
    let fields = information.lines.map { $0.split(separator: ":", maxSplits: 1).map { $0.trimmed } }
    let value = { (name: String) in fields.first { $0[0] == name }?[1] ?? "" }
    #expect(
      value("filename").contains("/\(release)/updates/dkms/\(module).ko"), "\(information)",
      sourceLocation: sourceLocation)
    #expect(value("vermagic").hasPrefix("\(release) "), "\(information)", sourceLocation: sourceLocation)
    if let version { #expect(value("version") == version, sourceLocation: sourceLocation) }
    let dependencies = try await root.run(["cat", "/usr/lib/modules/\(release)/modules.dep"])
    #expect(
      dependencies.lines.contains { $0.hasPrefix("updates/dkms/\(module).ko") },
      "modules.dep of \(release) lacks \(module)", sourceLocation: sourceLocation)
  }

  /// Checks what must hold after every transaction.
  func expectTidy(sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let leftovers = try await root.shell(
      """
      find /usr/lib/modules /var/lib/dkms -mindepth 1 -type d -empty -not -path '*/build/*' \
        -not -path '/var/lib/dkms/*/*/build'
      for build in /var/lib/dkms/*/*/build; do
        # One that was only added has an empty one, as the reference makes it.
        ls -d "${build%/build}"/*/x86_64 > /dev/null 2>&1 && find "$build" -maxdepth 0 -empty
      done
      find /var/lib/dkms -xtype l
      find /usr/lib/modules /var/lib/dkms -name '*.alpm-dkms-new' -o -name '.tmp_*'
      cd /usr/lib/modules
      for module in */updates/dkms/*.ko*; do
        test -e "$module" || continue
        grep -q "^updates/dkms/${module##*/}:" "${module%%/*}/modules.dep" || echo "$module not in modules.dep"
      done
      """)
    #expect(leftovers.output.isEmpty, "left over: \(leftovers)", sourceLocation: sourceLocation)
  }
}

extension Run {
  /// pacman's word for a hook that did not end well.
  var reportsFailedHook: Bool { all.contains("command failed to execute correctly") }

  /// Both streams.
  var all: String { output + errorOutput }

  func mustSucceed(sourceLocation: SourceLocation = #_sourceLocation) throws {
    try #require(status == 0 && !reportsFailedHook, "\(self)", sourceLocation: sourceLocation)
  }
}

extension Substring {
  var trimmed: String {
    String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
  }
}
