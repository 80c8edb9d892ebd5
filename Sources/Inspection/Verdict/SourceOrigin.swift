// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSModel

/// Where the source of a module comes from, and what else there is to do when it cannot be built.
package struct SourceOrigin: Codable, Hashable, Sendable {
  /// The package that owns it.
  package var package: String
  /// That package's version.
  package var version: String
  /// What the repositories have of it.
  package var offer: Offer
  /// The packages of the kernel that it cannot be built for.
  package var kernelPackages: [String]
  /// The kernels that the module is built for.
  package var builtFor: [KernelRelease]

  /// Describes an origin.
  package init(
    package: String, version: String, offer: Offer, kernelPackages: [String] = [],
    builtFor: [KernelRelease] = []
  ) {
    self.package = package
    self.version = version
    self.offer = offer
    self.kernelPackages = kernelPackages
    self.builtFor = builtFor
  }

  /// What the repositories have of a package, as far as pacman has last seen them.
  package enum Offer: Codable, Hashable, Sendable {
    /// Nobody knows.
    case unknown
    /// No repository has it.
    case none
    /// Nothing newer than what is installed.
    case nothingNewer
    /// A newer version.
    case newer(version: String, repository: String)
  }
}

extension SourceOrigin {
  /// What it is and which kernels it is good for, to be said after a failure.
  package var words: String {
    let kernels = builtFor.map(\.description).joined(separator: ", ")
    return "its source is \(package) \(version); "
      + (kernels.isEmpty ? "it is built for no other kernel" : "it is built for \(kernels)")
  }

  /// The command that installs the package again; nil where no repository has it.
  package var reinstallation: String? { offer == .none ? nil : "pacman -S \(package.quotedForShell)" }

  /// What helps, with the command that tries again, as `Remedy` takes it apart.
  ///
  /// A newer version is built when it is installed.
  package func remedy(retrying command: String) -> String {
    let subject = "\(package) \(version)"
    switch offer {
    case .newer(let version, let repository):
      return "upgrade to \(package) \(version), which is in \(repository)\(hold): pacman -Syu"
    case .none:
      return "look where \(subject) came from, such as the AUR, for a newer one, since no repository has it"
        + "\(hold); to try again: \(command)"
    case .nothingNewer:
      return "tell the maintainers of \(subject), of which the repositories have nothing newer\(hold); "
        + "to try again: \(command)"
    case .unknown:
      return "see whether there is something newer than \(subject)\(hold); to try again: \(command)"
    }
  }

  /// How to stay with a kernel that works.
  private var hold: String {
    guard !builtFor.isEmpty, !kernelPackages.isEmpty else { return "" }
    let names = kernelPackages.joined(separator: " ")
    return "; until then, 'IgnorePkg = \(names)' in /etc/pacman.conf holds the kernel"
  }
}
