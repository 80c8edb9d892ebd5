// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel

@testable import DKMSEngine

/// Facts made by hand, a line a kernel or module.
struct Scene {
  var facts = Facts()
  var options = BuildOptions()

  /// What plans are made for, in the order in which it was named.
  private(set) var kernels: [Kernel] = []

  @discardableResult
  mutating func kernel(
    _ release: String, exists: Bool = true, hasHeaders: Bool = true, package: String? = nil
  ) throws -> Kernel {
    let kernel = try Kernel(release: KernelRelease(release), architecture: "x86_64")
    facts.kernels[kernel] = KernelFacts(
      directory: "/modules/\(release)", exists: exists, headersDirectory: "/modules/\(release)/build",
      hasHeaders: hasHeaders, headersPackage: package)
    kernels.append(kernel)
    return kernel
  }

  /// How a module stands in the tree.
  enum Standing { case absent, registered, broken, lastGood }

  /// Adds a module version, with a configuration for every kernel so far.
  @discardableResult
  mutating func module(
    _ name: String, _ version: String = "1.0", _ standing: Standing = .registered, hasSource: Bool = true,
    hasKeptSource: Bool = false, built: [Kernel] = [], installed: [Kernel] = [], autoinstall: Bool = true,
    needs: [String] = [], rebuilds: Bool = false, exclusion: String? = nil, unreadable: DKMSError? = nil,
    files: [String] = []
  ) throws -> ModuleID {
    let id = try ModuleID(name: name, version: version)
    if hasSource { facts.sources[id] = "/src/\(id.sourceDirectoryName)" }
    if hasKeptSource || standing == .lastGood { facts.keptSources[id] = "/kept/\(id)" }
    if standing != .absent {
      let builds =
        installed.map { BuildRecord(kernel: $0, isInstalled: true) }
        + built.map { BuildRecord(kernel: $0, isInstalled: false) }
      facts.tree.modules.append(
        ModuleRecord(
          id: id, source: standing == .lastGood ? "/kept/\(id)" : "/src/\(id.sourceDirectoryName)",
          isBroken: standing == .broken, usesKeptSource: standing == .lastGood, builds: builds))
    }
    let configuration = ModuleConfiguration(
      id: id,
      modules: files.map {
        ModuleFile(
          builtName: $0, builtLocation: "", destinationName: $0, destinationLocation: "/extra",
          isStripped: true)
      }, makeCommand: "make", autoinstall: autoinstall, buildDepends: needs,
      rebuildsWithDependencies: rebuilds, exclusion: exclusion)
    if !hasSource { facts.productNames[id] = Set(files) }
    for kernel in kernels {
      facts.configurations[id, default: [:]][kernel] =
        unreadable.map { .unreadable($0) } ?? .read(configuration)
    }
    return id
  }

  func install(_ id: ModuleID, for kernels: [Kernel]? = nil) -> Plan {
    Planner.install(id, for: kernels ?? self.kernels, facts: facts, options: options)
  }

  func autoinstall() -> Plan {
    Planner.autoinstall(for: kernels, facts: facts, options: options)
  }

  func settle(
    changed: [ModuleID] = [], gone: [ModuleID] = [], changedKernels: [Kernel] = [],
    goneKernels: [Kernel] = [], keptKernels: [Kernel] = [], changesSuite: Bool = false
  ) -> Plan {
    // Only of installed kernels anything is known.
    var facts = facts
    for kernel in goneKernels + keptKernels { facts.kernels[kernel] = nil }
    var transaction = Transaction(
      changedModules: changed, goneModules: gone, changedKernels: changedKernels, goneKernels: goneKernels,
      keptKernels: keptKernels, installedKernels: kernels.filter { !(goneKernels + keptKernels).contains($0) }
    )
    transaction.changesSuite = changesSuite
    return Planner.follow(transaction, facts: facts, options: options)
  }
}
