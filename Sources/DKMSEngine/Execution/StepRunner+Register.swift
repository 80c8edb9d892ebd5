// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

extension StepRunner {
  func add(_ id: ModuleID, source: FilePath) async throws(DKMSError) -> [String] {
    let kernel = try Kernel(
      release: try KernelRelease(host.runningRelease), architecture: host.architecture)
    let configuration = try await reader.configuration(of: id, source: source, for: kernel)
    return try await locked(layout.registration(id), .exclusive, "\(id)") { () throws(DKMSError) in
      // Another run may have done the same while this one waited.
      if Files.isDirectory(layout.sourceLink(id)) { return [] }
      try register(id, source: source)
      return try await runScript(.postAdd, of: configuration, in: source)
    }
  }

  func relink(_ id: ModuleID, source: FilePath) async throws(DKMSError) -> [String] {
    try await locked(layout.registration(id), .exclusive, "\(id)") { () throws(DKMSError) in
      try register(id, source: source)
      return []
    }
  }

  /// Makes the link that declares a module, last, so that whoever sees it sees all.
  private func register(_ id: ModuleID, source: FilePath) throws(DKMSError) {
    let registration = layout.registration(id)
    try onFiles { () throws(HostError) in
      try Files.makeDirectories(layout.build(id))
      try Files.synchronize(registration)
      try Files.link(layout.sourceLink(id), to: source)
      try Files.synchronize(registration)
    }
  }

  func discardKeptSource(_ id: ModuleID) async throws(DKMSError) -> [String] {
    try await locked(layout.registration(id), .exclusive, "\(id)") { () throws(DKMSError) in
      try onFiles { () throws(HostError) in try Files.remove(layout.keptSource(id)) }
      return []
    }
  }

  /// Moves the registration out of sight in one step, then deletes it.
  func unregister(_ id: ModuleID) async throws(DKMSError) -> [String] {
    let registration = layout.registration(id)
    let doomed = layout.removedRegistration(id)
    try await locked(registration, .exclusive, "\(id)") { () throws(DKMSError) in
      try onFiles { () throws(HostError) in
        try Files.remove(doomed)
        try Files.rename(registration, to: doomed)
        try Files.remove(doomed)
      }
    }
    Files.removeEmptyDirectories(from: layout.module(id.name), upTo: layout.dkmsTree)
    return []
  }
}
