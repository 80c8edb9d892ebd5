// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import Maintenance

/// Says whether each kernel can be booted as before.
struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say whether each kernel can be booted as before.",
    discussion: """
      Looks at what is on the disk: modules, their vermagic and signatures, modules.dep, initramfs images. Exits \
      with status 0 when every kernel can be booted as before, and with 1 otherwise.
      """)

  @Flag(help: "Print JSON, for programs.")
  var json = false

  @Flag(name: .shortAndLong, help: "Also say which modules a kernel rightly goes without.")
  var verbose = false

  @Argument(help: "Releases of the kernels to judge; by default, all installed kernels.")
  var kernels: [String] = []

  func run() {
    VerifyCommand(kernels: kernels, printsJSON: json, isVerbose: verbose).main()
  }
}
