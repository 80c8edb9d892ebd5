// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

extension StepRunner {
  /// Writes a kernel's module dependencies anew, or clears them away with the kernel.
  func depmod(_ release: KernelRelease) async throws(DKMSError) -> [String] {
    let directory = layout.kernel(release)
    guard try onFiles({ () throws(HostError) in try Files.isDirectory(directory) }) else { return [] }
    return try await lockedKernel(release) { () throws(DKMSError) in
      if try isOnlyGenerated(directory) {
        try clear(directory)
        return []
      }
      let signs = ["modules.order", "modules.dep"].map { directory.appending($0) }
      let hasKernel = try onFiles { () throws(HostError) in
        try (signs + [layout.bootRecord(release)]).hasAny(Files.exists)
      }
      if hasKernel {
        try await runDepmod(release)
        try onFiles { () throws(HostError) in try removeHalfWritten(in: directory) }
      }
      return []
    }
  }

  /// Notes that the modules of the running kernel stay, and for which boot.
  func keep(_ release: KernelRelease) throws(DKMSError) -> [String] {
    let record = layout.bootRecord(release)
    try onFiles { () throws(HostError) in
      try Files.makeDirectories(record.removingLastComponent())
      try Files.write(Array("\(host.bootIdentifier)\n".utf8), to: record)
    }
    return []
  }

  /// Whether nothing is left of a kernel but what depmod once wrote.
  private func isOnlyGenerated(_ directory: FilePath) throws(DKMSError) -> Bool {
    try onFiles { () throws(HostError) in try Files.list(directory).allSatisfy(KernelRemains.isGenerated) }
  }

  /// Removes the unfinished files of killed depmod runs.
  private func removeHalfWritten(in directory: FilePath) throws(HostError) {
    for name in try Files.list(directory) {
      guard let writer = KernelRemains.writer(of: name) else { continue }
      let isRunning = try Files.isDirectory(FilePath("/proc/\(writer)"))
      if !isRunning { try Files.remove(directory.appending(name)) }
    }
  }

  private func clear(_ directory: FilePath) throws(DKMSError) {
    try onFiles { () throws(HostError) in
      for name in try Files.list(directory) where KernelRemains.isGenerated(name) {
        try Files.remove(directory.appending(name))
      }
    }
    Files.removeEmptyDirectories(from: directory, upTo: layout.installTree)
  }

  private func runDepmod(_ release: KernelRelease) async throws(DKMSError) {
    let system: Set<FilePath> = ["/usr/lib/modules", "/lib/modules"]
    if system.contains(layout.installTree) {
      let symbols = FilePath("/boot/System.map-\(release)")
      let hasSymbols = try onFiles { () throws(HostError) in try Files.isFile(symbols) }
      try await runDepmod(release, hasSymbols ? ["-F", symbols.string] : [])
    } else {
      let base = try temporaryBase(for: layout.installTree)
      try await runDepmod(release, ["-b", base.path.string])
      base.discard()
    }
  }

  private func runDepmod(_ release: KernelRelease, _ arguments: [String]) async throws(DKMSError) {
    do {
      try await tool("depmod", arguments + ["-a", release.description])
    } catch {
      throw .depmodFailed(release, detail: "\(error)")
    }
  }

  /// depmod looks for `lib/modules` below its base directory; this makes such a base for a tree with any
  /// other name.
  private func temporaryBase(for installTree: FilePath) throws(DKMSError) -> ScratchDirectory {
    do throws(HostError) {
      let base = try ScratchDirectory(in: layout.temporaryDirectory)
      for prefix in ["lib", "usr/lib"] {
        let directory = base.path.appending(FilePath(prefix).components)
        try Files.makeDirectories(directory)
        try Files.link(directory.appending("modules"), to: installTree)
      }
      return base
    } catch { throw DKMSError(error) }
  }
}
