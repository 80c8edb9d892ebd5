// SPDX-License-Identifier: GPL-2.0-or-later

/// A file system that forgets, at a power loss, what was not brought to the disk.
///
/// It promises less than any real one: what is written is lost until that file is synced, and a name is lost until the
/// directory that holds it is synced, in any combination. Only a rename is one change, as it is everywhere.
struct FileSystemModel {
  /// A file, directory or link, whatever its names.
  typealias Node = Int

  /// What there is under a name.
  enum Content: Hashable {
    case directory
    /// A file; whether all that was written is on the disk.
    case file(isSynced: Bool)
    case link(String)
  }

  /// The names in directories.
  typealias Names = [Node: [String: Node]]

  /// A change of names that may not be on the disk yet.
  private enum Change {
    case name(Node, String, Node)
    case remove(Node, String)
    case rename(Node, String, Node, String)
    case exchange(Node, String, Node, String)

    var directories: [Node] {
      switch self {
      case .name(let directory, _, _), .remove(let directory, _): [directory]
      case .rename(let from, _, let to, _), .exchange(let from, _, let to, _): [from, to]
      }
    }

    /// What the change is about is told by the node, so that it can happen though an earlier one was lost.
    func apply(to names: inout Names, _ moved: [Node]) {
      switch self {
      case .name(let directory, let name, let node): names[directory, default: [:]][name] = node
      case .remove(let directory, let name): names[directory]?[name] = nil
      case .rename(let from, let old, let to, let new):
        names[from]?[old] = nil
        names[to, default: [:]][new] = moved[0]
      case .exchange(let from, let old, let to, let new):
        names[from, default: [:]][old] = moved[1]
        names[to, default: [:]][new] = moved[0]
      }
    }
  }

  private(set) var contents: [Content] = [.directory]
  private(set) var names: Names = [0: [:]]
  private var durable: Names = [0: [:]]
  private var pending: [(change: Change, moved: [Node])] = []
  /// How often something was brought to the disk.
  private(set) var synchronizations = 0

  // MARK: What happens

  /// What is at a path, links not followed.
  func node(_ path: String) -> Node? {
    var node = 0
    for name in path.split(separator: "/") {
      guard let next = names[node]?[String(name)] else { return nil }
      node = next
    }
    return node
  }

  private func place(_ path: String) -> (directory: Node, name: String)? {
    let parts = path.split(separator: "/").map(String.init)
    guard let name = parts.last, let directory = node(parts.dropLast().joined(separator: "/")) else {
      return nil
    }
    return (directory, name)
  }

  mutating func make(_ content: Content, at path: String) {
    guard let (directory, name) = place(path) else { return }
    contents.append(content)
    note(.name(directory, name, contents.count - 1))
  }

  mutating func write(_ path: String) {
    if let node = node(path), case .file = contents[node] { contents[node] = .file(isSynced: false) }
  }

  mutating func remove(_ path: String) {
    if let (directory, name) = place(path) { note(.remove(directory, name)) }
  }

  mutating func link(_ old: String, to new: String) {
    guard let node = node(old), let (directory, name) = place(new) else { return }
    note(.name(directory, name, node))
  }

  mutating func rename(_ old: String, to new: String) {
    guard let from = place(old), let to = place(new), let moved = node(old) else { return }
    note(.rename(from.directory, from.name, to.directory, to.name), [moved])
  }

  mutating func exchange(_ old: String, with new: String) {
    guard let from = place(old), let to = place(new), let one = node(old), let other = node(new) else {
      return
    }
    note(.exchange(from.directory, from.name, to.directory, to.name), [one, other])
  }

  /// Brings a file's bytes, or a directory's names, to the disk.
  mutating func synchronize(_ path: String) {
    synchronizations += 1
    guard let node = node(path) else { return }
    switch contents[node] {
    case .file: contents[node] = .file(isSynced: true)
    case .directory:
      for (change, moved) in pending where change.directories.contains(node) {
        change.apply(to: &durable, moved)
      }
      pending.removeAll { $0.change.directories.contains(node) }
    case .link: break
    }
  }

  /// Brings everything to the disk.
  mutating func synchronizeAll() {
    synchronizations += 1
    settle()
  }

  /// The same, as the state from which a recording begins.
  mutating func settle() {
    for index in contents.indices {
      if case .file = contents[index] { contents[index] = .file(isSynced: true) }
    }
    durable = names
    pending = []
  }

  private mutating func note(_ change: Change, _ moved: [Node] = []) {
    change.apply(to: &names, moved)
    pending.append((change, moved))
  }

  // MARK: What is left

  /// How many changes of names may be lost by now.
  var pendingCount: Int { pending.count }

  /// What is there after a power loss that spared some of the changes that were not on the disk yet.
  ///
  /// What was written to a file and not synced counts as half written.
  func survivors(_ isSpared: (Int) -> Bool) -> FileSystemModel {
    var left = self
    left.names = durable
    for (index, (change, moved)) in pending.enumerated() where isSpared(index) {
      change.apply(to: &left.names, moved)
    }
    return left
  }

  /// The names in a directory.
  func list(_ path: String) -> [String] { node(path).map { names[$0, default: [:]].keys.sorted() } ?? [] }

  func content(_ path: String) -> Content? { node(path).map { contents[$0] } }

  /// Whether a file is there with all its bytes.
  func isWhole(_ path: String) -> Bool { content(path) == .file(isSynced: true) }
}
