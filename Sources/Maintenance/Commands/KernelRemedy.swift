// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
internal import DKMSModel
internal import Host

extension DKMSError {
  /// What to type where a command was given a kernel that is not there; nil for other errors.
  func remedy(insteadOf command: String, _ layout: Layout, _ host: Host) -> String? {
    guard case .kernelMissing = self else { return nil }
    let snapshot = Snapshot(host: host, layout: layout, options: BuildOptions())
    let names = ((try? snapshot.kernels().kernels) ?? []).map(\.description)
    return names.isEmpty
      ? "no kernel is installed"
      : "the kernels that are installed are \(names.joined(separator: ", ")); for all of them: \(command)"
  }
}
