// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
internal import DKMSModel
internal import Glibc
internal import Host
internal import JSON
internal import SystemPackage

/// The modules and kernels that `dkms status` was asked about; names may be patterns.
struct StatusFilter {
  let name: String
  let version: String
  let kernels: [Arguments.KernelArgument]

  init(_ arguments: Arguments) throws(UsageError) {
    name = arguments.module
    version = arguments.version
    let architectures = arguments.architectures
    let named =
      arguments.kernels.isEmpty && !architectures.isEmpty
      ? [Arguments.KernelArgument(release: "")] : arguments.kernels
    kernels = named.enumerated().map { index, kernel in
      let fallback = architectures.count > 1 ? architectures[index] : architectures.first
      return Arguments.KernelArgument(
        release: kernel.release, architecture: kernel.architecture ?? fallback)
    }
  }

  func includes(_ id: ModuleID) -> Bool {
    matches(name, id.name) && matches(version, id.version)
  }

  /// Whether a kernel was asked about.
  func includes(_ kernel: Kernel) -> Bool {
    kernels.isEmpty || kernels.contains { matches($0, kernel) }
  }

  /// What each pass over the modules shows: one pass for each kernel that was named, otherwise one for all.
  var passes: [(BuildRecord) -> Bool] {
    if kernels.isEmpty { return [{ _ in true }] }
    return kernels.map { kernel in { matches(kernel, $0.kernel) } }
  }

  private func matches(_ pattern: Arguments.KernelArgument, _ kernel: Kernel) -> Bool {
    matches(pattern.release, kernel.release.description)
      && matches(pattern.architecture ?? "", kernel.architecture)
  }

  private func matches(_ pattern: String, _ text: String) -> Bool {
    pattern.isEmpty || fnmatch(pattern, text, 0) == 0
  }
}

/// Prints the lines of `dkms status`; scripts read them, so their form is frozen.
struct StatusListing {
  private let snapshot: Snapshot
  private let layout: Layout
  private let host: Host

  init(_ snapshot: Snapshot) {
    self.snapshot = snapshot
    layout = snapshot.layout
    host = snapshot.host
  }

  /// Prints it for programs.
  func printJSON(matching filter: StatusFilter) async throws(DKMSError) -> ExitStatus {
    let document = try await StatusDocument(snapshot, matching: filter)
    host.console.print(try document.json().text)
    tell(document.brokenModules)
    return .success
  }

  func print(matching filter: StatusFilter) async throws(DKMSError) -> ExitStatus {
    let records = try tree().modules.filter { filter.includes($0.id) }
    var broken: [ModuleID] = []
    for shows in filter.passes {
      for record in records {
        if record.isBroken {
          host.console.print("\(record.id): broken")
          broken.append(record.id)
          continue
        }
        let builds = record.builds.filter(shows)
        if builds.isEmpty { host.console.print("\(record.id): added") }
        for build in builds { host.console.print(try await line(record.id, build)) }
      }
    }
    tell(broken)
    return .success
  }

  private func tell(_ broken: [ModuleID]) {
    for id in broken {
      Narrator(host.console).fail(.moduleBroken(id, link: layout.sourceLink(id).string))
    }
  }

  private func tree() throws(DKMSError) -> TreeState {
    do { return try snapshot.tree() } catch { throw DKMSError(error) }
  }

  private func line(_ id: ModuleID, _ build: BuildRecord) async throws(DKMSError) -> String {
    let kernel = build.kernel
    let state = build.isInstalled ? "installed" : "built"
    let configuration = await snapshot.configuration(of: id, source: layout.sourceLink(id), for: kernel)
      .fact.configuration
    let tree = ModuleTree(layout)
    let hasOriginals: Bool
    let integrity: ModuleTree.Integrity
    do throws(HostError) {
      hasOriginals = try tree.hasOriginals(id.name, kernel)
      integrity = try tree.integrity(of: id, kernel, configuration)
    } catch {
      throw DKMSError(error)
    }
    let originals = hasOriginals ? " (Original modules exist)" : ""
    let remark =
      switch integrity {
      case .sound: ""
      case .missingFromTree: " (Built modules are missing in the kernel modules folder)"
      case .different: " (Differences between built and installed modules)"
      }
    return "\(id), \(kernel.release), \(kernel.architecture): \(state)\(originals)\(remark)"
  }
}
