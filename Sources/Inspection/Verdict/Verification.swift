// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSEngine
package import DKMSModel
package import Host
internal import Initramfs
internal import SystemPackage

/// The verdicts on the kernels of a system, made from what is on its disk now.
package struct Verification {
  /// What the verdicts are made from.
  package let facts: ConditionFacts
  /// A verdict a kernel.
  package let verdicts: [KernelVerdict]
  /// What is wrong with `/etc/alpm-dkms.conf`.
  package var problems: [ConfigurationProblem] { facts.problems }
  /// Whether any module is registered.
  package var hasModules: Bool { facts.hasModules }

  /// Judges.
  package init(_ facts: ConditionFacts) {
    self.facts = facts
    verdicts = facts.verdicts
  }

  /// Looks at kernels and judges each.
  ///
  /// - Parameters:
  ///   - releases: The kernels; nil for all that are installed and not ignored.
  ///   - layout: Where things are, before framework.conf is read.
  ///   - host: The machine.
  ///   - database: Who owns the kernels.
  /// - Throws: `DKMSError` where framework.conf cannot be read or a kernel that is named is not there.
  package init(
    of releases: [KernelRelease]? = nil, layout: Layout, host: Host, database: borrowing Database
  ) async throws(DKMSError) {
    let framework = try await Framework.read(over: layout, host: host)
    let layout = framework.layout
    var (configuration, problems) = SuiteConfiguration.read(layout.suiteConfiguration)
    for release in releases ?? [] where !Files.isDirectory(layout.kernel(release)) {
      throw .kernelMissing(release, directory: layout.kernel(release).string)
    }
    let installed = InstalledKernels(layout, database)
    let chosen = releases ?? installed.releases.filter { !configuration.ignores($0) }
    var kernels: [Kernel] = []
    for release in chosen { kernels.append(try Kernel(release: release, architecture: host.architecture)) }
    let reader = ConditionReader(framework, host: host, kernelOwners: installed.owners)
    var conditions = await reader.conditions(of: kernels)
    if configuration.initramfs != .never, reader.hasModules {
      let images = await KernelImages(of: kernels, framework, configuration, host, database)
      for index in conditions.indices {
        conditions[index].images = images.conditions.filter { $0.image.kernel == conditions[index].kernel }
      }
      problems += images.problems.map(ConfigurationProblem.init)
    }
    self.init(
      ConditionFacts(
        conditions: conditions, configuration: configuration, problems: problems,
        hasModules: reader.hasModules))
  }

  /// Whether every kernel can be booted as before.
  package var isWell: Bool { verdicts.allSatisfy { $0.standing == .asBefore } }

  /// The worst of the verdicts.
  package var standing: KernelVerdict.Standing {
    let standings = Set(verdicts.map(\.standing))
    return [.blocked, .degraded].first(where: standings.contains) ?? .asBefore
  }
}
