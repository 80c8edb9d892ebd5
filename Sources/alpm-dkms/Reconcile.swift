// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import Maintenance

/// Finishes what an interrupted transaction left undone.
struct Reconcile: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Finish what an interrupted transaction left undone.",
    discussion: """
      Does what the hooks would do if a transaction had just touched every kernel: builds and installs what is \
      missing, removes what has lost its source or its kernel, and rebuilds stale initramfs images. What is already \
      as it should be is left alone. Needs root.
      """)

  @Flag(help: "Print JSON, for programs.")
  var json = false

  func run() {
    ReconcileCommand(printsJSON: json).main()
  }
}
