// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

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
