// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

extension StepRunner {
  /// Writes a kernel's module dependencies anew, or clears them away with the kernel.
  func depmod(_ release: KernelRelease) async throws(DKMSError) -> [String] {
    let directory = layout.kernel(release)
    guard Files.isDirectory(directory) else { return [] }
    return try await lockedKernel(release) { () throws(DKMSError) in
      if isOnlyGenerated(directory) {
        try clear(directory)
        return []
      }
      let signs = ["modules.order", "modules.dep"].map { directory.appending($0) }
      let hasKernel = (signs + [layout.bootRecord(release)]).contains { Files.kind($0) != nil }
      if hasKernel {
        try await runDepmod(release)
        removeHalfWritten(in: directory)
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
  private func isOnlyGenerated(_ directory: FilePath) -> Bool {
    Files.list(directory).allSatisfy(KernelRemains.isGenerated)
  }

  /// Removes what runs of depmod were writing that were killed.
  private func removeHalfWritten(in directory: FilePath) {
    for name in Files.list(directory) {
      guard let writer = KernelRemains.writer(of: name) else { continue }
      let isRunning = Files.isDirectory(FilePath("/proc/\(writer)"))
      if !isRunning { try? Files.remove(directory.appending(name)) }
    }
  }

  private func clear(_ directory: FilePath) throws(DKMSError) {
    try onFiles { () throws(HostError) in
      for name in Files.list(directory) { try Files.remove(directory.appending(name)) }
    }
    Files.removeEmptyDirectories(from: directory, upTo: layout.installTree)
  }

  private func runDepmod(_ release: KernelRelease) async throws(DKMSError) {
    let system: Set<FilePath> = ["/usr/lib/modules", "/lib/modules"]
    var arguments: [String] = []
    var base: FilePath?
    if !system.contains(layout.installTree) {
      let made = try temporaryBase(for: layout.installTree)
      arguments += ["-b", made.string]
      base = made
    }
    let symbols = FilePath("/boot/System.map-\(release)")
    if base == nil, Files.isFile(symbols) { arguments += ["-F", symbols.string] }
    let result: Result<CommandResult, DKMSError>
    do {
      result = .success(try await tool("depmod", arguments + ["-a", release.description]))
    } catch {
      result = .failure(.depmodFailed(release, detail: "\(error)"))
    }
    if let base { try? onFiles { () throws(HostError) in try Files.remove(base) } }
    _ = try result.get()
  }

  /// depmod looks for `lib/modules` below its base; this is a base for a tree of any other name.
  private func temporaryBase(for installTree: FilePath) throws(DKMSError) -> FilePath {
    let parent = FilePath(host.environment["TMPDIR"] ?? "/tmp")
    return try onFiles { () throws(HostError) in
      let base = try Files.makeTemporaryDirectory(in: parent)
      for prefix in ["lib", "usr/lib"] {
        let directory = base.appending(FilePath(prefix).components)
        try Files.makeDirectories(directory)
        try Files.link(directory.appending("modules"), to: installTree)
      }
      return base
    }
  }
}
