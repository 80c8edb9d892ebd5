// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel

/// What is done about each image, decided before any is touched.
public struct ImagePlan: Codable, Hashable, Sendable {
  /// One decision for each run of the generator, in the order of the facts.
  public var entries: [Entry]

  /// Makes a plan of decisions.
  public init(entries: [Entry] = []) { self.entries = entries }

  /// The runs that are made, or whose images are signed.
  public var generated: [Entry] { entries.filter(\.isGenerated) }

  /// The runs that are not made.
  public var kept: [Entry] { entries.filter { !$0.isGenerated } }

  /// The runs that are not made because a look at their images failed.
  public var unknown: [Entry] { entries.filter(\.isUnknown) }

  /// What is done about the images of one run.
  public struct Entry: Codable, Hashable, Sendable {
    /// The run.
    public var recipe: ImageRecipe
    /// What there is of its images now.
    public var conditions: [ImageCondition]
    /// Whether it is made.
    public var decision: Decision

    /// Makes an entry.
    public init(recipe: ImageRecipe, conditions: [ImageCondition], decision: Decision) {
      self.recipe = recipe
      self.conditions = conditions
      self.decision = decision
    }

    /// Whether the run is made, or its images are signed.
    public var isGenerated: Bool {
      switch decision {
      case .generate, .generateAlways, .sign: true
      case .keepFresh, .keepUnknown, .keepNever, .keepGood, .keepUnsigned: false
      }
    }

    /// Whether its images stay, but for a signature that they get.
    public var isOnlySigned: Bool { if case .sign = decision { true } else { false } }

    /// Whether it is not known if the run is needed.
    public var isUnknown: Bool { if case .keepUnknown = decision { true } else { false } }
  }

  /// Whether images are made, and why.
  public enum Decision: Codable, Hashable, Sendable {
    /// They are made because of these flaws.
    case generate([ImageFlaw])
    /// They are rebuilt although nothing is wrong with them: the administrator wants it.
    case generateAlways
    /// They hold just what is installed, and are signed because of these flaws.
    case sign([ImageFlaw])
    /// They hold just what is installed.
    case keepFresh
    /// They stay as they are: looks at them failed, as these flaws say, and what may be good is not replaced.
    case keepUnknown([ImageFlaw])
    /// They stay as they are, with these flaws: the administrator wants it.
    case keepNever([ImageFlaw])
    /// They stay as they are, with these flaws: these modules, which they need, could not be built.
    case keepGood([ImageFlaw], withoutBuild: [String])
    /// They stay as they are, without a signature, as these flaws say: nothing here is known to sign them.
    case keepUnsigned([ImageFlaw])
  }
}

/// All that an image plan is made from; the same facts give the same plan anywhere.
public struct ImageFacts: Codable, Hashable, Sendable {
  /// When images are made.
  public var policy: ImagePolicy
  /// The runs that could be made, and what there is of the images of each.
  public var runs: [Run]
  /// The kernel modules that could not be built as they should, by kernel, with underscores for dashes.
  public var unbuiltModules: [Kernel: Set<String>]

  /// Makes facts.
  public init(policy: ImagePolicy = .auto, runs: [Run] = [], unbuiltModules: [Kernel: Set<String>] = [:]) {
    self.policy = policy
    self.runs = runs
    self.unbuiltModules = unbuiltModules
  }

  /// A run that could be made.
  public struct Run: Codable, Hashable, Sendable {
    /// What would be run.
    public var recipe: ImageRecipe
    /// What there is of its images, in their order.
    public var conditions: [ImageCondition]

    /// Describes a run.
    public init(recipe: ImageRecipe, conditions: [ImageCondition]) {
      self.recipe = recipe
      self.conditions = conditions
    }
  }
}

extension ImagePlan {
  /// Decides about each run.
  public init(_ facts: ImageFacts) {
    entries = facts.runs.map { run in
      Entry(recipe: run.recipe, conditions: run.conditions, decision: facts.decision(on: run))
    }
  }
}

extension ImageFacts {
  fileprivate func decision(on run: Run) -> ImagePlan.Decision {
    var known: Set<ImageFlaw> = []
    let flaws = run.conditions.flatMap(\.flaws).filter { known.insert($0).inserted }
    if policy == .never { return flaws.isEmpty ? .keepFresh : .keepNever(flaws) }
    let unknown = flaws.filter(\.isUnknown)
    if !unknown.isEmpty { return .keepUnknown(unknown) }
    if policy == .auto, flaws.isEmpty { return .keepFresh }
    if policy == .auto, flaws.allSatisfy(\.isUnsigned) {
      return run.recipe.signer == nil ? .keepUnsigned(flaws) : .sign(flaws)
    }
    let unbuilt = needed(by: run).intersection(unbuiltModules[run.recipe.kernel] ?? []).sorted()
    // An image that cannot be booted anyway is rebuilt, even without a module.
    if !unbuilt.isEmpty, !run.conditions.contains(where: \.isUnusable) {
      return .keepGood(flaws, withoutBuild: unbuilt)
    }
    return flaws.isEmpty ? .generateAlways : .generate(flaws)
  }

  private func needed(by run: Run) -> Set<String> {
    Set(run.conditions.flatMap(\.modules).map(\.asKernelModuleName) + run.recipe.requests.map(\.module))
  }
}

extension ImageCondition {
  /// Whether nothing can be booted with it.
  public var isUnusable: Bool {
    flaws.contains { flaw in
      switch flaw {
      case .missing, .unreadable, .otherKernel: true
      case .unknown, .differs, .gone, .lacks, .unsigned: false
      }
    }
  }
}

extension ImageCondition {
  /// Whether the firmware refuses it, whatever is in it.
  public var isRefused: Bool {
    flaws.contains { if case .unsigned(true, _) = $0 { true } else { false } }
  }
}

extension ImagePlan.Entry {
  /// The images, for people.
  public var subject: String { recipe.images.map(\.path).joined(separator: ", ") }

  /// What is done about them, and why.
  public var words: String {
    switch decision {
    case .generate(let flaws): "\(subject): would be made: \(flaws.text)"
    case .generateAlways: "\(subject): would be made: initramfs = always asks for it"
    case .sign(let flaws): "\(subject): would be signed: \(flaws.text)"
    case .keepUnsigned(let flaws): "\(subject): stays: \(flaws.text); nothing here is known to sign it"
    case .keepFresh: "\(subject): stays: it holds exactly what is installed"
    case .keepUnknown(let flaws): "\(subject): stays: \(flaws.text)"
    case .keepNever(let flaws): "\(subject): stays, because of initramfs = never: \(flaws.text)"
    case .keepGood(let flaws, let modules):
      "\(subject): stays: \(modules.joined(separator: ", ")), which it needs, could not be built; \(flaws.text)"
    }
  }
}

extension ImageCondition {
  /// What there is to say of it.
  public var words: String { isFresh ? "fresh, \(modules.count.counted("module"))" : flaws.text }
}

extension [ImageFlaw] {
  fileprivate var text: String { map(\.words).joined(separator: "; ") }
}

extension ImageFlaw {
  /// What is wrong, for people, to be said after the name of the image.
  public var words: String {
    switch self {
    case .missing: "it is missing"
    case .unreadable(let reason): "it cannot be read: \(reason)"
    case .otherKernel(let release): "it is for the kernel \(release)"
    case .unknown(let reason): "nothing is known about it: \(reason)"
    case .differs(let module): "the module \(module) in it is not the one that is installed"
    case .gone(let module): "the module \(module) in it is no longer installed"
    case .unsigned(true, _): "it has no signature, and Secure Boot is on, which refuses it"
    case .unsigned(false, _): "it has no signature, so that Secure Boot would refuse it"
    case .lacks(let module, let place): "it lacks the module \(module), which \(place) asks for"
    }
  }
}
