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
    let snapshot = framework.snapshot(on: host)
    for release in releases ?? [] {
      let directory = layout.kernel(release)
      let isThere = try onFiles { () throws(HostError) in try Files.isDirectory(directory) }
      guard isThere else { throw .kernelMissing(release, directory: directory.string) }
    }
    let installed: InstalledKernels
    do { installed = try InstalledKernels(snapshot, database) } catch { throw DKMSError(error) }
    let chosen = releases ?? installed.releases.filter { !configuration.ignores($0) }
    var kernels: [Kernel] = []
    for release in chosen { kernels.append(try Kernel(release: release, architecture: host.architecture)) }
    let hasModules = try !onFiles { () throws(HostError) in try snapshot.tree() }.modules.isEmpty
    var conditions = try await ConditionReader(
      snapshot, allowsAutoinstall: framework.allowsAutoinstall, kernelOwners: installed.owners
    ).conditions(of: kernels)
    if configuration.initramfs != .never, hasModules {
      let images: KernelImages
      do { images = try await KernelImages(of: kernels, snapshot, configuration, database) } catch {
        throw DKMSError(error)
      }
      for index in conditions.indices {
        conditions[index].images = images.conditions.filter { $0.image.kernel == conditions[index].kernel }
      }
      problems += images.problems.map(ConfigurationProblem.init)
    }
    self.init(
      ConditionFacts(
        conditions: conditions, configuration: configuration, problems: problems, hasModules: hasModules))
  }

  /// Whether every kernel can be booted as before.
  package var isWell: Bool { verdicts.allSatisfy { $0.standing == .asBefore } }

  /// The worst of the verdicts.
  package var standing: KernelVerdict.Standing {
    let standings = Set(verdicts.map(\.standing))
    return [.blocked, .unknown, .degraded].first(where: standings.contains) ?? .asBefore
  }
}
