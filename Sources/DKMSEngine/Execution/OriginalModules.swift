// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// Modules that are in the way of ours: kept when ours come, put back when ours go.
///
/// A run that is killed in between leaves a file in both places. It then belongs where it came from.
struct OriginalModules: Sendable {
  private let layout: Layout
  private let name: String
  private let kernel: Kernel
  private let archive: FilePath

  init(inTheWayOf name: String, _ kernel: Kernel, in layout: Layout) {
    self.layout = layout
    self.name = name
    self.kernel = kernel
    archive = layout.originals(name, kernel)
  }

  /// A module that is kept.
  struct Kept: Sendable {
    let file: FilePath
    let moduleName: String
    /// Where it came from, if that is noted and lies in the kernel's directory.
    let home: FilePath?
    /// Whether a place is noted, wherever it lies.
    let isNoted: Bool
  }

  /// Keeps a copy of a module that is in the way; it stays there until ours has come.
  func keep(_ file: FilePath) throws(HostError) {
    guard let fileName = file.lastComponent else { return }
    var kept = archive.appending(fileName)
    if try Files.exists(kept), try home(of: kept) != file {
      var place = file.removingLastComponent()
      _ = place.removePrefix(layout.kernel(kernel.release))
      kept = archive.appending("collisions").appending(place.components).appending(fileName)
    }
    try Files.makeLastingDirectories(kept.removingLastComponent())
    try Files.write(Array("\(file)\n".utf8), to: note(kept))
    try Files.duplicate(file, to: kept)
  }

  /// All that is kept.
  func all() throws(HostError) -> [Kept] { try modules(below: archive) }

  /// Puts a module back, unless another has come to its place meanwhile.
  func putBack(_ kept: Kept, to home: FilePath) throws(HostError) {
    let tree = ModuleTree(layout)
    // If another module is installed there, that one has to be removed first.
    if try tree.isProduct(home, for: kernel, exceptOf: name) { return }
    let isTaken = try Files.exists(home)
    let isFree = isTaken ? try tree.isProduct(home, for: kernel) : true
    if isFree, try !wentWithItsKernel(home) {
      try Files.move(kept.file, to: home)
    } else {
      try Files.remove(kept.file)
    }
    try Files.remove(note(kept.file))
  }

  /// Removes a module that nobody wants back.
  func forget(_ kept: Kept) throws(HostError) {
    try Files.remove(kept.file)
    try Files.remove(note(kept.file))
  }

  /// Whether it was the kernel's own module, which the reference puts away, too, and the kernel is gone.
  private func wentWithItsKernel(_ home: FilePath) throws(HostError) -> Bool {
    let own = layout.kernel(kernel.release).appending("kernel")
    guard home.starts(with: own) else { return false }
    return try !Files.isDirectory(own)
  }

  /// Puts back what is noted, once nothing of ours is declared any more, and clears away what killed runs have left.
  func putBackAll() throws(HostError) {
    guard try !ModuleTree(layout).isDeclared(name, kernel) else { return }
    for kept in try all() {
      guard let home = kept.home else { continue }
      try putBack(kept, to: home)
    }
    try tidy()
  }

  /// Removes notes without a module, half-made files, and empty directories.
  func tidy() throws(HostError) { try tidy(archive) }

  private func tidy(_ directory: FilePath) throws(HostError) {
    for entry in try Files.list(directory) {
      let path = directory.appending(entry)
      var isIdleNote = entry.hasSuffix(Self.noteSuffix)
      if isIdleNote {
        isIdleNote = try !Files.exists(directory.appending(String(entry.dropLast(Self.noteSuffix.count))))
      }
      if try Files.kind(path) == .directory {
        try tidy(path)
      } else if isIdleNote || entry.hasPrefix(".") && entry.hasSuffix(Files.stagingSuffix) {
        try Files.remove(path)
      }
    }
    Files.removeEmptyDirectories(from: directory, upTo: layout.module(name))
  }

  private func modules(below directory: FilePath) throws(HostError) -> [Kept] {
    try Files.listing(directory).collect { entry throws(HostError) -> [Kept] in
      let path = directory.appending(entry.name)
      if entry.kind == .directory { return try modules(below: path) }
      guard entry.kind == .file, let module = Compression.moduleName(ofFile: entry.name) else { return [] }
      return [
        Kept(
          file: path, moduleName: module, home: try home(of: path), isNoted: try Files.exists(note(path)))
      ]
    }
  }

  private static let noteSuffix = ".origin"

  private func note(_ kept: FilePath) -> FilePath { FilePath("\(kept)\(Self.noteSuffix)") }

  /// Where a module came from, if that is in the kernel's directory, by whatever path that was named.
  private func home(of kept: FilePath) throws(HostError) -> FilePath? {
    guard let text = try Files.text(note(kept)) else { return nil }
    let origin = FilePath(text)
    let components = Array(origin.lexicallyNormalized().components)
    let installTree = try Files.resolved(layout.installTree)
    let release = try components.dropLast().indices.firstWhere { index throws(HostError) in
      guard components[index].string == kernel.release.description else { return false }
      return try Files.resolved(FilePath(root: origin.root, components[..<index])) == installTree
    }
    return release.map { layout.kernel(kernel.release).appending(components[($0 + 1)...]) }
  }
}
