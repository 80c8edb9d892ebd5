// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import Maintenance

/// Rebuilds stale images, or says what state each is in.
struct Initramfs: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Rebuild stale initramfs images, or say what state each image is in.",
    discussion: """
      An image is stale when a kernel module in it differs from the installed one or is no longer installed, or when \
      the image lacks a module that the generator's configuration asks for. Making images needs root. Exits with \
      status 0 when every image is as it should be, and with 1 otherwise.
      """)

  @Flag(help: "Say whether each image is fresh, if not why, and which modules are in it; make nothing.")
  var explain = false

  @Flag(help: "Print JSON, for programs.")
  var json = false

  @Argument(help: "Releases of the kernels whose images to look at; by default, all installed kernels.")
  var kernels: [String] = []

  func run() {
    InitramfsCommand(kernels: kernels, explains: explain, printsJSON: json).main()
  }
}
