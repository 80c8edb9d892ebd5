// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import Maintenance

/// Says of each kernel whether it can be booted as before.
struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say of each kernel whether it can be booted as before.",
    discussion: """
      Looks at what is on the disk: modules, their vermagic and signatures, modules.dep. Ends with status 0 \
      when every kernel is bootable as before, else with 1.
      """)

  @Flag(help: "Print JSON, for programs.")
  var json = false

  @Flag(name: .shortAndLong, help: "Say what a kernel lacks rightly, too.")
  var verbose = false

  @Argument(help: "Releases of the kernels to judge; without any, all that are installed.")
  var kernels: [String] = []

  func run() {
    VerifyCommand(kernels: kernels, printsJSON: json, isVerbose: verbose).main()
  }
}
