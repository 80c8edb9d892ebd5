// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// Lets a build work in its own directory although its dkms.conf names one that all builds would share.
///
/// In a mount namespace the own directory lies over the shared path, for everything that the build runs;
/// the built modules then carry one path, too, wherever they were built. Where no namespace can be had,
/// the path is replaced in the command's text.
///
/// In a process namespace nothing that a build starts can outlive it, not even what leaves its process group.
struct BuildSandbox: Sendable {
  /// The options of `unshare`; none where no namespace can be had.
  private let namespaces: [String]

  private static let mounts = ["--mount", "--propagation", "private"]
  private static let processes = ["--pid", "--fork", "--kill-child", "--mount-proc"]

  /// One for builds that need none.
  init() { namespaces = [] }

  init(on host: Host) async {
    // A container may allow one kind of namespace and not the other.
    for options in [Self.mounts + Self.processes, Self.mounts] where host.isRoot {
      let probe = Command("unshare", options + ["true"], environment: host.environment)
      if (try? await host.launcher.run(probe))?.isSuccess == true {
        namespaces = options
        return
      }
    }
    namespaces = []
  }

  /// A shell command that runs in the build directory.
  func shell(
    _ text: String, own: FilePath, shared: FilePath, environment: [String: String],
    descriptors: [CInt: FileDescriptor] = [:]
  ) -> Command {
    guard !namespaces.isEmpty else {
      return Command(
        "bash", ["-c", text.replacing(shared.string, with: own.string)], environment: environment,
        directory: own, descriptors: descriptors)
    }
    return Command(
      "unshare",
      namespaces + ["--", "bash", "-c", Self.enter, "bash", own.string, shared.string, text],
      environment: environment, descriptors: descriptors)
  }

  /// The outer shell stays as the first process of the namespace; signals would not stop a build in that
  /// position.
  private static let enter = #"mount --bind "$1" "$2" && cd "$2" && bash -c "$3"; exit"#
}
