// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSModel
internal import Glibc
package import Host
internal import SystemPackage

/// A log of commands: one block for each, with what it printed.
struct BuildLog: ~Copyable {
  let path: FilePath
  private let descriptor: FileDescriptor
  private let echo: Console?

  /// Opens a log; `echo` is told of each command that is run.
  ///
  /// A shared log may be created by another run at the same time; one that is not continued is removed first.
  init(
    _ path: FilePath, isShared: Bool = false, isContinued: Bool = false, echo: Console?
  ) throws(DKMSError) {
    self.path = path
    self.echo = echo
    do {
      // What is there may be a pipe or a link out of the build, if it came with a source.
      if !isContinued { try Files.remove(path) }
      descriptor = try FileDescriptor.open(
        path, .writeOnly,
        options: [.create, isShared ? .noFollow : .exclusiveCreate, .append, .closeOnExec],
        permissions: .everyoneReads)
    } catch let error as HostError {
      throw DKMSError(error)
    } catch {
      let reason = error as? Errno ?? .ioError
      throw DKMSError(HostError("write", path, reason))
    }
  }

  /// Begins the log of a build, at a time in seconds since 1970.
  func writeHeader(of id: ModuleID, _ kernel: Kernel, at time: Int) {
    write("DKMS (dkms-\(Reference.version)) make.log for \(id) for kernel \(kernel)")
    write(Self.date(time))
  }

  /// Says under which conditions a build runs, which explain some of its failures.
  func writeNote(on confinement: Confinement) {
    write("Built as \(confinement.user.name), without network; only the build directory can be written to")
  }

  /// Says that nothing was compiled, and repeats the log of the build whose modules are used.
  func quote(_ log: [UInt8]) {
    write("The modules come from the cache; this is the log of their build:\n")
    _ = try? descriptor.writeAll(log)
  }

  deinit { try? descriptor.close() }

  /// Runs a command with its output in a block of its own.
  func run(
    _ title: String, _ text: String, _ command: Command, on host: Host
  ) async throws(DKMSError) -> CommandResult {
    write("\n\(title)\n\(TellingError.commandMark)\(text)")
    echo?.print("# \(text)")
    var command = command
    command.output = .appended(descriptor)
    let start = host.now()
    let result = try await host.run(command)
    let cause: String? =
      switch result.termination {
      case .silent(let limit): "had printed nothing for \(limit.inWords)"
      case .timedOut: command.timeLimit.map { "had run for \($0.inWords)" }
      case .crowded: "wanted more processes than it may have"
      case .tooLoud(let limit): "had printed more than \(limit >> 20) MiB"
      case .exited, .signalled: nil
      }
    if let cause { write("\n# stopped because it \(cause)") }
    write("\n\(TellingError.exitMark)\(result.status)")
    write("# elapsed time: \(Self.clock(host.now() - start))")
    write(String(repeating: "-", count: 64))
    return result
  }

  private func write(_ text: String) {
    // Errors while writing are ignored: a full disk makes the build fail, too, and that is the error to
    // report.
    _ = try? descriptor.writeAll(Array("\(text)\n".utf8))
  }

  private static func clock(_ seconds: Int) -> String {
    [seconds / 3600, seconds / 60 % 60, seconds % 60]
      .map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
  }

  private static func date(_ time: Int) -> String {
    var seconds = time_t(time)
    var parts = tm()
    localtime_r(&seconds, &parts)
    var text = [CChar](repeating: 0, count: 64)
    strftime(&text, text.count, "%a %b %e %H:%M:%S %Z %Y", &parts)
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// How much of a log is searched for an error, in bytes; a build that goes wrong prints less.
  private static let searchLimit = 16 << 20
  /// How much of a line is told, in characters.
  private static let lineLimit = 500

  /// The line of a log that says what went wrong, for people.
  static func tellingError(in path: FilePath, buildDirectories: [FilePath]) -> String? {
    guard let bytes = try? Files.read(path, upTo: searchLimit) else { return nil }
    let lines = bytes.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
    return TellingError(in: lines).line.map { line in
      let short = buildDirectories.reduce(line) { $0.replacing("\($1)/", with: "") }
      return String(short.prefix(lineLimit)).replacing("\t", with: " ").withVisibleControls
    }
  }
}

/// The record of failed builds: their logs and what was said of them, which stay until the build succeeds.
///
/// A build that succeeds removes what the one before has left, and a module takes its records with it when it goes.
package struct FailureRecord {
  private let layout: Layout

  package init(_ layout: Layout) { self.layout = layout }

  /// The last build of a module version for a kernel, if that failed.
  ///
  /// - Throws: `HostError` where a look failed.
  package func failure(of id: ModuleID, _ kernel: Kernel) throws(HostError) -> FailedBuild? {
    let log = layout.failureLog(id, kernel)
    let reason = try Files.text(reasonFile(id, kernel))
    guard try Files.isFile(log) else {
      return reason.map { FailedBuild(log: nil, firstError: nil, reason: $0) }
    }
    let directories = [layout.staging(id, kernel, "build"), layout.build(id)]
    let error = BuildLog.tellingError(in: log, buildDirectories: directories)
    return FailedBuild(log: log.string, firstError: error, reason: reason)
  }

  /// Adds a failed build to the record: its log, if there is one, and the reason.
  ///
  /// - Throws: `HostError`, also where the task is cancelled.
  func note(_ log: FilePath, _ error: DKMSError, of id: ModuleID, _ kernel: Kernel) async throws(HostError) {
    let reason = error.reason(of: id, for: kernel)
    let beginning = "the build "
    let words =
      reason.hasPrefix(beginning)
      ? "its build \(reason.dropFirst(beginning.utf8.count))" : "it was not built: \(reason)"
    try await change(id) { () throws(HostError) in
      let kept = layout.failureLog(id, kernel)
      try Files.makeDirectories(kept.removingLastComponent())
      // The older log would say something else.
      try Files.remove(kept)
      // The reason comes first: it needs less room, and tells most where there is none left.
      try Files.write(Array("\(words)\n".utf8), to: reasonFile(id, kernel))
      if try Files.isFile(log) { try Files.copy(log, to: kept) }
    }
  }

  /// Adds an installation that failed.
  ///
  /// - Throws: `HostError`, also where the task is cancelled.
  func note(installation error: DKMSError, of id: ModuleID, _ kernel: Kernel) async throws(HostError) {
    let words = "it is built but not installed: \(error.reason(of: id, for: kernel))"
    try await change(id) { () throws(HostError) in
      let file = reasonFile(id, kernel)
      try Files.makeDirectories(file.removingLastComponent())
      try Files.write(Array("\(words)\n".utf8), to: file)
    }
  }

  /// Takes a failure without a log off the record, since the module is installed.
  ///
  /// - Throws: `HostError`, also where the task is cancelled.
  func forgetInstallation(_ id: ModuleID, _ kernel: Kernel) async throws(HostError) {
    if try holdsInstallation(of: id, kernel) { try await forget(id, kernel) }
  }

  /// Whether the last installation failed, and not the build before it, which would have left a log.
  func holdsInstallation(of id: ModuleID, _ kernel: Kernel) throws(HostError) -> Bool {
    guard try Files.exists(reasonFile(id, kernel)) else { return false }
    return try !Files.exists(layout.failureLog(id, kernel))
  }

  private func reasonFile(_ id: ModuleID, _ kernel: Kernel) -> FilePath {
    layout.failureLog(id, kernel).removingLastComponent().appending(Self.reasonName)
  }

  /// Takes a failure off the record once a build for the same kernel has succeeded.
  ///
  /// - Throws: `HostError`, also where the task is cancelled.
  func forget(_ id: ModuleID, _ kernel: Kernel) async throws(HostError) {
    try await change(id) { () throws(HostError) in
      try Files.remove(layout.failureLog(id, kernel).removingLastComponent())
    }
  }

  /// Changes the record under a lock, so that no build for another kernel does so at the same time.
  private func change(
    _ id: ModuleID, _ body: () throws(HostError) -> Void
  ) async throws(HostError) {
    let lock = try await DirectoryLock.acquire(layout.build(id), .exclusive) {}
    try body()
    try renewLatest(of: id)
    lock.release()
  }

  /// Puts the newest log in the record where the reference leaves its last one, or removes it if the record
  /// is empty.
  private func renewLatest(of id: ModuleID) throws(HostError) {
    let latest = layout.build(id).appending(Self.logName)
    let logs = try records(of: id).map { layout.build(id).appending($0).appending(Self.logName) }
      .where(Files.isFile)
    guard var newest = logs.first else { return try Files.remove(latest) }
    for log in logs.dropFirst() where try Files.isNewer(log, than: newest) { newest = log }
    if try !Files.haveEqualContents(newest, latest) { try Files.copy(newest, to: latest) }
  }

  /// The directories that hold a failure each.
  private func records(of id: ModuleID) throws(HostError) -> [String] {
    try Files.list(layout.build(id)).where { entry throws(HostError) in
      let names = try Files.list(layout.build(id).appending(entry))
      return !names.isEmpty && names.allSatisfy(Self.names.contains)
    }
  }

  /// Removes the logs of builds for kernels that are gone, while the registration is locked.
  func forgetGoneKernels(of id: ModuleID) throws(HostError) {
    let kernels = try KernelCatalogue(layout).kernels
    let gone = try records(of: id).filter { record in !kernels.contains { record.hasPrefix("\($0)-") } }
    guard !gone.isEmpty else { return }
    for record in gone { try Files.remove(layout.build(id).appending(record)) }
    try renewLatest(of: id)
  }

  /// What is on record and says nothing, or nothing true.
  func void(of id: ModuleID) throws(HostError) -> [FilePath] { try halfMade(of: id) + disproved(of: id) }

  /// The records of installations that are said to have failed although the module is installed.
  ///
  /// Only the last part of such an installation failed, or the call that made up for it could not say so.
  private func disproved(of id: ModuleID) throws(HostError) -> [FilePath] {
    try records(of: id).where { name throws(HostError) in
      guard let kernel = Self.kernel(ofRecord: name) else { return false }
      guard try holdsInstallation(of: id, kernel) else { return false }
      return try ModuleTree(layout).isInstalled(id, kernel)
    }.map(layout.build(id).appending)
  }

  private static func kernel(ofRecord name: String) -> Kernel? {
    guard let dash = name.lastIndex(of: "-"), let release = try? KernelRelease(String(name[..<dash])) else {
      return nil
    }
    return try? Kernel(release: release, architecture: String(name[name.index(after: dash)...]))
  }

  /// An unfinished record whose run was killed.
  private func halfMade(of id: ModuleID) throws(HostError) -> [FilePath] {
    let build = layout.build(id)
    let isHalfMade = { (name: String) in
      Self.names.contains { name == ".\($0)\(Files.stagingSuffix)" }
    }
    return try Files.listing(build).collect { entry throws(HostError) -> [FilePath] in
      let path = build.appending(entry.name)
      if isHalfMade(entry.name) { return [path] }
      guard entry.kind == .directory else { return [] }
      let names = try Files.list(path)
      if names.allSatisfy(isHalfMade) { return [path] }
      return names.filter(isHalfMade).map(path.appending)
    }
  }

  private static let logName = "make.log"
  private static let reasonName = "reason"
  private static let names = [logName, reasonName]
}
