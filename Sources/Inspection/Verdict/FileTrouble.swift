// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel

/// What can be wrong with an installed module file.
enum FileTrouble: Hashable {
  case missing
  case noModule
  case builtForOther(release: String)
  case unsigned
  case unlisted
  case doubled(by: String)
  case different
  case displaced(ModuleFileCondition.Displacement)
  case withoutBuild

  /// The worst thing that is wrong with a file; nil where it is as it should be.
  init?(_ file: ModuleFileCondition, in condition: KernelCondition) {
    guard file.exists else {
      if file.kernelsOwn != nil { return nil }
      self = .missing
      return
    }
    switch file.information {
    case .unreadable:
      self = .noModule
      return
    case .read(let release, _) where release != condition.kernel.release.description:
      self = .builtForOther(release: release)
      return
    case .read(_, let isSigned) where condition.enforcesSignatures && !isSigned:
      self = .unsigned
      return
    case .read, .unknown: break
    }
    // depmod takes one of them, and nobody knows which.
    if let double = file.double {
      self = .doubled(by: double)
      return
    }
    guard file.isListed else {
      self = .unlisted
      return
    }
    switch file.isAsBuilt {
    case true?: return nil
    case false?: self = file.displacement.map { .displaced($0) } ?? .different
    case nil: self = .withoutBuild
    }
  }

  var effect: Finding.Effect {
    switch self {
    case .missing, .noModule, .builtForOther, .unsigned, .unlisted, .doubled: .unusable
    case .different, .displaced, .withoutBuild: .impaired
    }
  }

  /// What is wrong, in words that the names of the files follow.
  var reason: String {
    switch self {
    case .missing: "missing from the kernel's directory"
    case .noModule: "not a kernel module"
    case .builtForOther(let release): "built for kernel \(release)"
    case .unsigned: "not signed, and this kernel loads signed modules only"
    case .unlisted: "not named in modules.dep"
    case .doubled(let other): "\(other) is beside it, and depmod takes only one of the two"
    case .different: "not what was built"
    case .displaced(let displacement):
      "\(displacement.by)\(displacement.byPackage.map { " of \($0)" } ?? "") has put its own in "
        + (displacement.ofPackage.map { "the place of that of \($0)" } ?? "its place")
    case .withoutBuild: "installed, but its build is gone"
    }
  }

  func remedy(for id: ModuleID, _ release: KernelRelease) -> String {
    let install = "dkms install --force \(id) -k \(release)"
    return switch self {
    case .missing, .different, .doubled: install
    case .displaced(let displacement):
      "only one can be there; to keep that of \(displacement.by): "
        + (displacement.ofPackage.map { "pacman -R \($0.quotedForShell)" } ?? "dkms remove \(id) --all")
    case .noModule, .builtForOther, .unsigned, .withoutBuild:
      "dkms build --force \(id) -k \(release) && \(install)"
    case .unlisted: "depmod \(release)"
    }
  }
}
