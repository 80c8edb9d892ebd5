// SPDX-License-Identifier: GPL-2.0-or-later

/// A hook that a transaction ran, with what it was given.
package struct FiredHook: Hashable {
  /// The hook.
  package let hook: HookFile
  /// What made it run, sorted as bytes, each once.
  package let targets: [Target]

  /// A line that a hook was given.
  package struct Target: Hashable {
    /// A path or a package.
    package let line: String
    /// Whether it was certainly given, and not just possibly.
    package let isCertain: Bool
  }
}

/// What the local database has of a package now.
package struct KnownPackage: Hashable {
  /// Its version.
  package let version: String
  /// Its paths, with a slash after directories.
  package let files: [String]

  /// Describes a package.
  package init(version: String, files: [String]) {
    self.version = version
    self.files = files
  }
}

/// The hooks that a logged transaction fired, as far as that can be told afterwards.
package struct FiredHooks: Hashable {
  /// The hooks in the order in which they ran: those before the transaction, then those after it.
  package let hooks: [FiredHook]
  /// What is not known.
  package let gaps: [String]

  /// Works it out from the log, the hook files, and what the database has now of the packages.
  package init(_ transaction: LoggedTransaction, hooks files: [HookFile], packages: [String: KnownPackage]) {
    let removes = transaction.operations.contains { $0.newVersion == nil }
    let events = transaction.operations.flatMap {
      Self.events(of: $0, packages[$0.package], afterRemovals: removes)
    }
    // After a failed transaction, no later hooks run.
    let ran = files.filter { $0.moment == .before || transaction.end == .completed }
    let fired = ran.compactMap { hook -> FiredHook? in
      let targets = Self.targets(of: hook, events)
      return targets.isEmpty ? nil : FiredHook(hook: hook, targets: targets)
    }
    hooks = [.before, .after].flatMap { moment in fired.filter { $0.hook.moment == moment } }
    let isPastHooks = transaction.end != .completed && files.contains { $0.moment == .after }
    gaps =
      transaction.operations.compactMap { Self.gap(of: $0, packages[$0.package]) }
      + (isPastHooks ? ["no hooks ran after the transaction, because it did not complete"] : [])
  }

  /// Something that happened to a path or a package, and by which operations it may count.
  private struct Event {
    let line: String
    let kind: HookFile.Kind
    let operations: Set<HookFile.Operation>
  }

  private static func events(
    of operation: PackageOperation, _ known: KnownPackage?, afterRemovals: Bool
  ) -> [Event] {
    let paths: Set<HookFile.Operation>
    let package: HookFile.Operation
    switch operation.action {
    // A path that a package brings in the place of one that goes counts as upgraded.
    case .installed: (paths, package) = (afterRemovals ? [.install, .upgrade] : [.install], .install)
    case .reinstalled: (paths, package) = ([.upgrade], .upgrade)
    // It is no longer known whether the old version had a path.
    case .upgraded, .downgraded: (paths, package) = ([.install, .upgrade], .upgrade)
    case .removed: (paths, package) = ([.remove], .remove)
    }
    let files = operation.newVersion == nil ? [] : known?.files ?? []
    return [Event(line: operation.package, kind: .package, operations: [package])]
      + files.map { Event(line: $0, kind: .path, operations: paths) }
  }

  private static func targets(of hook: HookFile, _ events: [Event]) -> [FiredHook.Target] {
    var certainty: [String: Bool] = [:]
    for trigger in hook.triggers {
      let patterns = TargetPatterns(trigger.patterns)
      for event in events where event.kind == trigger.kind && patterns.match(event.line) {
        let common = event.operations.intersection(trigger.operations)
        if common.isEmpty { continue }
        certainty[event.line] = certainty[event.line] == true || common == event.operations
      }
    }
    return certainty.map { FiredHook.Target(line: $0.key, isCertain: $0.value) }
      .sorted { $0.line.utf8.lexicographicallyPrecedes($1.line.utf8) }
  }

  private static func gap(of operation: PackageOperation, _ known: KnownPackage?) -> String? {
    guard let version = operation.newVersion else {
      return "\(operation.package): it was removed, so the paths that went with it are not known"
    }
    guard let known else {
      return "\(operation.package): it is no longer installed, so its paths are not known"
    }
    if known.version != version {
      return
        "\(operation.package): \(known.version) is installed by now; its paths stand for those of \(version)"
    }
    if let old = operation.oldVersion {
      return "\(operation.package): which paths \(old) had is not known"
    }
    return nil
  }
}
