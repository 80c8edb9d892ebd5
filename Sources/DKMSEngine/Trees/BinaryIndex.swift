// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel

/// One of depmod's binary files, read to its end: a trie of keys, each with the values of some modules.
///
/// The format is kmod's, described in its `libkmod/libkmod-index.c`: numbers of 32 bits with the highest byte
/// first; a header of magic number, version and a reference to the root; then the nodes, each byte of the file in
/// one of them. A reference is the place of a node and, in its highest bits, what the node has.
struct BinaryIndex {
  /// What it says.
  private(set) var entries = IndexEntries()
  private let bytes: [UInt8]
  /// How many bytes nodes may still take; more than there are would be a file that leads in a circle.
  private var budget: Int

  private static let magic: UInt32 = 0xB007_F457
  private static let version: UInt32 = 0x0002_0001
  private static let headerSize = 12
  private enum Flag {
    static let prefix: UInt32 = 0x8000_0000
    static let values: UInt32 = 0x4000_0000
    static let children: UInt32 = 0x2000_0000
    static let place: UInt32 = 0x0FFF_FFFF
  }

  /// Reads all of a file; nil where it is not whole.
  init?(_ bytes: [UInt8]) {
    self.bytes = bytes
    budget = bytes.count
    var place = 0
    guard number(&place) == Self.magic, number(&place) == Self.version, let root = number(&place),
      readNodes(from: root)
    else { return nil }
  }

  /// A node that is still to be read, and the key that leads to it.
  private struct Waiting {
    let reference: UInt32
    /// How much of the key of its parent, which is read before it, belongs to its own.
    let depth: Int
    /// What follows that.
    let label: UInt8?
  }

  private mutating func readNodes(from root: UInt32) -> Bool {
    var waiting = [Waiting(reference: root, depth: 0, label: nil)]
    var key: [UInt8] = []
    while let node = waiting.popLast() {
      key.removeLast(key.count - node.depth)
      if let label = node.label { key.append(label) }
      let start = Int(node.reference & Flag.place)
      var place = start
      guard place >= Self.headerSize, place <= bytes.count else { return false }
      if node.reference & Flag.prefix != 0 {
        guard let prefix = text(&place) else { return false }
        key += prefix
      }
      if node.reference & Flag.children != 0 {
        guard let children = children(&place, depth: key.count) else { return false }
        waiting += children
      }
      if node.reference & Flag.values != 0 {
        guard let count = number(&place) else { return false }
        for _ in 0..<count {
          guard number(&place) != nil, let value = text(&place) else { return false }
          entries.add(key[...], value)
        }
      }
      budget -= place - start
      guard budget >= 0 else { return false }
    }
    return true
  }

  private func children(_ place: inout Int, depth: Int) -> [Waiting]? {
    guard place + 2 <= bytes.count else { return nil }
    let (first, last) = (bytes[place], bytes[place + 1])
    guard first <= last, last < 0x80 else { return nil }
    place += 2
    var children: [Waiting] = []
    for label in first...last {
      guard let reference = number(&place) else { return nil }
      if reference != 0 { children.append(Waiting(reference: reference, depth: depth, label: label)) }
    }
    // The last to be added is the first to be read, while the key is still that of its parent.
    return children
  }

  private func number(_ place: inout Int) -> UInt32? {
    guard place + 4 <= bytes.count else { return nil }
    defer { place += 4 }
    return bytes[place..<place + 4].reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// What comes before the next zero byte.
  private func text(_ place: inout Int) -> ArraySlice<UInt8>? {
    guard let end = bytes[place...].firstIndex(of: 0) else { return nil }
    defer { place = end + 1 }
    return bytes[place..<end]
  }
}

/// The entries of a file of depmod's, by which it is compared with another, whatever their order.
struct IndexEntries: Equatable {
  private var count = 0
  private var sum: UInt64 = 0

  /// Adds an entry, except one with a bracket in its key: depmod leaves some of those out of its binary files.
  mutating func add(_ key: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) {
    if key.contains(where: { $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "]") }) { return }
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in key { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    hash = (hash ^ 0xFF) &* 0x100_0000_01B3
    for byte in value { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    count += 1
    sum &+= hash
  }
}

extension IndexEntries {
  /// What modules.dep says: lines of a module's path, a colon, and the paths of those it needs.
  init(dependencies text: [UInt8]) {
    for line in text.split(separator: UInt8(ascii: "\n")) {
      let path = line.prefix { $0 != UInt8(ascii: ":") }
      add(ModuleIndex.moduleName(of: path), line)
    }
  }

  /// What modules.alias and modules.symbols say: `alias KEY MODULE`.
  init(aliases text: [UInt8]) {
    let word = Array("alias ".utf8)
    for line in text.split(separator: UInt8(ascii: "\n")) where line.starts(with: word) {
      let rest = line.dropFirst(word.count)
      guard let space = rest.lastIndex(of: UInt8(ascii: " ")) else { continue }
      // modprobe looks for names with underscores only.
      let key = rest[..<space].map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0 }
      add(key[...], rest[(space + 1)...])
    }
  }
}
