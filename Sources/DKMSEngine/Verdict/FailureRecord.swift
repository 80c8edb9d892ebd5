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

  /// Keeps the log of a build that failed; only one run at a time may change the logs of a module.
  ///
  /// That it cannot be kept matters less than what it says.
  func keep(_ log: FilePath, of id: ModuleID, _ kernel: Kernel) {
    guard Files.kind(log) == .file else { return }
    let kept = layout.failureLog(id, kernel)
    try? Files.makeDirectories(kept.removingLastComponent())
    try? Files.copy(log, to: kept)
    try? Files.copy(log, to: copy(of: id))
  }

  /// Forgets the failure that a build has mended; only one run at a time may change the logs of a module.
  func forget(_ id: ModuleID, _ kernel: Kernel) throws(HostError) {
    try Files.remove(layout.failureLog(id, kernel).removingLastComponent())
    try renewCopy(of: id)
  }

  /// Forgets builds for kernels that are gone.
  func forgetGoneKernels(of id: ModuleID) {
    let kernels = KernelCatalogue(layout).kernels
    let gone = failedKernels(of: id).filter { failed in !kernels.contains { failed.hasPrefix("\($0)-") } }
    guard !gone.isEmpty else { return }
    for failed in gone { try? Files.remove(layout.build(id).appending(failed)) }
    try? renewCopy(of: id)
  }

  /// The copy, as long as anything has failed, is of a log that is kept.
  private func renewCopy(of id: ModuleID) throws(HostError) {
    if let failed = failedKernels(of: id).first {
      try Files.copy(layout.build(id).appending(failed).appending(Self.logName), to: copy(of: id))
    } else {
      try Files.remove(copy(of: id))
    }
  }

  /// Kernels, with their architecture, for which a log is kept.
  private func failedKernels(of id: ModuleID) -> [String] {
    Files.list(layout.build(id)).filter { Files.list(layout.build(id).appending($0)) == [Self.logName] }
  }

  /// The copy for those who look where the reference leaves its last log.
  private func copy(of id: ModuleID) -> FilePath { layout.build(id).appending(Self.logName) }

  private static let logName = "make.log"
}
