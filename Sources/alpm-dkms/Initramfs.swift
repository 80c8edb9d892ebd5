// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import Maintenance

/// Makes stale images anew, or says what each is.
struct Initramfs: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make the initramfs images anew that are stale, or say of each what it is.",
    discussion: """
      An image is stale when a kernel module in it is not the one that is installed, is installed no longer, or is \
      lacking though the generator's configuration asks for it. Making images needs root. Ends with status 0 when \
      every image is as it should be, else with 1.
      """)

  @Flag(help: "Say of each image whether it is fresh, why not, and which modules are in it; make nothing.")
  var explain = false

  @Flag(help: "Print JSON, for programs.")
  var json = false

  @Argument(help: "Releases of the kernels whose images are meant; without any, all that are installed.")
  var kernels: [String] = []

  func run() {
    InitramfsCommand(kernels: kernels, explains: explain, printsJSON: json).main()
  }
}
