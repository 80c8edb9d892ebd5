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
      let signs = ["modules.order", "modules.dep"].map { directory.appending($0) }
      let hasKernel = try onFiles { () throws(HostError) in
        try (signs + [layout.bootRecord(release)]).hasAny(Files.exists)
      }
      if hasKernel {
        try await runDepmod(release)
        try onFiles { () throws(HostError) in try removeHalfWritten(in: directory) }
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

  /// Removes the unfinished files of killed depmod runs.
  private func removeHalfWritten(in directory: FilePath) throws(HostError) {
    for name in try Files.list(directory) {
      guard let writer = KernelRemains.writer(of: name) else { continue }
      let isRunning = try Files.isDirectory(FilePath("/proc/\(writer)"))
      if !isRunning { try Files.remove(directory.appending(name)) }
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

  private func runDepmod(_ release: KernelRelease) async throws(DKMSError) {
    let system: Set<FilePath> = ["/usr/lib/modules", "/lib/modules"]
    if system.contains(layout.installTree) {
      let symbols = FilePath("/boot/System.map-\(release)")
      let hasSymbols = try onFiles { () throws(HostError) in try Files.isFile(symbols) }
      try await runDepmod(release, hasSymbols ? ["-F", symbols.string] : [])
    } else {
      let base = try temporaryBase(for: layout.installTree)
      try await runDepmod(release, ["-b", base.path.string])
      base.discard()
    }
  }

  private func runDepmod(_ release: KernelRelease, _ arguments: [String]) async throws(DKMSError) {
    try onFiles { () throws(HostError) in
      // depmod would wait for a pipe.
      for name in ["modules.order", "modules.builtin", "modules.builtin.modinfo"] {
        try Files.checkIsFile(layout.kernel(release).appending(name))
      }
    }
    do {
      try await tool("depmod", arguments + ["-a", release.description])
    } catch {
      throw .depmodFailed(release, detail: "\(error)")
    }
  }

  /// depmod looks for `lib/modules` below its base directory; this makes such a base for a tree with any
  /// other name.
  private func temporaryBase(for installTree: FilePath) throws(DKMSError) -> ScratchDirectory {
    do throws(HostError) {
      let base = try ScratchDirectory(in: layout.temporaryDirectory)
      for prefix in ["lib", "usr/lib"] {
        let directory = base.path.appending(FilePath(prefix).components)
        try Files.makeDirectories(directory)
        try Files.link(directory.appending("modules"), to: installTree)
      }
      return base
    } catch { throw DKMSError(error) }
  }
}

extension StepRunner {
  /// Runs the administrator's command, with its own log.
  ///
  /// Nothing is undone if it fails; the failure is only reported.
  func follow(_ command: String) async throws(DKMSError) -> [String] {
    let path = layout.postTransactionLog()
    let log = try BuildLog(path, echo: echo)
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
