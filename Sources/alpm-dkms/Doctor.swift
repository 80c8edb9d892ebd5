// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import Maintenance

/// Says what is wrong with a system.
struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say what is wrong with modules, kernels, hooks and settings, and what mends it.",
    discussion: """
      Changes nothing without --fix. Each finding comes with its reason and the one command that mends it. Ends \
      with status 0 when nothing is wrong, else with 1.
      """)

  @Flag(help: "Mend what is safe to mend, after showing it. Needs root.")
  var fix = false

  @Flag(name: .shortAndLong, help: "Do not ask before mending.")
  var yes = false

  @Flag(help: "Print JSON, for programs.")
  var json = false

  func run() {
    DoctorCommand(fixes: fix, isAgreed: yes, printsJSON: json).main()
  }
}
