// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel

/// An option of `dkms`, with all that the parser, the help, the completions and the manual page have to know of it.
package struct Option: Sendable {
  /// What follows an option.
  package struct Value: Sendable {
    /// What it stands for, which decides what completions offer.
    package enum Kind: String, Sendable {
      case module, version, kernel, architecture, number, assignment, file, directory
      /// A kernel that modules are installed for.
      case template
    }

    package let kind: Kind
    /// How help and manual page call it: `RELEASE[/ARCH]`.
    package let name: String
    /// Whether an empty value is accepted and means the default: scripts pass variables that may be empty.
    let mayBeEmpty: Bool

    static func some(_ kind: Kind, _ name: String, mayBeEmpty: Bool = false) -> Value {
      Value(kind: kind, name: name, mayBeEmpty: mayBeEmpty)
    }
  }

  /// What an option does: it changes the arguments, given its value (empty if it takes none) and its name as
  /// it was typed.
  typealias Effect =
    @Sendable (_ arguments: inout Arguments, _ value: String, _ name: String) throws(UsageError) -> Void

  /// Its spellings, each with its dashes; the short one first.
  package let names: [String]
  /// What follows it; nil of a switch.
  package let value: Value?
  /// What `--help` and completions say: half a line.
  package let summary: String
  /// What the manual page says, in the marks that `Markup` knows.
  package let manual: String
  /// The actions for which completions offer it.
  ///
  /// The other actions accept and ignore it.
  package let actions: [Action]
  /// Whether it counts each time that it is given.
  package let isRepeatable: Bool
  /// Whether it is only accepted: neither help nor completions name it.
  package let isDeprecated: Bool
  let effect: Effect

  init(
    _ names: [String], takes value: Value? = nil, for actions: [Action] = Action.allCases,
    isRepeatable: Bool = false, isDeprecated: Bool = false, _ summary: String, manual: String? = nil,
    _ effect: @escaping Effect
  ) {
    self.names = names
    self.value = value
    self.summary = summary
    self.manual = manual ?? Self.sentence(summary, for: actions)
    self.actions = actions
    self.isRepeatable = isRepeatable
    self.isDeprecated = isDeprecated
    self.effect = effect
  }

  /// The option of a name.
  package static func named(_ name: String) -> Option? { table.first { $0.names.contains(name) } }

  /// What `--help` says of it.
  var helpLine: String {
    let isOfOneAction = actions.count == 1
    let prefix = isOfOneAction ? "\(actions[0].rawValue): " : ""
    return prefix + summary + (isRepeatable ? "; may be repeated" : "")
  }

  private static func sentence(_ summary: String, for actions: [Action]) -> String {
    if actions.count == 1 { return "With `\(actions[0].rawValue)`: \(summary)." }
    return "\(summary.prefix(1).uppercased())\(summary.dropFirst())."
  }
}

extension Option {
  /// Every option, in the order of the help.
  package static let table: [Option] = [
    // MARK: Modules and kernels
    Option(
      ["-m", "--module"], takes: .some(.module, "MODULE[/VERSION]", mayBeEmpty: true),
      for: Action.ofOneModule,
      "the module, instead of a bare MODULE/VERSION",
      manual: "The module, instead of the bare word."
    ) { arguments, value, _ in arguments.takeModule(value) },
    Option(
      ["-v"], takes: .some(.version, "VERSION", mayBeEmpty: true), for: Action.ofOneModule,
      "the module's version"
    ) { arguments, value, _ in arguments.version = value },
    Option(
      ["-k", "--kernelver"], takes: .some(.kernel, "KERNEL[/ARCH]", mayBeEmpty: true), for: Action.ofKernels,
      isRepeatable: true, "the kernel; by default the running one",
      manual: "The kernel, and optionally its architecture."
    ) { arguments, value, _ in arguments.takeKernel(value) },
    Option(
      ["-a", "--arch"], takes: .some(.architecture, "ARCH", mayBeEmpty: true), for: Action.ofKernels,
      isRepeatable: true, "its architecture, for one or for every -k",
      manual: """
        The architecture of all kernels or, when repeated as often as `-k`, of each.
        The default is that of the machine.
        """
    ) { arguments, value, _ in arguments.architectures.append(value) },
    Option(
      ["--all"], for: [.build, .unbuild, .install, .uninstall, .remove, .mktarball],
      "every kernel it is built for; build, install: every kernel there is",
      manual: """
        Every kernel that the module is built for; with `build` and `install` every kernel there is.
        """
    ) { arguments, _, _ in arguments.isAll = true },
    Option(
      ["--templatekernel"], takes: .some(.template, "KERNEL", mayBeEmpty: true), for: [.match],
      "the kernel to go by"
    ) { arguments, value, _ in arguments.templateKernel = value.isEmpty ? nil : value },

    // MARK: What is done in spite of what
    Option(
      ["--force"], for: Action.thatBuild + [.add, .remove, .ldtarball],
      "do it again, or in spite of what stands in the way",
      manual: """
        Do it again, or in spite of a missing dependency, a refusing script or a newer module.
        With `remove`: also a module that has lost its source.
        """
    ) { arguments, _, _ in arguments.isForced = true },
    Option(
      ["--force-version-override"], for: Action.thatInstall,
      "install it even if the kernel has a newer one",
      manual: "Install a module even if the kernel has a newer one of that name."
    ) { arguments, _, _ in arguments.overridesVersions = true },
    Option(
      ["--dry-run"], for: Action.allCases.filter { $0 != .status },
      "print what would be done, and do nothing",
      manual: """
        Print what would be done, each step with its reason, and do nothing.
        Every action except `status` has it.
        """
    ) { arguments, _, _ in arguments.isDryRun = true },

    // MARK: How it is built
    Option(
      ["-j"], takes: .some(.number, "NUMBER", mayBeEmpty: true), for: Action.thatBuild,
      "jobs at once; 0: no limit",
      manual: """
        How many jobs run at once, in all builds together; 0 for no limit.
        Without it, JOBS below says how many there are.
        """
    ) { arguments, value, name throws(UsageError) in try arguments.takeJobs(value, name) },
    Option(
      ["-c"], takes: .some(.file, "FILE", mayBeEmpty: true), for: [.add, .build, .install, .mktarball],
      "a dkms.conf instead of the module's own",
      manual: "Read this file instead of the module's own `dkms.conf`."
    ) { arguments, value, _ in arguments.configuration = value.isEmpty ? nil : arguments.path(value) },
    Option(
      ["--directive"], takes: .some(.assignment, "NAME=VALUE"), for: Action.thatBuild + [.add],
      isRepeatable: true,
      "a value that overrides every dkms.conf",
      manual: "Set a directive, overriding every `dkms.conf`."
    ) { arguments, value, _ in arguments.directives.append(value) },
    Option(
      ["--config"], takes: .some(.file, "FILE"), for: Action.thatBuild,
      "the kernel's configuration, if elsewhere",
      manual: "The configuration of the kernel, if it is not with the headers."
    ) { arguments, value, _ in arguments.kernelConfiguration = arguments.path(value) },
    Option(
      ["--kernelsourcedir"], takes: .some(.directory, "DIRECTORY"), for: Action.thatBuild,
      "the kernel's headers, if elsewhere",
      manual: "The headers of the kernel, if they are not at `build/` in its module directory."
    ) { arguments, value, _ in arguments.kernelSourceDirectory = arguments.path(value) },

    // MARK: Where things are
    Option(["--dkmstree"], takes: .some(.directory, "DIRECTORY"), "instead of /var/lib/dkms") {
      arguments, value, _ in arguments.dkmsTree = arguments.path(value)
    },
    Option(["--sourcetree"], takes: .some(.directory, "DIRECTORY"), "instead of /usr/src") {
      arguments, value, _ in arguments.sourceTree = arguments.path(value)
    },
    Option(["--installtree"], takes: .some(.directory, "DIRECTORY"), "instead of /usr/lib/modules") {
      arguments, value, _ in arguments.installTree = arguments.path(value)
    },
    Option(
      ["--archive"], takes: .some(.file, "FILE", mayBeEmpty: true), for: [.add, .mktarball, .ldtarball],
      "the tarball to write or to load"
    ) { arguments, value, _ in arguments.takeArchive(value) },
    Option(["--source-only"], for: [.mktarball], "without what was built") {
      arguments, _, _ throws(UsageError) in try arguments.choose(.sourceOnly)
    },
    Option(["--binaries-only"], for: [.mktarball], "without the source") {
      arguments, _, _ throws(UsageError) in try arguments.choose(.buildsOnly)
    },

    // MARK: How it is installed
    Option(
      ["--no-depmod"],
      for: Action.thatInstall + [.unbuild, .uninstall, .remove, .beforeKernelInstall, .beforeKernelRemoval],
      "leave updating modules.dep to the caller",
      manual: "Do not update the kernel's module dependencies; the caller will."
    ) { arguments, _, _ in arguments.skipsDepmod = true },
    Option(
      ["--symlink-modules"], for: Action.thatInstall, "install links to what was built, not copies"
    ) { arguments, _, _ in arguments.linksModules = true },
    Option(
      ["--modprobe-on-install"], for: Action.thatInstall, "load what was installed for the running kernel",
      manual: "Load what was installed, if it was for the running kernel."
    ) { arguments, _, _ in arguments.probesModules = true },
    Option(
      ["--rpm_safe_upgrade"], for: [.add, .install, .remove],
      "a package manager adds the new version before it removes the old",
      manual: """
        For package managers that add the new version of a package before they remove the old one: `remove` does
        nothing when the same process has just added that very module.
        """
    ) { arguments, _, _ in arguments.isSafeUpgrade = true },

    // MARK: What is said
    Option(
      ["--json"], for: [.status], "print JSON for programs, with more than the text says",
      manual: """
        With `status`: print a JSON document that says everything the lines say and more, such as whether headers are
        present, why a kernel has no build, and where the logs are.
        It carries the number of its schema; members may be added, but under the same number none is removed or changed.
        alpm-dkms-json(5) describes it.
        """
    ) { arguments, _, _ in arguments.isJSON = true },
    Option(["-q", "--quiet"], "print nothing") { arguments, _, _ in arguments.isQuiet = true },
    Option(["--verbose", "--debug"], "print which programs are run") {
      arguments, _, _ in arguments.isVerbose = true
    },
    Option(
      ["-V", "--version"], "the version of dkms that scripts find here, and our own",
      manual: "Print the version of the reference that scripts find here and, on a second line, our own."
    ) { arguments, _, _ in arguments.request = .version },
    Option(["-h", "--help"], "print the actions and options") {
      arguments, _, _ in arguments.request = .help
    },

    // MARK: Accepted, without effect
    Option(["--no-initrd", "--no-clean-kernel", "--no-prepare-kernel"], isDeprecated: true, "no effect") {
      arguments, _, name in arguments.remarks.append("\(name) is deprecated and has no effect")
    },
  ]
}

extension Action {
  fileprivate static let ofOneModule: [Action] = [
    .add, .build, .install, .uninstall, .unbuild, .remove, .status, .match, .mktarball,
  ]
  fileprivate static let ofKernels = allCases.filter { ![.add, .ldtarball, .generateKeys].contains($0) }
  fileprivate static let thatInstall: [Action] = [.install, .autoinstall, .match, .afterKernelInstall]
  fileprivate static let thatBuild: [Action] = [.build] + thatInstall
}
