// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
internal import DKMSModel
internal import Initramfs

/// Judges one image of a kernel.
struct ImageJudge {
  let image: ImageCondition
  let condition: KernelCondition
  let configuration: SuiteConfiguration
  /// Whether the kernel has another image that it can be booted with.
  let hasSubstitute: Bool

  /// What is wrong; flaws that belong together become one finding.
  var findings: [Finding] {
    signatureFindings + contentFindings
  }

  /// What is wrong with the signature, each with the command that signs it.
  private var signatureFindings: [Finding] {
    image.flaws.compactMap { flaw in
      guard case .unsigned(let isRefused, let remedy) = flaw else { return nil }
      let weight: Finding.Weight = isRefused && !hasSubstitute ? .critical : .normal
      return Finding(image.image.path, weight, flaw.effect, flaw.words, remedy: remedy)
    }
  }

  private var contentFindings: [Finding] {
    let opinions = image.flaws.filter { !$0.isUnsigned }.compactMap { flaw in
      weight(of: flaw).map { (flaw: flaw, weight: $0) }
    }
    let classes: [(Finding.Weight, Finding.Effect)] =
      [.critical, .normal, .optional].flatMap { [($0, .unusable), ($0, .impaired), ($0, .unknown)] }
    return classes.compactMap { weight, effect in
      let flaws = opinions.filter { $0.weight == weight && $0.flaw.effect == effect }.map(\.flaw)
      guard !flaws.isEmpty else { return nil }
      return Finding(
        image.image.path, weight, effect, Self.reason(flaws),
        cause: effect == .unknown ? .failedLook : .module,
        remedy: effect == .unknown ? nil : remedy)
    }
  }

  private var remedy: String {
    image.image.generator == nil
      ? "make it anew with what made it, which is not known here"
      : "alpm-dkms initramfs \(condition.kernel.release)"
  }

  private static func reason(_ flaws: [ImageFlaw]) -> String {
    if flaws.contains(.missing) { return "the image is missing" }
    for case .unreadable(let reason) in flaws { return "the image cannot be read: \(reason)" }
    for case .otherKernel(let release) in flaws { return "the image is for the kernel \(release)" }
    for case .unknown(let reason) in flaws { return "nothing is known about the image: \(reason)" }
    var parts: [String] = []
    let others = flaws.compactMap { if case .differs(let module) = $0 { module } else { nil } }
    if !others.isEmpty { parts.append("it holds a different build of \(others.listed) than is installed") }
    let gone = flaws.compactMap { if case .gone(let module) = $0 { module } else { nil } }
    if !gone.isEmpty { parts.append("it holds \(gone.listed), which is no longer installed") }
    for case .lacks(let module, let place) in flaws {
      parts.append("it lacks \(module), which \(place) asks for")
    }
    return "the image is old: \(parts.joined(separator: ", and "))"
  }

  /// How much the flaw matters; nil where it is about a module that is ignored.
  private func weight(of flaw: ImageFlaw) -> Finding.Weight? {
    let module: String
    switch flaw {
    case .missing, .unreadable, .otherKernel: return hasSubstitute ? .normal : .critical
    case .unknown, .unsigned: return .normal
    case .differs(let name), .gone(let name), .lacks(let name, _): module = name
    }
    let owner = condition.modules.first { owner in
      owner.moduleNames.contains { $0.asKernelModuleName == module.asKernelModuleName }
    }
    return configuration.weight(of: owner?.id.name ?? module, module: module)
  }
}

extension ImageFlaw {
  /// An image with old modules boots as it did before; one that lacks a module may not, and nor may one that
  /// cannot be checked.
  fileprivate var effect: Finding.Effect {
    switch self {
    case .missing, .unreadable, .otherKernel, .lacks, .unsigned(true, _): .unusable
    case .differs, .gone, .unsigned(false, _): .impaired
    case .unknown: .unknown
    }
  }
}

extension [String] {
  fileprivate var listed: String {
    count > 3 ? "\(prefix(3).joined(separator: ", ")) (and \(count - 3) more)" : joined(separator: ", ")
  }
}
