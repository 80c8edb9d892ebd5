// SPDX-License-Identifier: GPL-2.0-or-later

extension ImagePlan.Entry {
  /// The images, for people.
  public var subject: String { recipe.images.map(\.path).joined(separator: ", ") }

  /// What is done about them, and why.
  public var words: String {
    switch decision {
    case .generate(let flaws): "\(subject): would be made: \(flaws.text)"
    case .generateAlways: "\(subject): would be made: images always are, by initramfs = always"
    case .keepFresh: "\(subject): stays: it holds just what is installed"
    case .keepUnknown(let flaws): "\(subject): stays: \(flaws.text)"
    case .keepNever(let flaws): "\(subject): stays, by initramfs = never: \(flaws.text)"
    case .keepGood(let flaws, let modules):
      "\(subject): stays: \(modules.joined(separator: ", ")), which it needs, could not be built; \(flaws.text)"
    }
  }
}

extension ImageCondition {
  /// What there is to say of it.
  public var words: String { isFresh ? "fresh, \(modules.count) modules" : flaws.text }
}

extension [ImageFlaw] {
  fileprivate var text: String { map(\.words).joined(separator: "; ") }
}
