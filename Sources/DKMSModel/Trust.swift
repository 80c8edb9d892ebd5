// SPDX-License-Identifier: GPL-2.0-or-later

/// What becomes of a module that others than root can change; the raw values are those of `trust` in alpm-dkms.conf.
public enum TrustPolicy: String, Codable, CaseIterable, Sendable {
  /// Nothing of it is run.
  case strict
  /// It is run, with a warning.
  case warn
}

/// Something by which root is told what to run, and that somebody else can change.
public struct Exposure: Codable, Hashable, Sendable {
  /// The file or directory that somebody else can change.
  public var path: String
  /// What is to be protected: the path itself, or the tree that it is in.
  public var place: String
  /// Who can change it.
  public var cause: Cause
  /// The link that leads there from a place of root's, if that is how it is reached.
  public var link: String?
  /// The command that ends it.
  public var remedy: String

  private enum CodingKeys: String, CodingKey {
    case path, place, cause, link
    case remedy = "command"
  }

  /// Describes one.
  public init(path: String, place: String, cause: Cause, link: String? = nil, remedy: String) {
    self.path = path
    self.place = place
    self.cause = cause
    self.link = link
    self.remedy = remedy
  }

  /// Who can change something.
  public enum Cause: Codable, Hashable, Sendable {
    /// The user of this name or number, who owns it.
    case owner(String)
    /// The members of its group.
    case group
    /// Anyone.
    case anyone

    fileprivate func words(_ path: String) -> String {
      switch self {
      case .owner(let name): "\(path) belongs to \(name)"
      case .group: "the group of \(path) can change it"
      case .anyone: "anyone can change \(path)"
      }
    }
  }
}

extension Exposure: CustomStringConvertible {
  /// Who can change what, and by which link it is reached.
  public var description: String {
    cause.words(path) + (link.map { ", and \($0) leads there" } ?? "")
  }
}

/// Who else than root can change what a plan would run.
public struct TrustFacts: Codable, Hashable, Sendable {
  /// What becomes of what others can change.
  public var policy: TrustPolicy
  /// What others can change of the settings and trees that concern every module.
  public var common: [Exposure]
  /// What others can change of each module that was looked at.
  public var modules: [ModuleID: [Exposure]]

  /// Makes facts.
  public init(policy: TrustPolicy, common: [Exposure] = [], modules: [ModuleID: [Exposure]] = [:]) {
    self.policy = policy
    self.common = common
    self.modules = modules
  }

  /// What others can change of what is run for a module.
  public func exposures(of id: ModuleID) -> [Exposure] { Self.each(of: common + (modules[id] ?? [])) }

  /// Everything, each thing once.
  public var all: [Exposure] {
    let modules = modules.sorted { $0.key.description < $1.key.description }.flatMap(\.value)
    return Self.each(of: common + modules)
  }

  private static func each(of exposures: [Exposure]) -> [Exposure] {
    var known: Set<Exposure> = []
    return exposures.filter { known.insert($0).inserted }
  }
}
