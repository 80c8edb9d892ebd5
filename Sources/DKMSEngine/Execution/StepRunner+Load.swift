// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

extension StepRunner {
  /// Brings a source to where it belongs, whole: a reader sees the old one or the new one.
  func copySource(_ id: ModuleID, from directory: FilePath, replaces: Bool) async throws(DKMSError)
    -> [String]
  {
    let goal = layout.source(id)
    let registration = layout.registration(id)
    // A build holds the first lock while it copies the source; sweeping leftovers takes the second.
    defer { Files.removeEmptyDirectories(from: registration, upTo: layout.dkmsTree) }
    return try await locked(registration, .exclusive, "\(id)") { () throws(DKMSError) in
      try await locked(layout.sourceTree, .exclusive, "the source tree") { () throws(DKMSError) in
        let staged = Files.stagingPath(for: goal)
        defer { try? Files.remove(staged) }
        try onFiles { () throws(HostError) in
          try Files.remove(staged)
          try Files.makeDirectories(staged)
        }
        if !replaces, try onFiles({ () throws(HostError) in try Files.isDirectory(goal) }) {
          try await copy(contentsOf: goal, to: staged, keepsOwner: true)
        }
        // By then, files from a tarball belong to root.
        try await copy(contentsOf: directory, to: staged, keepsOwner: true)
        try onFiles { () throws(HostError) in
          if try Files.exists(goal) {
            try Files.exchange(staged, with: goal)
          } else {
            try Files.rename(staged, to: goal)
          }
          try Files.synchronize(layout.sourceTree)
        }
        return []
      }
    }
  }

  /// Copies everything, but lets only the owner write to it, and drops set-user-ID and the like.
  ///
  /// The owner is root unless told otherwise.
  private func copy(
    contentsOf directory: FilePath, to goal: FilePath, keepsOwner: Bool = false
  ) async throws(DKMSError) {
    let kept = "mode,timestamps,links" + (keepsOwner ? ",ownership" : "")
    try await tool(
      "cp", ["-dR", "--preserve=\(kept)", "--reflink=auto", "--", "\(directory)/.", goal.string])
    try await tool("chmod", ["-R", "u+rwX,go-w,a-s,-t", goal.string])
    try await tool("sync", ["-f", goal.string])
  }

  /// Registers a module of which there are only builds as the reference does: by its dkms.conf.
  func addWithoutSource(_ id: ModuleID, configuration: FilePath) async throws(DKMSError) -> [String] {
    let goal = layout.sourceLink(id)
    return try await locked(layout.registration(id), .exclusive, "\(id)") { () throws(DKMSError) in
      try onFiles { () throws(HostError) in
        guard try Files.kind(goal) != .link else { return }
        let staged = Files.stagingPath(for: goal)
        try Files.remove(staged)
        try Files.makeDirectories(staged)
        try Files.copy(configuration, to: staged.appending("dkms.conf"))
        if try Files.exists(goal) {
          try Files.exchange(staged, with: goal)
          try Files.remove(staged)
        } else {
          try Files.rename(staged, to: goal)
        }
        try Files.synchronize(layout.registration(id))
      }
      return []
    }
  }

  /// Takes over a build as if it had been made here.
  func loadBuild(_ id: ModuleID, _ kernel: Kernel, from directory: FilePath) async throws(DKMSError)
    -> [String]
  {
    let products = layout.products(id, kernel.release)
    let product = Product(id, kernel, in: layout)
    let staged = product.staged
    return try await lockedModule(id, .shared) { () throws(DKMSError) in
      try await locked(products, .exclusive, "\(id) for \(kernel.release)") { () throws(DKMSError) in
        defer {
          try? Files.remove(staged)
          Files.removeEmptyDirectories(from: products, upTo: layout.registration(id))
        }
        try onFiles { () throws(HostError) in
          try Files.remove(staged)
          try Files.makeDirectories(staged)
        }
        try await copy(contentsOf: directory, to: staged)
        try onFiles { () throws(HostError) in
          // Notes made by another machine mean nothing here.
          for name in try Files.list(staged)
          where name.hasPrefix(".") && !name.hasPrefix(Layout.dependencyPrefix) {
            try Files.remove(staged.appending(name))
          }
          let names = try tree.moduleFiles(in: staged.appending("module")).keys
          try noteDroppedModules(id, kernel, keeping: Array(names), in: staged)
        }
        try await publish(product, id, kernel)
        return []
      }
    }
  }
}
