// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

extension StepRunner {
  /// Writes a kernel's module dependencies anew, or clears them away with the kernel.
  func depmod(_ release: KernelRelease) async throws(DKMSError) -> [String] {
    let directory = layout.kernel(release)
    guard try onFiles({ () throws(HostError) in try Files.isDirectory(directory) }) else { return [] }
    return try await lockedKernel(release) { () throws(DKMSError) in
      if try isOnlyGenerated(directory) {
        try clear(directory)
        return []
      }
      let signs = KernelTree.signs.map(directory.appending) + [layout.bootRecord(release)]
      if try onFiles({ () throws(HostError) in try signs.hasAny(Files.exists) }) {
        try await writeIndex(of: release)
      }
      return []
    }
  }

  /// Notes that the modules of the running kernel stay, and for which boot.
  func keep(_ release: KernelRelease) throws(DKMSError) -> [String] {
    let record = layout.bootRecord(release)
    try onFiles { () throws(HostError) in
      try Files.makeDirectories(record.removingLastComponent())
      try Files.write(Array("\(host.bootIdentifier)\n".utf8), to: record)
    }
    return []
  }

  /// Whether nothing is left of a kernel but what depmod once wrote.
  private func isOnlyGenerated(_ directory: FilePath) throws(DKMSError) -> Bool {
    try onFiles { () throws(HostError) in try Files.list(directory).allSatisfy(KernelRemains.isGenerated) }
  }

  /// Removes the unfinished files of killed depmod runs, and of killed runs of ours.
  private func removeHalfWritten(in directory: FilePath) throws(HostError) {
    for name in try Files.list(directory) {
      if KernelRemains.isStaged(name) {
        try Files.remove(directory.appending(name))
      } else if let writer = KernelRemains.writer(of: name) {
        if !ProcessLauncher.isRunning(writer) { try Files.remove(directory.appending(name)) }
      }
    }
  }

  private func clear(_ directory: FilePath) throws(DKMSError) {
    try onFiles { () throws(HostError) in
      for name in try Files.list(directory) where KernelRemains.isGenerated(name) {
        try Files.remove(directory.appending(name))
      }
    }
    Files.removeEmptyDirectories(from: directory, upTo: layout.installTree)
  }

  /// Lets depmod write its files somewhere else, and puts them in the place of the old ones once they are whole.
  ///
  /// depmod ends well also where it could not open a directory or write a file.
  private func writeIndex(of release: KernelRelease) async throws(DKMSError) {
    let directory = layout.kernel(release)
    try onFiles { () throws(HostError) in
      // depmod would wait for a pipe.
      for name in ["modules.order", "modules.builtin", "modules.builtin.modinfo"] {
        try Files.checkIsFile(directory.appending(name))
      }
    }
    let base = try mirror(of: directory)
    let made = base.path.appending("lib/modules").appending(release.description)
    do {
      try await tool(
        "depmod", ["-b", base.path.string] + symbols(of: release) + ["-a", release.description])
    } catch {
      throw .depmodFailed(release, detail: "\(error)")
    }
    // Modules may have changed since the plan was made.
    let tree = KernelTree(release, in: layout, options: options)
    let flaw = try onFiles { () throws(HostError) in
      try ModuleIndex(of: made, for: directory).contentFlaw(modules: tree.moduleFiles())
    }
    if let flaw {
      throw .depmodFailed(release, detail: "what it wrote is of no use: \(flaw.file): \(flaw.words)")
    }
    try onFiles { () throws(HostError) in try publishIndex(made, in: directory) }
    base.discard()
  }

  /// The symbols of the kernel itself, without which depmod knows only those of modules.
  private func symbols(of release: KernelRelease) throws(DKMSError) -> [String] {
    let system: Set<FilePath> = ["/usr/lib/modules", "/lib/modules"]
    let file = FilePath("/boot/System.map-\(release)")
    guard system.contains(layout.installTree), try onFiles({ () throws(HostError) in try Files.isFile(file) })
    else { return [] }
    return ["-F", file.string]
  }

  /// A base directory in which depmod finds a kernel's modules, by links, and none of its own files.
  ///
  /// depmod looks for `lib/modules` or `usr/lib/modules` there, and follows links. Its option --outdir, which newer
  /// ones have, would spare the links, but not help with an install tree of any other name.
  private func mirror(of directory: FilePath) throws(DKMSError) -> ScratchDirectory {
    do throws(HostError) {
      let base = try ScratchDirectory(in: layout.temporaryDirectory)
      let tree = base.path.appending("lib/modules")
      let kernel = tree.appending(directory.components.suffix(1))
      try Files.makeDirectories(kernel)
      try Files.makeDirectories(base.path.appending("usr/lib"))
      try Files.link(base.path.appending("usr/lib/modules"), to: tree)
      let unseen = ["build", "source"]
      for name in try Files.list(directory) where !KernelRemains.isGenerated(name) && !unseen.contains(name) {
        try Files.link(kernel.appending(name), to: directory.appending(name))
      }
      return base
    } catch { throw DKMSError(error) }
  }

  /// Puts depmod's files in the place of older ones; all are on the disk before the first takes its place.
  private func publishIndex(_ made: FilePath, in directory: FilePath) throws(HostError) {
    try removeHalfWritten(in: directory)
    let names = try Files.list(made).filter(KernelRemains.isIndex)
    let staged = { (name: String) in Files.stagingPath(for: directory.appending(name)) }
    do throws(HostError) {
      for name in names { try Files.copy(made.appending(name), to: staged(name)) }
      for name in names { try Files.rename(staged(name), to: directory.appending(name)) }
      try Files.synchronize(directory)
    } catch {
      for name in names { try? Files.remove(staged(name)) }
      throw error
    }
  }
}

extension StepRunner {
  /// Runs the administrator's command, with its own log.
  ///
  /// Nothing is undone if it fails; the failure is only reported.
  func follow(_ command: String) async throws(DKMSError) -> [String] {
    let path = layout.postTransactionLog()
    // Those for other kernels have written to it before.
    let first = plan.steps.first { if case .follow = $0.step { true } else { false } }?.step
    let log = try BuildLog(
      path, isShared: true, isContinued: first != .follow(command: command), echo: echo)
    let shell = Command(
      "bash", ["-c", command], environment: buildEnvironment, silenceLimit: options.silenceLimit)
    let result = try await log.run("Running the command that follows a transaction", command, shell, on: host)
    if result.isSuccess { return [] }
    if case .silent(let limit) = result.termination {
      return [
        "'\(command)' was stopped because it had printed nothing for \(limit.inWords); the log is \(path)"
      ]
    }
    return ["'\(command)' ended with status \(result.status); the log is \(path)"]
  }

  /// Loads what the devices of this system ask for, as a boot does.
  func loadModules() async throws(DKMSError) -> [String] {
    var warnings: [String] = []
    let aliases = try onFiles { () throws(HostError) in try Self.aliases(below: "/sys/devices") }.sorted()
    let unit = "systemd-modules-load.service"
    // modprobe fails if any alias has no module, which is normal, so only a missing modprobe is reported.
    if !aliases.isEmpty, (try? await host.run(modprobe(aliases))) == nil {
      warnings.append("modprobe cannot be run, so nothing was loaded")
    }
    let unitFile = FilePath("/usr/lib/systemd/system").appending(unit)
    if try onFiles({ () throws(HostError) in try Files.isFile(unitFile) }) {
      do { try await tool("systemctl", ["restart", unit]) } catch { warnings.append("\(error)") }
    }
    return warnings
  }

  private func modprobe(_ aliases: [String]) -> Command {
    Command("modprobe", ["-a", "-b", "-q"] + aliases, environment: buildEnvironment)
  }

  /// What devices say of themselves; links lead to other places in the same tree.
  private static func aliases(below directory: FilePath) throws(HostError) -> Set<String> {
    var aliases: Set<String> = []
    for (name, kind) in try Files.listing(directory) {
      let path = directory.appending(name)
      switch kind {
      case .directory: aliases.formUnion(try Self.aliases(below: path))
      case .file where name == "modalias":
        // A device may go while it is asked.
        if let alias = try? Files.text(path), !alias.isEmpty { aliases.insert(alias) }
      default: break
      }
    }
    return aliases
  }
}
