// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
package import DKMSModel
package import Initramfs

/// The generator whose images a system boots with.
package struct GeneratorChoice {
  /// The generators that packages have brought.
  package let installed: [ImageGenerator]
  /// The only one; of several the one whose images are there, else the one that is configured; nil where
  /// there is none, or where that cannot be told.
  package let chosen: ImageGenerator?

  /// Chooses.
  package init(
    for kernels: [BootableKernel], _ survey: ImageSurvey, _ configuration: SuiteConfiguration,
    _ database: borrowing Database
  ) async {
    installed = InstalledGenerators(database).kinds
    guard installed.count > 1 else {
      chosen = installed.first
      return
    }
    let inUse = await survey.generatorsInUse(among: installed, for: kernels)
    let configured = configuration.initramfsGenerator
    chosen = inUse.count == 1 ? inUse[0] : installed.first { $0 == configured }
  }
}
