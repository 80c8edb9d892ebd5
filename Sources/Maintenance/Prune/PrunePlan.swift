// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import SystemPackage

/// What may go, decided from facts alone.
struct PrunePlan: Hashable {
  /// What may go; none of it lies within another.
  let items: [Prunable]

  /// Decides: nothing that a package owns, nothing that lies above or below that, and nothing that a kernel which
  /// is installed, runs, or ran in this boot has.
  init(_ facts: PruneFacts) {
    let remains = facts.kernels.filter { kernel in
      kernel.holdsOnlyRemains && !facts.booted.contains(kernel.release)
        && !facts.owned.contains { $0.starts(with: kernel.path) }
    }
    let gone = Set(remains.map(\.release))
    let present = Set(facts.kernels.map(\.release)).subtracting(gone).union(facts.booted)
    // A tree of kernels with no kernel in it is one that is not mounted.
    let products =
      present.subtracting(facts.booted).isEmpty
      ? [] : facts.products.filter { !present.contains($0.release) }
    let links = facts.links.filter { _, goal in
      guard let goal else { return true }
      return products.contains { goal.starts(with: $0.path) }
    }.keys.sorted { $0.string < $1.string }
    let candidates =
      remains.map { Prunable(kind: .kernelRemains, path: $0.path) }
      + products.map { Prunable(kind: .build, path: $0.path) }
      + links.map { Prunable(kind: .link, path: $0) }
      + facts.leftovers.map { Prunable(kind: .leftover, path: $0) }
      + facts.idleSources.map { Prunable(kind: .keptSource, path: $0) }
      + facts.emptyDirectories.map { Prunable(kind: .emptyDirectory, path: $0) }
    let free = candidates.filter { candidate in
      !facts.owned.contains { $0.starts(with: candidate.path) }
    }
    let paths = Set(free.map(\.path))
    items = free.filter { candidate in
      !paths.contains { $0 != candidate.path && candidate.path.starts(with: $0) }
    }
  }

  private init(items: [Prunable]) { self.items = items }

  /// The same, with the room that each takes.
  ///
  /// - Throws: What `size` throws.
  func measured<Failure: Error>(_ size: (FilePath) throws(Failure) -> Int) throws(Failure) -> PrunePlan {
    var measured: [Prunable] = []
    for item in items {
      measured.append(Prunable(kind: item.kind, path: item.path, size: try size(item.path)))
    }
    return PrunePlan(items: measured)
  }

  /// All of it together, in bytes.
  var size: Int { items.map(\.size).reduce(0, +) }
}
