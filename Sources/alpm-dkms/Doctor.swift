// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import Maintenance

/// Says what is wrong with a system.
struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say what is wrong with modules, kernels, hooks and settings, and how to fix it.",
    discussion: """
      Changes nothing without --fix. Each problem comes with its reason and the one command that fixes it. Exits \
      with status 0 when nothing is wrong, and with 1 otherwise.
      """)

  @Flag(help: "Fix what is safe to fix, after showing it. Needs root.")
  var fix = false

  @Flag(name: .shortAndLong, help: "Do not ask before fixing.")
  var yes = false

  @Flag(help: "Print JSON, for programs.")
  var json = false

  func run() {
    DoctorCommand(fixes: fix, isAgreed: yes, printsJSON: json).main()
  }
}
