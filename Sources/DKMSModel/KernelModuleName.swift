// SPDX-License-Identifier: GPL-2.0-or-later

extension StringProtocol {
  /// A module's name as the kernel writes it, which takes a dash for an underscore.
  package var asKernelModuleName: String { String(map { $0 == "-" ? "_" : $0 }) }
}
