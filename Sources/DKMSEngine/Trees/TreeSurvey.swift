// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
internal import Host
public import SystemPackage

/// What is in the trees that no registered module accounts for.
public struct TreeSurvey: Sendable {
  private let layout: Layout
  private let state: TreeState

  /// Looks into the trees of a layout.
  public init(_ layout: Layout) {
    self.layout = layout
    state = ModuleTree(layout).state()
  }

  /// What is registered.
  public var modules: [ModuleRecord] { state.modules }

  /// Files where DKMS installs that come from no build in the tree.
  public var foreignFiles: [(release: KernelRelease, file: FilePath)] {
    let tree = ModuleTree(layout)
    return KernelCatalogue(layout).releases.flatMap { release in
      let names = state.modules.reduce(into: Set<String>()) { names, record in
        for build in record.builds where build.kernel.release == release {
          names.formUnion(tree.installedNames(of: record.id, build.kernel))
        }
      }
      return KernelRemains(of: release, in: layout).installed.filter { file in
        let name = file.lastComponent?.string ?? ""
        return !name.hasSuffix(Files.stagingSuffix)
          && Compression.moduleName(ofFile: name).map(names.contains) != true
      }.map { (release, $0) }
    }
  }

  /// Directories of module versions that are not registered, as an old `dkms` may have left them.
  public var unregistered: [FilePath] {
    let known = Set(state.modules.map(\.id))
    return Files.list(layout.dkmsTree).flatMap { name in
      Files.list(layout.module(name)).compactMap { version -> FilePath? in
        guard version != "original_module", let id = try? ModuleID(name: name, version: version),
          Files.kind(layout.registration(id)) == .directory, !known.contains(id)
        else { return nil }
        return layout.registration(id)
      }
    }
  }

  /// Links that say what a kernel has installed, and where they lead; nil for those that lead nowhere.
  public var activeLinks: [FilePath: FilePath?] {
    Files.list(layout.dkmsTree).flatMap { name in
      Files.list(layout.module(name)).filter { $0.hasPrefix("kernel-") }.map(layout.module(name).appending)
    }.reduce(into: [:]) { links, link in
      guard Files.kind(link) == .link, let target = Files.linkTarget(link) else { return }
      let goal = link.removingLastComponent().pushing(target)
      links.updateValue(Files.resolved(goal) == nil ? nil : goal, forKey: link)
    }
  }

  /// Modules that have no version left.
  public var emptyModules: [FilePath] {
    Files.list(layout.dkmsTree).map(layout.module).filter { path in
      Files.kind(path) == .directory && Files.list(path).isEmpty
    }
  }

  /// Copies of sources that nothing uses, since the module's own source is there.
  public var idleSources: [FilePath] {
    state.modules.filter { record in
      !record.isLastGood && !record.isBroken
        && Files.isFile(layout.sourceLink(record.id).appending("dkms.conf"))
    }.map { layout.keptSource($0.id) }.filter(Files.isDirectory)
  }

  /// Sources of registered modules, and their files, that anybody may change.
  public var openSources: [FilePath] {
    let sources = Set(state.modules.filter { !$0.isBroken }.map { layout.sourceLink($0.id) })
    return sources.compactMap(Files.resolved).filter(Self.holdsOpenFile).sorted { $0.string < $1.string }
  }

  private static func holdsOpenFile(_ path: FilePath) -> Bool {
    if Files.isWritableByAnybody(path) { return true }
    guard Files.kind(path) == .directory else { return false }
    return Files.components(of: path).contains { holdsOpenFile(path.appending($0)) }
  }
}
