// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import Maintenance

/// Settles what a transaction without an end has left.
struct Reconcile: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Settle what an interrupted transaction has left.",
    discussion: """
      Does what the hooks would do had a transaction just touched every kernel: builds and installs what is \
      missing, removes what has lost its source or its kernel, and makes stale initramfs images anew. What \
      stands stays as it is. Needs root.
      """)

  @Flag(help: "Print JSON, for programs.")
  var json = false

  func run() {
    ReconcileCommand(printsJSON: json).main()
  }
}
