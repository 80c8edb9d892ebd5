// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSModel

/// The generators of initramfs images that packages have brought.
package struct InstalledGenerators {
  /// The generators, in the order in which they are asked about.
  package let kinds: [ImageGenerator]

  /// Asks the database.
  package init(_ database: borrowing Database) {
    var kinds: [ImageGenerator] = []
    for kind in ImageGenerator.allCases {
      for package in [kind.rawValue, "\(kind.rawValue)-git"] where database.files(of: package) != nil {
        if !kinds.contains(kind) { kinds.append(kind) }
      }
    }
    self.kinds = kinds
  }
}
