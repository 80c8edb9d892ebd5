// SPDX-License-Identifier: GPL-2.0-or-later

extension Reason {
  /// Why, as part of a sentence.
  public var words: String {
    switch self {
    case .requested: "it was asked for"
    case .notInstalled: "the kernel has no such module yet"
    case .modulesChange: "modules of the kernel change"
    case .matched: "another kernel has it"
    case .sourceChanged: "its source is new or changed"
    case .kernelChanged: "the kernel is new or changed"
    case .dependencyChanged(let id): "it needs \(id), which changed"
    case .replaced(let id): "\(id) takes its place"
    case .sourceGone: "its source is gone"
    case .kernelGone: "the kernel is gone"
    case .leftUndone: "an earlier transaction left it undone"
    case .signing: "modules are signed with it"
    case .dependenciesFailed: "modules.dep could not be written"
    }
  }
}

extension Skip.Cause {
  /// Why, as part of a sentence.
  public var words: String {
    switch self {
    case .upToDate: "it is up to date"
    case .notAutoinstalled: "its dkms.conf does not set AUTOINSTALL"
    case .builtAlready: "the tree has a build already"
    case .lastGood: "nothing can take its place"
    case .obstacle(let error): "\(error)"
    }
  }
}
