// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import Maintenance

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

  @Flag(help: "Print JSON, for programs.")
  var json = false

  func run() {
    PruneCommand(isAgreed: yes, printsJSON: json).main()
  }
}
