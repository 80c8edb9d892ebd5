// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
internal import DKMSModel
internal import Host
internal import Inspection
internal import JSON
internal import SystemPackage

/// Something that no package owns and no kernel needs.
struct Prunable: Hashable {
  /// What it is.
  let kind: Kind
  /// Where it is.
  let path: FilePath
  /// The room it takes on the disk, in bytes.
  var size = 0

  /// What it is; the raw values are read by programs.
  enum Kind: String, Hashable {
    /// A kernel's directory that holds only what DKMS and depmod put there.
    case kernelRemains = "kernel_remains"
    /// Modules that were built for a kernel that is gone.
    case build
    /// A link that says what a kernel has installed, and leads nowhere.
    case link
    /// What a killed run has left half made.
    case leftover
    /// A copy of a source that is there itself.
    case keptSource = "kept_source"
    /// A directory with nothing in it.
    case emptyDirectory = "empty_directory"
  }
}

extension Prunable.Kind {
  /// Why it may go.
  var reason: String {
    switch self {
    case .kernelRemains: "the kernel is gone; only modules built here are left"
    case .build: "the kernel that it was built for is gone"
    case .link: "it leads nowhere"
    case .leftover: "a killed run left it half made"
    case .keptSource: "the source it was copied from is there"
    case .emptyDirectory: "it is empty"
    }
  }
}

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

extension PrunePlan {
  /// Members may be added; one that is removed or changes its meaning raises the number.
  private static let schema = 1

  /// A line for each thing, and one for all of them.
  func lines(_ style: OutputStyle) -> [String] {
    guard !items.isEmpty else { return [] }
    var table = Table([.right])
    for item in items {
      table.append([
        .init("\(ByteCount(item.size))"), .init(item.path.string, .strong), .init(item.kind.reason),
      ])
    }
    return table.lines(style) + ["==> \(items.count.counted("item")) could be removed, \(ByteCount(size))"]
  }

  /// What `alpm-dkms prune --json` prints, where these have been removed.
  func json(without removed: Set<FilePath>) -> JSON {
    .document(
      schema: Self.schema,
      [
        .init("size", .number(size)),
        .init(
          "items",
          .array(
            items.map { item in
              .object([
                .init("kind", .string(item.kind.rawValue)),
                .init("path", .string(item.path.string)),
                .init("size", .number(item.size)),
                .init("reason", .string(item.kind.reason)),
                .init("removed", .bool(removed.contains(item.path))),
              ])
            })),
      ])
  }
}

/// A number of bytes in words, as pacman has it: `1.50 MiB`.
struct ByteCount: CustomStringConvertible {
  private let bytes: Int

  init(_ bytes: Int) { self.bytes = bytes }

  var description: String {
    var (value, unit) = (Double(bytes), "B")
    for larger in ["KiB", "MiB", "GiB", "TiB"] where value >= 1024 {
      (value, unit) = (value / 1024, larger)
    }
    guard unit != "B" else { return "\(bytes) B" }
    let hundredths = Int((value * 100).rounded())
    let fraction = hundredths % 100
    return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction) \(unit)"
  }
}
