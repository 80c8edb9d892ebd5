// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// Finds out who else than root can change what is run: who owns it, who may write to it, and where links lead.
///
/// Every directory on the way counts, since whoever can change one can put something else in the place of what
/// is in it; in a sticky directory that is the owner alone. What lies above the root of the system at hand does
/// not count: it is not part of that system.
struct TrustReader {
  private let layout: Layout
  private let options: BuildOptions
  private var known: [FilePath: Rights?] = [:]
  private var found: [Exposure] = []

  /// Looks at a system as it is laid out.
  init(_ layout: Layout, _ options: BuildOptions) {
    self.layout = layout
    self.options = options
  }

  // MARK: What is looked at

  /// What others can change of the settings and trees that concern every module.
  ///
  /// - Throws: `HostError` where a look failed.
  mutating func common(for kernels: [Kernel]) throws(HostError) -> [Exposure] {
    found = []
    let extra = layout.configurationDirectory.appending("framework.conf.d")
    let files = try Files.list(extra).filter { $0.hasSuffix(".conf") }.map(extra.appending)
    let settings = [
      layout.signingKey, layout.signingCertificate,
      layout.configurationDirectory.appending("framework.conf"), layout.suiteConfiguration, extra,
    ]
    for path in [layout.sourceTree, layout.dkmsTree, layout.configurationDirectory] + settings + files {
      _ = try walk(path)
    }
    for path in Set(kernels.flatMap { programs(for: $0.release.description) }).sorted(by: {
      $0.string < $1.string
    }) {
      _ = try walk(path)
    }
    return found
  }

  /// The files that framework.conf has root run or read for a kernel.
  private func programs(for release: String) -> [FilePath] {
    let signing = options.signing
    let named = [options.buildEnvironment, signing.program, signing.key, signing.certificate]
      .compactMap { $0?.value(for: release) }
    let command = options.postTransaction?.value(for: release).split(whereSeparator: \.isWhitespace) ?? []
    let words = command.map { String($0).replacing("\"", with: "").replacing("'", with: "") }
    return (named + words).filter { $0.hasPrefix("/") }.map { FilePath($0) }
  }

  /// What others can change of a module: its source, what overrides its dkms.conf, the administrator's scripts,
  /// and what was built of it.
  ///
  /// - Parameters:
  ///   - id: The module version.
  ///   - source: The directory that holds dkms.conf, or the link to it.
  ///   - kernels: The kernels it was built for.
  /// - Returns: What was found.
  /// - Throws: `HostError` where a look failed.
  mutating func exposures(of id: ModuleID, source: FilePath, kernels: [Kernel]) throws(HostError)
    -> [Exposure]
  {
    found = []
    try examine(source, of: id)
    try examine(layout.administration(of: id), of: id)
    for kernel in kernels { try examine(layout.product(id, kernel), of: id) }
    for name in try Files.list(layout.configurationDirectory, beginningWith: id.name)
    where name.hasSuffix(".conf") {
      let rest = name.dropFirst(id.name.count)
      if rest == ".conf" || rest.hasPrefix("-\(id.version)") || rest.hasPrefix("--") {
        _ = try walk(layout.configurationDirectory.appending(name), of: id)
      }
    }
    return found
  }

  /// What others can change of files that are about to be run, and of what lies beside a dkms.conf, which may
  /// run that.
  ///
  /// - Throws: `HostError` where a look failed.
  mutating func exposures(ofPrograms files: [FilePath]) throws(HostError) -> [Exposure] {
    found = []
    for file in files {
      guard let place = try walk(file)?.removingLastComponent(), file.lastComponent == "dkms.conf" else {
        continue
      }
      for name in try Files.components(of: place) { _ = try walk(place.appending(name)) }
    }
    return found
  }

  // MARK: How it is looked at

  /// Looks at a tree, and at the way there.
  private mutating func examine(_ path: FilePath, of id: ModuleID) throws(HostError) {
    guard let (tree, link) = try walk(path, of: id, isTree: true) else { return }
    var survey = TreeRights()
    try survey.take(tree)
    for link in survey.links where try Self.leads(link, outOf: tree) { _ = try walk(link, of: id) }
    guard let (path, rights) = survey.first, let cause = cause(rights, isOnTheWay: false) else { return }
    report(path, cause, in: tree, by: link, of: id, survey)
  }

  private static func leads(_ link: FilePath, outOf tree: FilePath) throws(HostError) -> Bool {
    guard let target = try Files.linkTarget(link) else { return false }
    return !link.removingLastComponent().pushing(target).lexicallyNormalized().starts(with: tree)
  }

  private mutating func walk(_ path: FilePath, of id: ModuleID? = nil) throws(HostError) -> FilePath? {
    try walk(path, of: id, isTree: false)?.path
  }

  /// Follows a path, link by link, and looks at each part of it, the last one only where it is no tree.
  ///
  /// - Returns: Where it ends, and the last link on the way; nil where nothing is.
  private mutating func walk(
    _ path: FilePath, of id: ModuleID?, isTree: Bool
  ) throws(HostError) -> (path: FilePath, link: FilePath?)? {
    var pending = Array(path.components.reversed())
    var place: FilePath = "/"
    var link: FilePath?
    var count = 0
    while let component = pending.popLast() {
      if component.kind == .parentDirectory { place.removeLastComponent() }
      guard component.kind == .regular else { continue }
      let next = place.appending(component)
      guard let rights = try self.rights(next) else { return nil }
      if rights.kind == .link {
        count += 1
        // Only in a directory that others can write to can the owner of a link replace it.
        if !isAbove(next), !rights.isTrustedOwner, try self.rights(place)?.isOpen == true {
          report(next, .owner(name(of: rights.owner)), in: next, by: nil, of: id, TreeRights(rights))
        }
        guard count <= Self.linkLimit, let target = try Files.linkTarget(next) else { return nil }
        link = next
        pending += target.components.reversed()
        if target.isAbsolute { place = "/" }
        continue
      }
      place = next
      let isLast = pending.isEmpty
      guard !(isTree && isLast), !isAbove(next) else { continue }
      if let cause = cause(rights, isOnTheWay: !isLast) {
        report(next, cause, in: next, by: link, of: id, TreeRights(rights))
        // Whoever can change this can change everything below it.
        if !belongs(next) { return nil }
      }
    }
    return (place, link)
  }

  /// How many links are followed: as many as the kernel follows.
  private static let linkLimit = 40

  private mutating func rights(_ path: FilePath) throws(HostError) -> Rights? {
    if let known = known[path] { return known }
    let rights = try Files.rights(path)
    known[path] = .some(rights)
    return rights
  }

  private func cause(_ rights: Rights, isOnTheWay: Bool) -> Exposure.Cause? {
    if !rights.isTrustedOwner { return .owner(name(of: rights.owner)) }
    // What is in a sticky directory is looked at itself.
    guard rights.isOpen, !(isOnTheWay && rights.isSticky && rights.kind == .directory) else { return nil }
    return rights.isOpenToAll ? .anyone : .group
  }

  private func isAbove(_ path: FilePath) -> Bool { layout.root != "/" && layout.root.starts(with: path) }

  /// Whether something is at or on the way to a place of root's, so that it is to be protected where it is.
  private func belongs(_ path: FilePath) -> Bool {
    let trees = [
      layout.sourceTree, layout.dkmsTree, layout.configurationDirectory, layout.suiteConfiguration,
      layout.installTree,
    ]
    return trees.contains { path.starts(with: $0) || $0.starts(with: path) }
  }

  private func name(of user: UInt32) -> String {
    let lines = ((try? Files.text(layout.root.appending("etc/passwd"))) ?? "").split(separator: "\n")
    let names = lines.compactMap { line -> String? in
      let fields = line.split(separator: ":", omittingEmptySubsequences: false)
      return fields.count > 2 && UInt32(fields[2]) == user ? String(fields[0]) : nil
    }
    return names.first ?? "user \(user)"
  }

  // MARK: What is found

  private mutating func report(
    _ path: FilePath, _ cause: Exposure.Cause, in place: FilePath, by link: FilePath?, of id: ModuleID?,
    _ survey: TreeRights
  ) {
    let outer = belongs(place) ? nil : link
    let remedy = outer.map { copy(of: $0, id) } ?? survey.protection(of: place)
    let exposure = Exposure(
      path: path.string, place: place.string, cause: cause, link: outer?.string, remedy: remedy)
    if !found.contains(exposure) { found.append(exposure) }
  }

  /// The command that puts a copy of root's own in the place of a link.
  private func copy(of link: FilePath, _ id: ModuleID?) -> String {
    let target = "$(readlink -f \(link.quoted))"
    if let id, link == layout.sourceLink(id) {
      // The link says that the module is registered, so it is led to a copy.
      let goal = layout.source(id).quoted
      return
        "cp -r \"\(target)\" \(goal) && chown -R root: \(goal) && chmod -R go-w \(goal) && ln -sfn \(goal) \(link.quoted)"
    }
    let copy = FilePath("\(link).copy").quoted
    return
      "cp -r \"\(target)\" \(copy) && chown -R root: \(copy) && chmod -R go-w \(copy) && rm \(link.quoted) && mv \(copy) \(link.quoted)"
  }
}

/// Who may change what is in a tree.
private struct TreeRights {
  /// The first path that others may change.
  private(set) var first: (path: FilePath, rights: Rights)?
  /// The links in it.
  private(set) var links: [FilePath] = []
  private var hasOwners = false
  private var isOpen = false
  private var option = ""

  init() {}

  /// The rights to one path.
  init(_ rights: Rights) {
    hasOwners = !rights.isTrustedOwner
    isOpen = rights.isOpen && rights.kind != .link
    if rights.kind == .link { option = "-h " }
  }

  /// Looks at a file, or at a directory and all below it.
  mutating func take(_ path: FilePath) throws(HostError) {
    option = "-R "
    guard let rights = try Files.rights(path) else { return }
    if rights.kind == .link { return links.append(path) }
    if !rights.isTrustedOwner { hasOwners = true }
    if rights.isOpen { isOpen = true }
    if first == nil, !rights.isTrustedOwner || rights.isOpen { first = (path, rights) }
    guard rights.kind == .directory else { return }
    for name in try Files.components(of: path) { try take(path.appending(name)) }
  }

  /// The command that leaves the right to change it to root alone.
  func protection(of place: FilePath) -> String {
    let commands = [
      hasOwners ? "chown \(option)root: \(place.quoted)" : nil,
      isOpen ? "chmod \(option)go-w \(place.quoted)" : nil,
    ]
    return commands.compactMap { $0 }.joined(separator: " && ")
  }
}
