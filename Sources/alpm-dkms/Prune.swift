// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import Maintenance

/// Removes what no package owns and no kernel needs.
struct Prune: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List what no package owns and no kernel needs, and remove it when told.",
    discussion: """
      Lists each thing with its size: what is left of kernels that are gone, builds for them, what killed runs \
      have left. Nothing is removed without a yes at the terminal, or --yes; removing needs root.
      """)

  @Flag(name: .shortAndLong, help: "Remove without asking.")
  var yes = false

  @Flag(help: "Print JSON, for programs.")
  var json = false

  func run() {
    PruneCommand(isAgreed: yes, printsJSON: json).main()
  }
}
