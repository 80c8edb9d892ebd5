// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel

extension ImageCondition {
  /// What is wrong with it, with the command by which its generator makes it anew; nil where it is fresh.
  var finding: DoctorFinding? {
    guard !isFresh else { return nil }
    return DoctorFinding(
      .staleImage, image.path, flaws.map(\.words).joined(separator: "; "), remedy: image.command)
  }
}

extension ImageFlaw {
  /// What is wrong, as the end of a sentence.
  fileprivate var words: String {
    switch self {
    case .missing: "it is missing"
    case .unreadable(let reason): "it cannot be read: \(reason)"
    case .differs(let module): "its \(module) is not the one that is installed"
    case .gone(let module): "its \(module) is installed no longer"
    case .lacks(let module, let place): "it lacks \(module), which \(place) asks for"
    }
  }
}

extension InitramfsImage {
  /// What makes it anew.
  fileprivate var command: String {
    let release = kernel.release
    switch (generator, form) {
    case (.mkinitcpio, .archive):
      // `linux/default` is a preset of the file linux.preset.
      return preset?.split(separator: "/").first.map { "mkinitcpio -p \($0)" }
        ?? "mkinitcpio -k \(release) -g \(path)"
    case (.mkinitcpio, .unifiedKernelImage):
      return preset?.split(separator: "/").first.map { "mkinitcpio -p \($0)" }
        ?? "mkinitcpio -k \(release) -U \(path)"
    case (.dracut, _): return "dracut --force \(path) --kver \(release)"
    case (.booster, _): return "booster build --force --kernel-version \(release) \(path)"
    }
  }
}
