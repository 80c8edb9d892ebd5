// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// What is on record of builds that failed: their logs, which stay until they are mended.
///
/// A build that succeeds removes the log of the one before, and a module takes its logs with it when it goes.
struct FailureRecord {
  private let layout: Layout

  init(_ layout: Layout) { self.layout = layout }

  /// The last build of a module version for a kernel, if that failed.
  func failure(of id: ModuleID, _ kernel: Kernel) -> FailedBuild? {
    let log = layout.failureLog(id, kernel)
    guard Files.isFile(log) else { return nil }
    let directories = [layout.staging(id, kernel, "build"), layout.build(id)]
    return FailedBuild(
      log: log.string, firstError: BuildLog.firstError(in: log, buildDirectories: directories))
  }

  /// Removes the logs of builds for kernels that are gone.
  func forgetGoneKernels(of id: ModuleID) {
    let kernels = KernelCatalogue(layout).kernels
    let build = layout.build(id)
    let records = Files.list(build).filter { Files.list(build.appending($0)) == [Self.logName] }
    let gone = records.filter { record in !kernels.contains { record.hasPrefix("\($0)-") } }
    guard !gone.isEmpty else { return }
    for record in gone { try? Files.remove(build.appending(record)) }
    // The copy for those who look where the reference leaves its last log.
    if gone.count == records.count { try? Files.remove(build.appending(Self.logName)) }
  }

  /// What was to become a record when its run was killed.
  func halfMade(of id: ModuleID) -> [FilePath] {
    let build = layout.build(id)
    let isHalfMade = { (name: String) in name == ".\(Self.logName)\(Files.stagingSuffix)" }
    return Files.list(build).flatMap { entry -> [FilePath] in
      let path = build.appending(entry)
      if isHalfMade(entry) { return [path] }
      guard Files.kind(path) == .directory else { return [] }
      let names = Files.list(path)
      if names.allSatisfy(isHalfMade) { return [path] }
      return names.filter(isHalfMade).map(path.appending)
    }
  }

  private static let logName = "make.log"
}
