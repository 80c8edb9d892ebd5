// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import Maintenance

/// Packs a record to pass it on.
struct Record: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Put a record, with the files that explain it, into one file to attach to a report.",
    discussion: """
      The tarball holds the record, the settings, each module's dkms.conf, and the logs that the record names. \
      The names of this host and its users are taken out, and no key is put in. Needs root.
      """)

  @Flag(help: "Make the tarball.")
  var bundle = false

  @Option(name: .shortAndLong, help: ArgumentHelp("Where to write the tarball.", valueName: "file"))
  var output: String?

  @Flag(help: "Print JSON, for programs.")
  var json = false

  @Argument(help: "The number of a record, or a file; by default, the newest record.")
  var record: String?

  func validate() throws {
    if !bundle { throw ValidationError("add --bundle; to look at a record: alpm-dkms show") }
  }

  func run() {
    BundleCommand(record, output: output, printsJSON: json).main()
  }
}
