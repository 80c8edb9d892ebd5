// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// Whether the builds of a module may work in its source directory, where those for several kernels would meet.
///
/// A build has a directory of its own; but a command or a script that names the source can leave it. One that only
/// looks like it costs no more than that its kernels go one after another.
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
    return scripts(of: configuration, in: source).contains { text in (names + beginnings).contains(where: text.contains) }
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

  /// More than any script has; a program may be larger, and tells nothing.
  private static let limit = 1 << 16
}
