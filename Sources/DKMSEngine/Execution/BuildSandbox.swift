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

  /// Makes a sandbox without namespaces, for builds that need none.
  init() { namespaces = [] }

  init(on host: Host, confined: Bool = false) async {
    // Confinement takes these namespaces and more, and has been tried already.
    if confined {
      namespaces = Self.mounts + Self.processes
      return
    }
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

  /// A shell command that runs in a build directory, and sees other directories at their shared paths.
  func shell(
    _ text: String, in build: BuildView, seeing others: [BuildView] = [], environment: [String: String],
    descriptors: [CInt: FileDescriptor] = [:]
  ) -> Command {
    guard !namespaces.isEmpty else {
      return Command(
        "bash", ["-c", text.replacing(build.place.string, with: build.own.string)], environment: environment,
        directory: build.own, descriptors: descriptors)
    }
    let views = ([build] + others).flatMap { [$0.own.string, $0.place.string] }
    return Command(
      "unshare",
      namespaces + ["--", "bash", "-c", Self.enter, "bash", build.place.string, text] + views,
      environment: environment, descriptors: descriptors)
  }

  /// The outer shell stays as the first process of the namespace; signals would not stop a build in that
  /// position.
  private static let enter = #"""
    place=$1 text=$2
    shift 2
    while (( $# )); do mount --bind "$1" "$2" || exit; shift 2; done
    cd "$place" && bash -c "$text"; exit
    """#
}

/// What a build and its scripts are told of the world: the toolchain, and what the administrator's file exports.
struct BuildSurroundings {
  let environment: [String: String]
  let toolchain: KernelToolchain

  /// Reads the file, if there is to be one, over the caller's environment and the kernel's toolchain.
  init(
    for kernel: KernelTree, over environment: [String: String], _ options: BuildOptions, on host: Host
  ) async throws(DKMSError) {
    let toolchain = try onFiles { () throws(HostError) in
      try KernelToolchain(of: kernel, path: ProgramPath(environment))
    }
    let plain = environment.merging(toolchain.variables) { $1 }
    guard let file = options.buildEnvironment?.value(for: kernel.release.description) else {
      self.environment = plain
      self.toolchain = toolchain
      return
    }
    var exported = try await BashEvaluator(host: host).exports(
      of: FilePath(file), over: plain, variables: ["kernelver": kernel.release.description])
    // It may choose other compilers by setting PATH, or by naming them.
    self.toolchain = try onFiles { [exported] () throws(HostError) in
      try KernelToolchain(of: kernel, path: ProgramPath(exported))
    }
    for (name, value) in self.toolchain.variables where exported[name] == plain[name] {
      exported[name] = value
    }
    self.environment = exported
  }

  /// `MAKEFLAGS` for every make of the build: how it shares jobs, and what its Makefiles must not set otherwise.
  ///
  /// Arguments appended to the build command would only reach the last of its commands, which need not be a
  /// make.
  func makeFlags(_ jobServer: JobServer?) -> String? {
    let variables = toolchain.strongVariables.compactMap { name in
      environment[name].map { "\(name)=\(Self.escaped($0))" }
    }
    let flags =
      (jobServer.map { [$0.makeFlags] } ?? []) + (variables.isEmpty ? [] : ["--"] + variables)
    return flags.isEmpty ? nil : flags.joined(separator: " ")
  }

  /// A value as make writes it there.
  private static func escaped(_ value: String) -> String {
    value.map { character in
      switch character {
      case "\\", " ", "\t": "\\\(character)"
      case "$": "$$"
      default: "\(character)"
      }
    }.joined()
  }
}

/// Whether the builds of a module may write to its source directory, where builds for several kernels would
/// meet.
///
/// A build has its own directory, but a command or script that names the source can write there instead. A
/// false alarm only costs time: the module is then built for one kernel after another.
struct SourceReach {
  private let layout: Layout

  init(in layout: Layout) { self.layout = layout }

  /// Whether builds may; the scripts are those in this directory, from which the module will be built.
  func isPossible(for configuration: ModuleConfiguration, from source: FilePath) -> Bool {
    let id = configuration.id
    let names = [layout.source(id), layout.sourceLink(id)].map(\.string)
    let commands = [configuration.makeCommand] + configuration.scripts.values
    if commands.contains(where: { command in names.contains(where: command.contains) }) { return true }
    // A script puts the name together from its parts.
    let beginnings = ["\(layout.sourceTree)/\(id.name)", "\(layout.sourceTree)/$", "source_tree"]
    return scripts(of: configuration, in: source).contains { text in
      (names + beginnings).contains(where: text.contains)
    }
  }

  private func scripts(of configuration: ModuleConfiguration, in source: FilePath) -> [String] {
    let directories = [layout.administration(of: configuration.id), source]
    return configuration.scripts.values.flatMap { command in
      let name = command.split(separator: " ").first.map(String.init) ?? ""
      return directories.compactMap { directory in
        try? Files.read(directory.appending(FilePath(name).components), upTo: Self.limit)
      }.map { String(decoding: $0, as: UTF8.self) }
    }
  }

  /// Larger than any script; a program may be larger still, and its text tells nothing.
  private static let limit = 1 << 16
}
