// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel

extension Planner {
  /// The plan of `dkms ldtarball`; the facts hold where the module comes from.
  public static func load(_ id: ModuleID, facts: Facts, options: BuildOptions) -> Plan {
    add(id, facts: facts, options: options)
  }

  /// The plan of `dkms mktarball`.
  ///
  /// - Parameters:
  ///   - id: The module version.
  ///   - kernels: The kernels whose builds go in.
  ///   - contents: What goes in.
  ///   - file: The tarball.
  ///   - facts: What the tree holds.
  ///   - options: The caller's.
  /// - Returns: The plan.
  public static func archive(
    _ id: ModuleID, for kernels: [Kernel], contents: TarballContents, file: String, facts: Facts,
    options: BuildOptions
  ) -> Plan {
    var planner = Planner(facts, options: options)
    guard let record = facts.tree[id] else {
      planner.block(id, nil, .notAdded(id))
      return planner.finish()
    }
    if record.isBroken {
      planner.block(id, nil, .moduleBroken(id, link: record.source ?? "its source link"))
    } else if record.holdsOnlyBuilds, contents != .buildsOnly {
      planner.block(id, nil, .sourceEmpty(id, directory: record.source ?? "its source directory"))
    } else if contents != .sourceOnly, let missing = kernels.first(where: { record.build(for: $0) == nil }) {
      planner.block(id, missing, .notBuilt(id, missing))
    } else if contents != .sourceOnly, kernels.isEmpty {
      planner.block(id, nil, .notBuilt(id, nil))
    } else {
      planner.plan.append(.makeTarball(id, kernels, contents, file: file), because: .requested)
    }
    return planner.finish()
  }

  /// Brings a module in from elsewhere, with what was built of it.
  mutating func bring(_ origin: ModuleOrigin) {
    let id = origin.id
    let record = facts.tree[id]
    let isRegistered = record.map { !$0.isBroken && !$0.usesKeptSource && !$0.holdsOnlyBuilds } ?? false
    adds[id] = .blocked
    if isRegistered, !isForced {
      block(id, nil, origin.isTarball ? .tarballKnown(id) : .alreadyAdded(id))
      return
    }
    if let error = configurationError(id) {
      // Repeated names were accepted only to find out whose source this is.
      if case .configurationInvalid = error { _ = bringSource(origin) }
      block(id, nil, error)
      return
    }
    let registered = isRegistered ? bringSource(origin) : register(origin, record)
    adds[id] = registered.last.map(Readiness.planned) ?? .stands
    for (kernel, directory) in origin.builds.sorted(by: { $0.key.description < $1.key.description }) {
      if record?.build(for: kernel) != nil, !isForced {
        plan.skip(Skip(id, kernel, .builtAlready))
      } else {
        let step = plan.append(
          .loadBuild(id, kernel, from: directory), because: .requested, requires: registered)
        builds[Target(id: id, kernel: kernel)] = .planned(step)
      }
    }
  }

  private mutating func bringSource(_ origin: ModuleOrigin) -> [Int] {
    if origin.holdsOnlyBuilds { return [] }
    return [
      plan.append(
        .copySource(origin.id, from: origin.directory, replaces: isForced), because: .requested)
    ]
  }

  private mutating func register(_ origin: ModuleOrigin, _ record: ModuleRecord?) -> [Int] {
    let id = origin.id
    if origin.holdsOnlyBuilds, facts.sources[id] == nil {
      let configuration = "\(origin.directory)/dkms.conf"
      return [plan.append(.addWithoutSource(id, configuration: configuration), because: .requested)]
    }
    let source = "\(facts.sourceTree)/\(id.sourceDirectoryName)"
    // A registration without a link is half made, and is only there until it is cleared away.
    let isLinked = record.map { $0.source != nil && ($0.isBroken || $0.usesKeptSource) } ?? false
    return [
      plan.append(
        isLinked ? .relink(id, source: source) : .add(id, source: source), because: .requested,
        requires: bringSource(origin))
    ]
  }
}
