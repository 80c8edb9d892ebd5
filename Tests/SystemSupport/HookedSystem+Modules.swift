// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
package import DKMSModel
internal import Host
package import Inspection
package import SystemPackage
internal import TestSupport
internal import Testing

extension HookedSystem {
  /// Lays down a module that is built and installed in every respect as it should be.
  package func layWhole(_ id: ModuleID, for release: String, listed: Bool = true) throws {
    let kernel = try Kernel(release: KernelRelease(release), architecture: "x86_64")
    if Disk.kind(layout.sourceLink(id)) == nil {
      try Files.makeDirectories(layout.registration(id))
      try Files.link(layout.sourceLink(id), to: layout.source(id))
    }
    let bytes = ModuleImage.bytes(for: release, version: id.version)
    let built = layout.productModules(id, kernel).appending("\(id.name).ko")
    for file in [built, installedFile(id.name, release)] {
      try Files.makeDirectories(file.removingLastComponent())
      try Files.write(bytes, to: file)
    }
    try Files.link(layout.activeLink(id.name, kernel), to: FilePath("\(id.version)/\(release)/x86_64"))
    if listed { try list([id.name], for: release) }
  }

  /// Makes it look as if a module had been installed after depmod ran.
  package func installLater(_ name: String, _ release: String) throws {
    let directory = layout.installTree.appending(release)
    for file in Disk.list(directory) where file.hasPrefix("modules.") {
      try Disk.setTime(of: directory.appending(file), to: 1_500_000_000)
    }
    try Disk.setTime(of: installedFile(name, release), to: 1_600_000_000)
    try Disk.setTime(of: installedFile(name, release).removingLastComponent(), to: 1_400_000_000)
  }

  package func installedFile(_ name: String, _ release: String) -> FilePath {
    layout.installTree.appending(release).appending("updates/dkms/\(name).ko")
  }

  /// Lets depmod see only modules of these names.
  package func list(_ names: [String], for release: String) throws {
    let place = layout.installTree.appending(release).appending("updates/dkms")
    let hidden = Disk.list(place).filter { file in !names.contains { file == "\($0).ko" } }
    for file in hidden { try Files.rename(place.appending(file), to: place.appending("\(file).hidden")) }
    try Depmod.run(on: layout.installTree, for: release)
    for file in hidden { try Files.rename(place.appending("\(file).hidden"), to: place.appending(file)) }
  }

  /// The log of a build that failed.
  @discardableResult
  package func fail(_ id: ModuleID, for release: String) throws -> String {
    let kernel = try Kernel(release: KernelRelease(release), architecture: "x86_64")
    let log = layout.failureLog(id, kernel)
    try Files.makeDirectories(log.removingLastComponent())
    try Files.write(Array("make\n\(layout.build(id))/a.c:7: error: no such thing\n".utf8), to: log)
    return log.string
  }

  /// The verdicts as a database of this system's own sees its kernels.
  package func verification(of releases: String...) async throws -> Verification {
    let kernels = try releases.map { try KernelRelease($0) }
    return try await Verification(
      of: kernels.isEmpty ? nil : kernels, layout: layout, host: host,
      database: Database(root: directory.path))
  }
}
