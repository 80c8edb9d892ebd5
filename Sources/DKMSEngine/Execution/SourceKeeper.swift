// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
public import Host
internal import SystemPackage

/// Keeps copies of sources that are about to go, so that what was built from them stays understood.
public struct SourceKeeper: Sendable {
  private let layout: Layout
  private let host: Host

  /// Keeps sources beside the registrations of a layout.
  public init(layout: Layout, host: Host) {
    self.layout = layout
    self.host = host
  }

  /// Copies the source of a registered module into its registration, whole or not at all.
  ///
  /// - Throws: `DKMSError.system` where it cannot be copied, `DKMSError.overtaken` where the module is no
  ///   longer registered.
  public func keep(_ id: ModuleID) async throws(DKMSError) {
    let lock: DirectoryLock
    do throws(HostError) {
      // Keeps others from sweeping it away half made; a build may run meanwhile.
      lock = try await DirectoryLock.acquire(layout.registration(id), .shared, creates: false) {}
    } catch {
      guard error.errno == .noSuchFileOrDirectory else { throw DKMSError(error) }
      throw .overtaken(id, nil, .removed, by: nil)
    }
    do {
      try await copy(id)
      lock.release()
    } catch {
      lock.release()
      throw error
    }
  }

  private func copy(_ id: ModuleID) async throws(DKMSError) {
    let kept = layout.keptSource(id)
    let staged = Files.stagingPath(for: kept)
    let copy = Command(
      "cp", ["-a", "--reflink=auto", "\(layout.sourceLink(id))/.", staged.string],
      environment: host.environment)
    try onFiles { () throws(HostError) in
      try Files.remove(staged)
      try Files.makeDirectories(staged)
    }
    let result = try await host.run(copy)
    guard result.isSuccess else {
      try onFiles { () throws(HostError) in try Files.remove(staged) }
      throw .system(
        operation: "keep a copy of", subject: "the source of \(id)",
        reason: result.errorText.split(separator: "\n").last.map(String.init) ?? "cp failed")
    }
    // Without sync(1) it is a copy all the same.
    _ = try? await host.launcher.run(
      Command("sync", ["-f", staged.string], environment: host.environment))
    try onFiles { () throws(HostError) in
      if try Files.exists(kept) {
        try Files.exchange(staged, with: kept)
      } else {
        try Files.rename(staged, to: kept)
      }
      try Files.synchronize(layout.registration(id))
      try Files.remove(staged)
    }
  }
}
