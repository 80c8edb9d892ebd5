// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
internal import DKMSModel
internal import Host

extension ActionRunner {
  /// Says what went wrong, and what to type in the place of this call.
  func fail(_ error: DKMSError) { narrator.fail(error, remedy: remedy(for: error)) }

  /// What fixes an error, where this call says more about that than the error itself.
  func remedy(for error: DKMSError) -> String? {
    switch error {
    case .kernelMissing(let release, _): otherKernel(than: release)
    case .headersMissing(let kernel, _, package: nil, _): otherKernel(than: kernel.release)
    case _ where error.isLackOfPermission && !host.isRoot: "sudo \(call.text)"
    case .tarballFailed(_, let reason) where reason.hasSuffix(DKMSError.noPermission) && !host.isRoot:
      "sudo \(call.text)"
    case .notAdded where isUndoing: "there is nothing of it to take away; what is registered: dkms status"
    case .tarballKnown: "to replace what is there: \(call.adding("--force").text)"
    case .notBuilt(_, nil) where action == .mktarball:
      "build it first, or take its source alone: \(call.adding("--source-only").text)"
    default: nil
    }
  }

  /// What to do instead of asking for a kernel that is not there; nil where it is.
  private func otherKernel(than release: KernelRelease) -> String? {
    guard (try? Files.isDirectory(layout.kernel(release))) == false else { return nil }
    let others = (try? snapshot.kernels().kernels) ?? []
    guard let newest = others.max(by: { VersionOrder($0.description) < VersionOrder($1.description) }) else {
      return "no kernel is installed: install one with its headers"
    }
    let names = others.map(\.description).joined(separator: ", ")
    let call = call.forKernel(newest).text
    return release.description == host.runningRelease
      ? "the running kernel is not installed any more: reboot, or name one that is (\(names)): \(call)"
      : "name a kernel that is installed (\(names)): \(call)"
  }
}

extension Call {
  /// The call for this kernel alone.
  fileprivate func forKernel(_ release: KernelRelease) -> Call {
    let names = ["-k", "--kernelver"]
    var others: [String] = []
    var isValue = false
    for word in words {
      if !isValue, !names.contains(word), !word.hasPrefix("--kernelver=") { others.append(word) }
      isValue = !isValue && names.contains(word)
    }
    return Call(program, others).adding("-k", release.description)
  }
}
