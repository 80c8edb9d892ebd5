// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSEngine
package import DKMSModel
package import Hooks
package import Host
package import Inspection
internal import Journal
package import SystemPackage
package import TestSupport

/// A system in a temporary directory, with a package database of its own, on which hooks are run.
package struct HookedSystem {
  package let directory: TemporaryDirectory
  package let layout: Layout
  package let transcript = Transcript()
  package let launcher = DepmodRecorder()
  package var isRoot = true
  package var runningRelease = "9.9.9-running"
  package var bootIdentifier = "the first boot"
  /// What tells the process that calls the hooks from all others.
  package var parent = ""
  package var signOfLife = SignOfLife.none
  /// Where programs are looked for first.
  package var programs: FilePath { directory.path.appending("programs") }

  package init() throws {
    directory = try TemporaryDirectory(in: TemporaryDirectory.memory)
    var layout = Layout()
    layout.root = directory.path
    layout.sourceTree = directory.path.appending("usr/src")
    layout.dkmsTree = directory.path.appending("var/lib/dkms")
    layout.installTree = directory.path.appending("usr/lib/modules")
    layout.configurationDirectory = directory.path.appending("etc/dkms")
    layout.stateDirectory = directory.path.appending("var/lib/alpm-dkms")
    layout.cacheDirectory = directory.path.appending("var/cache/alpm-dkms")
    layout.temporaryDirectory = directory.path.appending("temporary")
    layout.suiteConfiguration = directory.path.appending("etc/alpm-dkms.conf")
    self.layout = layout
    for tree in [
      layout.temporaryDirectory, layout.sourceTree, layout.dkmsTree, layout.installTree,
      layout.configurationDirectory,
    ] {
      try Files.makeDirectories(tree)
    }
  }

  package var host: Host {
    Host(
      environment: ["PATH": "\(programs):/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
      isRoot: isRoot,
      runningRelease: runningRelease, bootIdentifier: bootIdentifier, parent: parent,
      architecture: "x86_64",
      processorCount: 2, launcher: launcher,
      console: transcript.console, signOfLife: signOfLife, now: { 1_700_000_000 })
  }

  /// Runs programs, and notes the calls of depmod.
  package struct DepmodRecorder: CommandLauncher {
    package let recorder = RecordingLauncher()

    package func run(_ command: Command) async throws(HostError) -> CommandResult {
      if command.program == "depmod" { _ = try await recorder.run(command) }
      return try await ProcessLauncher().run(command)
    }
  }

  /// The kernels for which depmod has run.
  package var depmods: [String] { launcher.recorder.commands.compactMap(\.arguments.last) }

  // MARK: What is there

  @discardableResult
  package func addKernel(_ release: String, hasHeaders: Bool = true, base: String? = nil) throws -> Kernel {
    try directory.write("", to: "usr/lib/modules/\(release)/modules.order")
    try Depmod.run(on: layout.installTree, for: release)
    if hasHeaders {
      try Files.makeDirectories(layout.installTree.appending(release).appending("build/include"))
    }
    if let base { try directory.write("\(base)\n", to: "usr/lib/modules/\(release)/pkgbase") }
    return try Kernel(release: KernelRelease(release), architecture: "x86_64")
  }

  /// A source whose "module" is a copy of a text, which needs no compiler.
  @discardableResult
  package func addSource(_ name: String, _ version: String, conf: String = "") throws -> ModuleID {
    let id = try ModuleID(name: name, version: version)
    try directory.write("text of \(id)", to: "usr/src/\(id.sourceDirectoryName)/text")
    try directory.write(
      """
      PACKAGE_NAME="\(name)"
      PACKAGE_VERSION="\(version)"
      DEST_MODULE_LOCATION[0]="/updates"
      STRIP[0]=no
      MAKE[0]="cp text \(name).ko"
      AUTOINSTALL=yes
      \(conf)

      """, to: "usr/src/\(id.sourceDirectoryName)/dkms.conf")
    return id
  }

  /// Puts a shell script in the place of a program.
  package func addProgram(_ name: String, _ script: String) throws {
    try Files.makeDirectories(programs)
    try Files.write(
      Array("#!/bin/sh\n\(script)\n".utf8), to: programs.appending(name),
      permissions: [.ownerReadWriteExecute, .groupReadExecute, .otherReadExecute])
  }

  package func removeSource(_ id: ModuleID) throws { try Files.remove(layout.source(id)) }

  /// Registers a module and lays down what a build would have left.
  package func lay(_ id: ModuleID, builtFor release: String? = nil, installed: Bool = true) throws {
    try Files.makeDirectories(layout.registration(id))
    try Files.link(layout.sourceLink(id), to: layout.source(id))
    guard let release else { return }
    let kernel = try Kernel(release: KernelRelease(release), architecture: "x86_64")
    try directory.write("text of \(id)", to: "var/lib/dkms/\(id)/\(release)/x86_64/module/\(id.name).ko")
    guard installed else { return }
    try Files.link(layout.activeLink(id.name, kernel), to: FilePath("\(id.version)/\(release)/x86_64"))
    if Disk.isDirectory(layout.kernel(kernel.release)) {
      try directory.write("text of \(id)", to: "usr/lib/modules/\(release)/updates/dkms/\(id.name).ko")
      try Depmod.run(on: layout.installTree, for: release)
    }
  }

  /// Begins a package database; without one nothing is owned.
  package func addPackage(
    _ name: String, files: [String], size: Int? = nil, installedAt date: Int? = nil
  ) throws {
    let local = "var/lib/pacman/local"
    try directory.write("9\n", to: "\(local)/ALPM_DB_VERSION")
    try directory.write(
      "%NAME%\n\(name)\n\n%VERSION%\n1.0-1\n\n%DESC%\na package\n\n%ARCH%\nany\n\n"
        + (date.map { "%INSTALLDATE%\n\($0)\n\n" } ?? "") + (size.map { "%SIZE%\n\($0)\n\n" } ?? ""),
      to: "\(local)/\(name)-1.0-1/desc")
    try directory.write(
      "%FILES%\n" + files.sorted().map { "\($0)\n" }.joined() + "\n", to: "\(local)/\(name)-1.0-1/files")
  }

  /// Installs a hook file of this suite.
  package func addHook(_ name: String) throws {
    let hooks = TestParts.repository.appending("hooks")
    try directory.write(Disk.text(hooks.appending(name)) ?? "", to: "usr/share/libalpm/hooks/\(name)")
  }

  // MARK: What is done

  /// A look at the system as it is now.
  package var snapshot: Snapshot { Snapshot(host: host, layout: layout, options: BuildOptions()) }

  package func findings(_ lines: String...) async throws -> TransactionReader.Findings {
    try await TransactionReader(snapshot)
      .findings(lines.compactMap(HookTarget.init(line:)), Database(root: directory.path))
  }

  /// Runs a hook with this on its standard input.
  package func run(_ hook: any Hook.Type, input: [UInt8]) async throws -> Int32 {
    let file = directory.path.appending("input")
    try Files.write(input, to: file)
    let descriptor = try FileDescriptor.open(file, .readOnly, options: [.closeOnExec])
    let status = await hook.run([], descriptor, layout: layout, host: host)
    try descriptor.close()
    try checkRecord()
    return status
  }

  /// Holds the newest record to the schema that is installed for readers.
  private func checkRecord() throws {
    let journal = Journal(layout)
    guard let number = try? journal.numbers.last, let text = try? Files.text(journal.path(number)) else {
      return
    }
    // Some tests put there what is none, or one of another version.
    guard (try? journal.record(number))?.schema == JournalRecord.schema else { return }
    let faults = try JSONSchema("record").faults(in: text)
    if !faults.isEmpty { throw UndescribedRecord(faults: faults) }
  }

  /// A record that is not as its schema says.
  private struct UndescribedRecord: Error { let faults: [String] }

  package func run(_ hook: any Hook.Type, _ lines: String...) async throws -> Int32 {
    try await run(hook, input: Array(lines.map { "\($0)\n" }.joined().utf8))
  }

  // MARK: What came of it

  package var state: TreeState { Disk.answer { () throws(HostError) in try ModuleTree(layout).state() } }

  package func installed(_ name: String, _ release: String) -> String? {
    Disk.text(directory.path.appending("usr/lib/modules/\(release)/updates/dkms/\(name).ko"))
  }
}
