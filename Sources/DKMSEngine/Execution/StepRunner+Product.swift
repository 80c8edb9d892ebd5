// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

extension StepRunner {
  /// Once an installed product is replaced, nothing else says which modules it had.
  func noteDroppedModules(
    _ id: ModuleID, _ kernel: Kernel, keeping kept: [String], in staged: FilePath
  ) throws(HostError) {
    guard try tree.isInstalled(id, kernel) else { return }
    let names = try tree.installedNames(of: id, kernel).subtracting(kept)
    guard !names.isEmpty else { return }
    let note = staged.appending(layout.droppedModules(id, kernel).components.suffix(1))
    try Files.write(Array(names.sorted().joined(separator: "\n").utf8), to: note)
  }

  /// Makes a staged product the tree's.
  func publish(_ product: Product, _ id: ModuleID, _ kernel: Kernel) async throws(DKMSError) {
    try await takeOutUndeclared(id, kernel)
    try onFiles { () throws(HostError) in try product.publish() }
  }
}
