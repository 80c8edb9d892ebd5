// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSModel

/// One thing that is wrong with a system, and the one command that fixes it.
package struct DoctorFinding: Hashable, Sendable {
  /// What sort of thing it is.
  package let kind: Kind
  /// What it is about: a kernel, a module version, or a file.
  package let object: String
  /// The kernel for which something is wrong with it; nil where it is the same for all, or the object itself.
  package let kernel: KernelRelease?
  /// What is wrong.
  package let reason: String
  /// The command that fixes it, or what to do first; nil where that is not known.
  package let remedy: String?
  /// What fixes it without any risk; nil where a person has to decide.
  package let repair: Repair?

  /// Makes a finding; where it can be fixed safely, the remedy is the repair in words.
  package init(
    _ kind: Kind, _ object: String, for kernel: KernelRelease? = nil, _ reason: String,
    remedy: String? = nil, repair: Repair? = nil
  ) {
    self.kind = kind
    self.object = object
    self.kernel = kernel
    self.reason = reason
    self.remedy = remedy ?? repair?.command
    self.repair = repair
  }

  /// What it is about, with the kernel.
  package var subject: String { object + (kernel.map { " for \($0)" } ?? "") }

  /// Whether it can be fixed without any risk.
  package var isSafe: Bool { repair != nil }

  /// What sort of thing is wrong; the raw values are read by programs.
  package enum Kind: String, Hashable, Sendable, CaseIterable {
    /// A kernel without its headers, for which modules are registered.
    case headersMissing = "headers_missing"
    /// A kernel that no package owns, or what is left of it.
    case orphanedKernel = "orphaned_kernel"
    /// Something was built for a kernel that is gone.
    case staleBuild = "stale_build"
    /// A registered module whose `source` leads nowhere.
    case danglingSource = "dangling_source"
    /// A file among the installed modules that comes from no build.
    case strayFile = "foreign_file"
    /// Something that a killed run has left half made.
    case halfMade = "half_made"
    /// Something old that is not registered and not used.
    case leftover
    /// What depmod wrote is damaged, or does not know the modules that are there.
    case staleDependencies = "stale_dependencies"
    /// A module that was built for another kernel of the same release.
    case staleFingerprint = "stale_fingerprint"
    /// An initramfs image that does not hold what is installed.
    case staleImage = "stale_image"
    /// A file that boot loaders take for an installed kernel, and that is another one.
    case strayKernel = "stray_kernel"
    /// An initramfs image that could not be looked at.
    case unknownImage = "unknown_image"
    /// A file of settings that cannot be read or understood.
    case configuration
    /// A package of which pacman's database does not tell what it owns.
    case damagedFileList = "damaged_file_list"
    /// Something that others than root can change, and that root runs, compiles or loads.
    case openSource = "open_source"
    /// A hook of this suite that does not run.
    case hook
    /// A signing key without its certificate, or the other way round.
    case keyPair = "key_pair"
    /// Something that a look at the disk failed on.
    case failedLook = "failed_look"
    /// A module that is missing, old, or not what it should be.
    case module

    /// What people read.
    package var words: String {
      switch self {
      case .headersMissing: "headers missing"
      case .orphanedKernel: "orphaned kernel"
      case .staleBuild: "stale build"
      case .danglingSource: "source missing"
      case .strayFile: "foreign file"
      case .halfMade: "half made"
      case .leftover: "leftover"
      case .staleDependencies: "unusable module dependencies"
      case .staleFingerprint: "built for another kernel"
      case .staleImage: "stale image"
      case .strayKernel: "another kernel in its place"
      case .unknownImage: "unknown image"
      case .configuration: "unusable settings"
      case .damagedFileList: "damaged file list"
      case .openSource: "not trusted"
      case .hook: "hook does not run"
      case .keyPair: "half a key pair"
      case .failedLook: "cannot be looked at"
      case .module: "module not as it should be"
      }
    }
  }

  /// Something that can be done without any risk.
  package enum Repair: Hashable, Sendable {
    /// Writes modules.dep anew.
    case depmod(KernelRelease)
    /// Leaves the right to write to a file, or to a directory and all in it, to its owner.
    case denyOthers(path: String, command: String)
    /// Removes what no package owns and no kernel needs.
    case prune(path: String)
    /// Removes the registration of a module that has neither source nor builds.
    case forget(path: String)

    /// The command that does the same.
    package var command: String {
      switch self {
      case .depmod(let release): "depmod \(release)"
      case .denyOthers(_, let command): command
      case .prune: "alpm-dkms prune"
      case .forget(let path):
        // Its directory would be a finding of its own when nothing is left in it.
        "rm -r \(path.quotedForShell) && rmdir --ignore-fail-on-non-empty \(path.parent.quotedForShell)"
      }
    }
  }
}

extension String {
  /// The path without its last name.
  fileprivate var parent: String {
    lastIndex(of: "/").map { String(self[..<$0]) } ?? "."
  }
}
