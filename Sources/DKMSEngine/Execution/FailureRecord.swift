// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSModel
package import Host
internal import SystemPackage

/// The record of failed builds: their logs, which stay until the build succeeds.
///
/// A build that succeeds removes the log of the one before, and a module takes its logs with it when it goes.
package struct FailureRecord {
  private let layout: Layout

  package init(_ layout: Layout) { self.layout = layout }

  /// The last build of a module version for a kernel, if that failed.
  package func failure(of id: ModuleID, _ kernel: Kernel) throws(HostError) -> FailedBuild? {
    let log = layout.failureLog(id, kernel)
    guard try Files.isFile(log) else { return nil }
    let directories = [layout.staging(id, kernel, "build"), layout.build(id)]
    return FailedBuild(
      log: log.string, firstError: BuildLog.firstError(in: log, buildDirectories: directories))
  }

  /// Adds the log of a failed build to the record.
  ///
  /// - Throws: `HostError`, also where the task is cancelled.
  func note(_ log: FilePath, of id: ModuleID, _ kernel: Kernel) async throws(HostError) {
    try await change(id) { () throws(HostError) in
      let kept = layout.failureLog(id, kernel)
      try Files.makeDirectories(kept.removingLastComponent())
      try Files.copy(log, to: kept)
    }
  }

  /// Takes a failure off the record once a build for the same kernel has succeeded.
  ///
  /// - Throws: `HostError`, also where the task is cancelled.
  func forget(_ id: ModuleID, _ kernel: Kernel) async throws(HostError) {
    try await change(id) { () throws(HostError) in
      try Files.remove(layout.failureLog(id, kernel).removingLastComponent())
    }
  }

  /// Changes the record under a lock, so that no build for another kernel does so at the same time.
  private func change(
    _ id: ModuleID, _ body: () throws(HostError) -> Void
  ) async throws(HostError) {
    let lock = try await DirectoryLock.acquire(layout.build(id), .exclusive) {}
    try body()
    try renewLatest(of: id)
    lock.release()
  }

  /// Puts the newest log in the record where the reference leaves its last one, or removes it if the record
  /// is empty.
  private func renewLatest(of id: ModuleID) throws(HostError) {
    let latest = layout.build(id).appending(Self.logName)
    let logs = try records(of: id).map { layout.build(id).appending($0).appending(Self.logName) }
    guard var newest = logs.first else { return try Files.remove(latest) }
    for log in logs.dropFirst() where try Files.isNewer(log, than: newest) { newest = log }
    if try !Files.haveEqualContents(newest, latest) { try Files.copy(newest, to: latest) }
  }

  /// The directories that hold a log each.
  private func records(of id: ModuleID) throws(HostError) -> [String] {
    try Files.list(layout.build(id)).where { entry throws(HostError) in
      try Files.list(layout.build(id).appending(entry)) == [Self.logName]
    }
  }

  /// Removes the logs of builds for kernels that are gone, while the registration is locked.
  func forgetGoneKernels(of id: ModuleID) throws(HostError) {
    let kernels = try KernelCatalogue(layout).kernels
    let gone = try records(of: id).filter { record in !kernels.contains { record.hasPrefix("\($0)-") } }
    guard !gone.isEmpty else { return }
    for record in gone { try Files.remove(layout.build(id).appending(record)) }
    try renewLatest(of: id)
  }

  /// An unfinished record whose run was killed.
  func halfMade(of id: ModuleID) throws(HostError) -> [FilePath] {
    let build = layout.build(id)
    let isHalfMade = { (name: String) in name == ".\(Self.logName)\(Files.stagingSuffix)" }
    return try Files.listing(build).collect { entry throws(HostError) -> [FilePath] in
      let path = build.appending(entry.name)
      if isHalfMade(entry.name) { return [path] }
      guard entry.kind == .directory else { return [] }
      let names = try Files.list(path)
      if names.allSatisfy(isHalfMade) { return [path] }
      return names.filter(isHalfMade).map(path.appending)
    }
  }

  private static let logName = "make.log"
}
