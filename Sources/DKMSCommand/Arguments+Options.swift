// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine

extension Arguments {
  /// Where everything is, with the trees that the call names.
  func layout(over layout: Layout) -> Layout {
    var layout = layout
    if let dkmsTree { layout.dkmsTree = dkmsTree }
    if let sourceTree { layout.sourceTree = sourceTree }
    if let installTree { layout.installTree = installTree }
    return layout
  }

  /// What framework.conf sets, with what the call sets.
  func options(over options: BuildOptions) -> BuildOptions {
    var options = options
    options.jobs = jobs ?? options.jobs
    options.configurationFile = configuration
    options.kernelSourceDirectory = kernelSourceDirectory
    options.kernelConfiguration = kernelConfiguration
    options.directives = directives
    // A package upgrade that stopped half-way would leave nothing installed.
    options.isForced = isForced || isSafeUpgrade && action == .install
    options.overridesVersions = overridesVersions
    options.skipsDepmod = skipsDepmod
    options.linksModules = linksModules || options.linksModules
    options.probesModules = probesModules || options.probesModules
    options.isVerbose = isVerbose || options.isVerbose
    return options
  }
}
