// SPDX-License-Identifier: GPL-2.0-or-later

internal import Host
internal import SystemPackage

/// The tree that the entries of an archive would become, grown entry by entry and checked on the way.
struct EntryTree: Sendable {
  typealias Name = [UInt8]

  struct Node: Sendable {
    var kind: Kind
    var children: [Name: Int] = [:]
  }

  enum Kind: Hashable, Sendable {
    case directory
    case file
    case hardlink
    case symlink(FilePath)
  }

  private(set) var nodes = [Node(kind: .directory)]
  private let limits: UnpackLimits
  private static let root = 0

  init(limits: UnpackLimits) { self.limits = limits }

  // MARK: Growing

  /// Takes an entry in.
  ///
  /// - Returns: Its path as it is taken out: relative, without a dot in it.
  /// - Throws: `Refusal` where the entry must not be taken out.
  mutating func insert(_ entry: ArchiveEntry) throws(Refusal) -> FilePath {
    let names = try checkedComponents(of: entry.path)
    let kind = try kind(of: entry)
    guard let last = names.last else {
      guard kind == .directory else { throw .twoKinds }
      return ""
    }
    var node = Self.root
    for (index, name) in names.dropLast().enumerated() {
      node = try child(of: node, name, .directory)
      guard nodes[node].kind == .directory else {
        throw .belowNoDirectory(FilePath(root: nil, names[...index]))
      }
    }
    node = try child(of: node, last, kind)
    switch (nodes[node].kind, kind) {
    case (.symlink, .symlink): nodes[node].kind = kind
    case (let known, kind) where known == kind: break
    default: throw .twoKinds
    }
    return FilePath(root: nil, names)
  }

  private func checkedComponents(of path: FilePath) throws(Refusal) -> [FilePath.Component] {
    try checkText(path)
    guard !path.isAbsolute else { throw .absolutePath }
    guard !path.components.contains(where: { $0.kind == .parentDirectory }) else { throw .parentDirectory }
    let names = Array(path.components.filter { $0.kind == .regular })
    let longestName = 255
    guard names.allSatisfy({ $0.bytes.count <= longestName }) else { throw .tooLong }
    return names
  }

  private func checkText(_ path: FilePath) throws(Refusal) {
    guard path.string.utf8.count <= limits.pathLength else { throw .tooLong }
    guard !path.string.unicodeScalars.contains(where: \.isControl) else { throw .controlCharacter }
  }

  private func kind(of entry: ArchiveEntry) throws(Refusal) -> Kind {
    switch entry.kind {
    case .file: return .file
    case .directory: return .directory
    case .symlink(let target):
      try checkText(target)
      guard !target.isAbsolute, !target.isEmpty else { throw .leadsOut(target: target) }
      return .symlink(target)
    case .hardlink(let target):
      guard !target.isAbsolute, let node = node(at: try checkedComponents(of: target)) else {
        throw .noSuchFile(target: target)
      }
      guard [.file, .hardlink].contains(nodes[node].kind) else { throw .noSuchFile(target: target) }
      return .hardlink
    case .other: throw .special
    }
  }

  private mutating func child(
    of node: Int, _ name: FilePath.Component, _ kind: Kind
  ) throws(Refusal) -> Int {
    if let known = nodes[node].children[name.bytes] { return known }
    guard nodes.count <= limits.entries else { throw .tooManyEntries(limit: limits.entries) }
    nodes.append(Node(kind: kind))
    nodes[node].children[name.bytes] = nodes.count - 1
    return nodes.count - 1
  }

  // MARK: Looking

  /// The node at a path, links not followed.
  func node(at path: some Sequence<FilePath.Component>) -> Int? {
    var node = Self.root
    for name in path {
      guard let child = nodes[node].children[name.bytes] else { return nil }
      node = child
    }
    return node
  }

  /// Where a walk over links ends.
  enum Destination {
    /// At this node; nil where the archive has nothing there.
    case node(Int?)
    /// Outside of the top directory.
    case outside
    /// Nowhere: the links lead in a circle.
    case circular
  }

  /// Where a path leads, links followed as the system follows them.
  ///
  /// - Parameters:
  ///   - path: The path.
  ///   - directory: The nodes on the way from the top directory, which must not be left, to the one where the
  ///     path starts.
  /// - Returns: Where it ends.
  func destination(of path: FilePath, from directory: [Int]) -> Destination {
    var stack: [Int?] = directory
    var pending = Array(path.components.reversed())
    // As many links as Linux follows.
    var linksLeft = 40
    while let name = pending.popLast() {
      switch name.kind {
      case .currentDirectory: continue
      case .parentDirectory:
        guard stack.count > 1 else { return .outside }
        stack.removeLast()
      case .regular:
        let child = stack.last.flatMap { $0 }.flatMap { nodes[$0].children[name.bytes] }
        guard let child, case .symlink(let target) = nodes[child].kind else {
          stack.append(child)
          continue
        }
        guard !target.isAbsolute else { return .outside }
        guard linksLeft > 0 else { return .circular }
        linksLeft -= 1
        pending += target.components.reversed()
      }
    }
    return .node(stack.last.flatMap { $0 })
  }

  /// A symbolic link that leads out of the directory, or in circles, if there is one.
  func badLink(below path: FilePath) -> (entry: FilePath, refusal: Refusal)? {
    guard let start = node(at: path.components) else { return nil }
    var open = [(path: path, nodes: [start])]
    while let (path, line) = open.popLast() {
      guard let node = line.last else { continue }
      if case .symlink(let target) = nodes[node].kind {
        switch destination(of: target, from: line.dropLast()) {
        case .node: continue
        case .outside: return (path, .leadsOut(target: target))
        case .circular: return (path, .circular(target: target))
        }
      }
      for (name, child) in nodes[node].children {
        open.append((path.appending(Self.component(name).components), line + [child]))
      }
    }
    return nil
  }

  static func component(_ name: Name) -> FilePath {
    (name + [0]).withUnsafeBytes { bytes in
      bytes.withMemoryRebound(to: CChar.self) { $0.baseAddress.map { FilePath(platformString: $0) } ?? "" }
    }
  }
}
