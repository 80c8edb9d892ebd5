// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel

extension Planner {
  /// Restores what the tree has lost: takes for builds what a kernel holds of these modules.
  mutating func restoreRecords(of modules: [ModuleID], for kernel: Kernel) {
    for id in modules {
      guard let found = facts.unrecorded[id]?[kernel], found.refusal(as: id, for: kernel) == nil else {
        continue
      }
      let added = add(id, because: .recordLost)
      guard added != .blocked else { continue }
      var basis = basis(of: Target(id: id, kernel: kernel))
      basis.installation = found
      let step = plan.append(
        .adopt(id, kernel), because: .recordLost, requires: added.required, basis: basis)
      haveInstalled(Target(id: id, kernel: kernel), by: step)
    }
  }
}
