// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

extension StepRunner {
  func add(_ id: ModuleID, source: FilePath, _ basis: Basis) async throws(DKMSError) -> [String] {
    let configuration = try configuration(basis, of: id, for: plan.firstKernel(of: id))
    return try await locked(layout.registration(id), .exclusive, "\(id)") { () throws(DKMSError) in
      // Another run may have done the same while this one waited.
      let isThere = try onFiles { () throws(HostError) in
        guard try Files.kind(layout.sourceLink(id)) == .link else { return false }
        return try Files.isDirectory(layout.sourceLink(id))
      }
      if isThere { return [] }
      try link(id, to: source)
      return await runFinalScript(
        .postAdd, of: configuration, for: plan.firstKernel(of: id), in: layout.sourceLink(id))
    }
  }

  func relink(_ id: ModuleID, source: FilePath) async throws(DKMSError) -> [String] {
    try await lockedModule(id, .exclusive) { () throws(DKMSError) in
      try link(id, to: source)
      return []
    }
  }

  /// Makes the link that declares a module.
  ///
  /// Nothing is made before it: a directory that holds more, and no link, is a module that has lost its source.
  private func link(_ id: ModuleID, to source: FilePath) throws(DKMSError) {
    let registration = layout.registration(id)
    try onFiles { () throws(HostError) in
      let isNew = try !Files.exists(layout.sourceLink(id))
      // The dkms.conf of a module that had no source until now.
      if try Files.kind(layout.sourceLink(id)) == .directory { try Files.remove(layout.sourceLink(id)) }
      try Files.synchronize(registration)
      try Files.link(layout.sourceLink(id), to: source)
      if isNew { try Files.makeDirectories(layout.build(id)) }
      try Files.synchronize(registration)
    }
  }

  func discardKeptSource(_ id: ModuleID) async throws(DKMSError) -> [String] {
    try await lockedModule(id, .exclusive) { () throws(DKMSError) in
      try onFiles { () throws(HostError) in try Files.remove(layout.keptSource(id)) }
      return []
    }
  }

  /// Moves the registration out of sight in one step, then deletes it.
  func unregister(_ id: ModuleID) async throws(DKMSError) -> [String] {
    let doomed = layout.removedRegistration(id)
    let remarks = try await undo { () throws(DKMSError) in
      try await lockedModule(id, .exclusive) { () throws(DKMSError) in
        // Since the plan was made, another run may have built it.
        let state = try onFiles { () throws(HostError) in try tree.state() }
        guard state[id]?.builds.isEmpty != false else { throw overtaken(id, nil, .built) }
        try onFiles { () throws(HostError) in
          // A directory that holds more, and no link, is a module that has lost its source.
          try Files.discard(layout.registration(id), as: doomed, last: "source")
        }
        return []
      }
    }
    Files.removeEmptyDirectories(from: layout.module(id.name), upTo: layout.dkmsTree)
    return remarks
  }
}
