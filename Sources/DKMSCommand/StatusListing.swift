// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
internal import DKMSModel
internal import Glibc
internal import Host
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

  /// What each pass over the modules shows: one a kernel that was named, else one for all.
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
  private let layout: Layout
  private let options: BuildOptions
  private let host: Host
  private let tree: ModuleTree
  private let reader: ConfigurationReader

  init(_ layout: Layout, _ options: BuildOptions, _ host: Host) {
    self.layout = layout
    self.options = options
    self.host = host
    tree = ModuleTree(layout)
    reader = ConfigurationReader(host: host, layout: layout, options: options)
  }

  /// Prints it for programs.
  func printJSON(matching filter: StatusFilter) async -> ExitStatus {
    host.console.print(await StatusDocument(layout, options, host, matching: filter).json.text)
    let broken = tree.state().modules.filter { $0.isBroken && filter.includes($0.id) }
    tell(broken.map(\.id))
    return .success
  }

  func print(matching filter: StatusFilter) async -> ExitStatus {
    let records = tree.state().modules.filter { filter.includes($0.id) }
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
        for build in builds { host.console.print(await line(record.id, build)) }
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

  private func line(_ id: ModuleID, _ build: BuildRecord) async -> String {
    let kernel = build.kernel
    let state = build.isInstalled ? "installed" : "built"
    let originals = tree.hasOriginals(id.name, kernel) ? " (Original modules exist)" : ""
    let configuration = try? await reader.configuration(of: id, for: kernel)
    let remark =
      switch tree.integrity(of: id, kernel, configuration) {
      case .sound: ""
      case .missingFromTree: " (Built modules are missing in the kernel modules folder)"
      case .different: " (Differences between built and installed modules)"
      }
    return "\(id), \(kernel.release), \(kernel.architecture): \(state)\(originals)\(remark)"
  }
}
