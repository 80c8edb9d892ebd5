// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import Maintenance

/// What verify and doctor exit with.
private let exitStatuses = """
  Exits with 0 when nothing is wrong, with 1 when only optional things are, with 2 when a kernel or something else is \
  degraded, with 3 when a kernel is blocked, and with 4 when something could not be looked at.
  """

/// Says of each kernel whether its modules and images are as they should be.
struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say of each kernel whether its modules and images are as they should be.",
    discussion: """
      Looks at what is on the disk: modules, their vermagic and signatures, modules.dep, initramfs images. \
      \(exitStatuses)
      """)

  @Flag(help: "Print JSON, for programs.")
  var json = false

  @Flag(name: .shortAndLong, help: "Also say which modules a kernel rightly goes without.")
  var verbose = false

  @Argument(
    help: "Releases of the kernels to judge; by default, all installed kernels.", completion: .kernels)
  var kernels: [String] = []

  func run() {
    VerifyCommand(kernels: kernels, printsJSON: json, isVerbose: verbose).main()
  }
}

/// Says what is wrong with a system.
struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say what is wrong with modules, kernels, hooks and settings, and how to fix it.",
    discussion: """
      Changes nothing without --fix. Each problem comes with its reason and with what fixes it. \
      \(exitStatuses)
      """)

  @Flag(help: "Fix what is safe to fix, after showing it. Needs root.")
  var fix = false

  @Flag(name: .shortAndLong, help: "Do not ask before fixing.")
  var yes = false

  @Flag(help: "Print JSON, for programs.")
  var json = false

  func run() {
    DoctorCommand(fixes: fix, isAgreed: yes, printsJSON: json).main()
  }
}

/// Finishes what an interrupted transaction left undone.
struct Reconcile: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Finish what an interrupted transaction left undone.",
    discussion: """
      Does what the hooks would do if a transaction had just touched every kernel: builds and installs what is \
      missing, removes what has lost its source or its kernel, and rebuilds stale initramfs images. What is already \
      as it should be is left alone. Needs root.
      """)

  @Flag(help: "Print JSON, for programs.")
  var json = false

  func run() {
    ReconcileCommand(printsJSON: json).main()
  }
}

/// Rebuilds stale images, or says what state each is in.
struct Initramfs: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Rebuild stale initramfs images, or say what state each image is in.",
    discussion: """
      An image is stale when a kernel module in it differs from the installed one or is no longer installed, or when \
      the image lacks a module that the generator's configuration asks for. Making images needs root. Exits with \
      status 0 when every image is as it should be, and with 1 otherwise.
      """)

  @Flag(help: "Say whether each image is fresh, if not why, and which modules are in it; make nothing.")
  var explain = false

  @Flag(help: "Print JSON, for programs.")
  var json = false

  @Argument(
    help: "Releases of the kernels whose images to look at; by default, all installed kernels.",
    completion: .kernels)
  var kernels: [String] = []

  func run() {
    InitramfsCommand(kernels: kernels, explains: explain, printsJSON: json).main()
  }
}

/// Removes what no package owns and no kernel needs.
struct Prune: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List what no package owns and no kernel needs, and remove it on request.",
    discussion: """
      Lists each item with its size: remains of kernels that are gone, builds for them, leftovers of killed runs. \
      Nothing is removed unless you say yes at the terminal or give --yes. Removing needs root.
      """)

  @Flag(name: .shortAndLong, help: "Remove without asking.")
  var yes = false

  @Flag(help: .hidden)
  var fix = false

  @Flag(help: "Print JSON, for programs.")
  var json = false

  func validate() throws {
    if fix { throw ValidationError("prune needs no --fix: it asks whether to remove what it has listed") }
  }

  func run() {
    PruneCommand(isAgreed: yes, printsJSON: json).main()
  }
}

/// Lists the builds in the cache, or drops some.
struct Cache: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the builds that are kept to be used again, drop damaged ones, or all.",
    discussion: """
      Each line shows how much room a build takes, what it is, and when it was last used. What is installed does not \
      depend on any of it. Needs root.
      """)

  @Flag(help: "Read every file, and drop builds that are damaged.")
  var verify = false

  @Flag(help: "Drop all of them.")
  var clear = false

  @Flag(help: "Print JSON, for programs.")
  var json = false

  func validate() throws {
    if verify && clear { throw ValidationError("--verify and --clear exclude each other") }
  }

  func run() {
    CacheCommand(clear ? .clear : verify ? .verify : .list, printsJSON: json).main()
  }
}
