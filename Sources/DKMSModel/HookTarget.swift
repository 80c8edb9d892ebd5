// SPDX-License-Identifier: GPL-2.0-or-later

/// A line that pacman hands to a hook: a path or a package that a transaction touches.
///
/// The line does not say whether the thing was installed, changed or removed.
public enum HookTarget: Hashable, Sendable {
  /// A module's dkms.conf; the name of its directory in the source tree.
  case moduleSource(directory: String)
  /// Something of a kernel itself.
  case kernel(KernelRelease)
  /// The headers of a kernel.
  case headers(KernelRelease)
  /// A package.
  case package(String)
  /// A file of this suite, named by hooks that fire when the suite comes or goes.
  case suite

  /// Understands a line; nil where it is none of these.
  public init?(line: String) {
    let parts = line.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    switch parts.count {
    case 1:
      guard !line.isEmpty, !line.contains(where: \.isWhitespace) else { return nil }
      self = .package(line)
    case 4 where parts.starts(with: ["usr", "src"]) && parts[3] == "dkms.conf" && !parts[2].isEmpty:
      self = .moduleSource(directory: parts[2])
    case 4... where parts.starts(with: ["usr", "lib", "modules"]):
      guard let target = Self.inKernelDirectory(parts[3], rest: Array(parts.dropFirst(4))) else { return nil }
      self = target
    case 4 where parts.starts(with: ["usr", "lib", "alpm-dkms"]):
      self = .suite
    default:
      return nil
    }
  }

  private static func inKernelDirectory(_ name: String, rest: [String]) -> HookTarget? {
    guard let release = try? KernelRelease(name) else { return nil }
    if rest == ["build", "include", ""] { return .headers(release) }
    let isOfKernel =
      rest.count == 1 && ["modules.order", "modules.alias", "vmlinuz", "pkgbase"].contains(rest[0])
    return isOfKernel ? .kernel(release) : nil
  }
}
