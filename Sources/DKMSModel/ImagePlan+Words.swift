// SPDX-License-Identifier: GPL-2.0-or-later

extension ImagePlan.Entry {
  /// The images, for people.
  public var subject: String { recipe.images.map(\.path).joined(separator: ", ") }

  /// What is done about them, and why.
  public var words: String {
    switch decision {
    case .generate(let flaws): "\(subject): would be made: \(flaws.text)"
    case .generateAlways: "\(subject): would be made: initramfs = always asks for it"
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
