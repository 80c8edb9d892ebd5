// SPDX-License-Identifier: GPL-2.0-or-later

internal import Host
internal import SystemPackage

/// Lets a build work in a directory of its own while its dkms.conf names the one that all would share.
///
/// In a mount namespace the own directory lies over the shared path, for everything that the build runs;
/// the built modules then carry one path, too, wherever they were built. Where no namespace can be had,
/// the path is replaced in the command's text.
struct BuildSandbox: Sendable {
  private let hasNamespaces: Bool

  /// One for builds that need none.
  init() { hasNamespaces = false }

  init(on host: Host) async {
    guard host.isRoot else {
      hasNamespaces = false
      return
    }
    let probe = Command(
      "unshare", ["--mount", "--propagation", "private", "true"], environment: host.environment)
    hasNamespaces = (try? await host.launcher.run(probe))?.isSuccess == true
  }

  /// Where commands of the build find their directory.
  func visibleDirectory(own: FilePath, shared: FilePath) -> FilePath {
    hasNamespaces ? shared : own
  }

  /// A shell command that runs in the build directory.
  func shell(
    _ text: String, own: FilePath, shared: FilePath, environment: [String: String],
    descriptors: [CInt: FileDescriptor] = [:]
  ) -> Command {
    guard hasNamespaces else {
      return Command(
        "bash", ["-c", text.replacing(shared.string, with: own.string)], environment: environment,
        directory: own, descriptors: descriptors)
    }
    return Command(
      "unshare",
      [
        "--mount", "--propagation", "private", "--", "bash", "-c", Self.enter, "bash", own.string,
        shared.string, text,
      ],
      environment: environment, descriptors: descriptors)
  }

  private static let enter = #"mount --bind "$1" "$2" && cd "$2" && exec bash -c "$3""#
}
