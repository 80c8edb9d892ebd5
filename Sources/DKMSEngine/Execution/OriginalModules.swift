// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// Modules that are in the way of ours: kept when ours come, put back when ours go.
///
/// Whoever is killed between leaves a file in both places. It belongs where it came from then.
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

  /// Takes a module out of the way.
  func keep(_ file: FilePath) throws(HostError) {
    guard let fileName = file.lastComponent else { return }
    var kept = archive.appending(fileName)
    if Files.kind(kept) != nil, home(of: kept) != file {
      var place = file.removingLastComponent()
      _ = place.removePrefix(layout.kernel(kernel.release))
      kept = archive.appending("collisions").appending(place.components).appending(fileName)
    }
    try Files.makeDirectories(kept.removingLastComponent())
    try Files.write(Array("\(file)\n".utf8), to: note(kept))
    try Files.move(file, to: kept)
  }

  /// All that is kept.
  var all: [Kept] { modules(below: archive) }

  /// Puts a module back, unless another has come to its place meanwhile.
  func putBack(_ kept: Kept, to home: FilePath) throws(HostError) {
    let tree = ModuleTree(layout)
    // One that is somebody's installation has to go first.
    if tree.isProduct(home, for: kernel, exceptOf: name) { return }
    let isFree = Files.kind(home) == nil || tree.isProduct(home, for: kernel)
    if isFree, !wentWithItsKernel(home) {
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

  /// Whether it was the kernel's own, which the reference puts away, too, and the kernel has gone.
  private func wentWithItsKernel(_ home: FilePath) -> Bool {
    let own = layout.kernel(kernel.release).appending("kernel")
    return home.starts(with: own) && !Files.isDirectory(own)
  }

  /// Puts back what is noted, once nothing of ours is declared any more, and clears away what killed runs have left.
  func settle() {
    guard Files.kind(layout.activeLink(name, kernel)) != .link else { return }
    for kept in all {
      guard let home = kept.home else { continue }
      try? putBack(kept, to: home)
    }
    tidy()
  }

  /// Removes notes of nothing, what is half made, and directories that are empty.
  func tidy() { tidy(archive) }

  private func tidy(_ directory: FilePath) {
    for entry in Files.list(directory) {
      let path = directory.appending(entry)
      let isIdleNote =
        entry.hasSuffix(Self.noteSuffix)
        && Files.kind(directory.appending(String(entry.dropLast(Self.noteSuffix.count)))) == nil
      if Files.kind(path) == .directory {
        tidy(path)
      } else if isIdleNote || entry.hasPrefix(".") && entry.hasSuffix(Files.stagingSuffix) {
        try? Files.remove(path)
      }
    }
    Files.removeEmptyDirectories(from: directory, upTo: layout.module(name))
  }

  private func modules(below directory: FilePath) -> [Kept] {
    Files.list(directory).flatMap { entry -> [Kept] in
      let path = directory.appending(entry)
      if Files.kind(path) == .directory { return modules(below: path) }
      guard Files.kind(path) == .file, let module = Compression.moduleName(ofFile: entry) else { return [] }
      return [
        Kept(file: path, moduleName: module, home: home(of: path), isNoted: Files.kind(note(path)) != nil)
      ]
    }
  }

  private static let noteSuffix = ".origin"

  private func note(_ kept: FilePath) -> FilePath { FilePath("\(kept)\(Self.noteSuffix)") }

  /// Where a module came from, if that is in the kernel's directory, by whatever path that was named.
  private func home(of kept: FilePath) -> FilePath? {
    guard let text = Files.text(note(kept)) else { return nil }
    let origin = FilePath(text)
    let components = Array(origin.lexicallyNormalized().components)
    let installTree = Files.resolved(layout.installTree)
    let release = components.dropLast().indices.first { index in
      components[index].string == kernel.release.description
        && Files.resolved(FilePath(root: origin.root, components[..<index])) == installTree
    }
    return release.map { layout.kernel(kernel.release).appending(components[($0 + 1)...]) }
  }
}
