// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import DKMSEngine

/// The program for people.
@main
struct AlpmDKMS: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "alpm-dkms", abstract: "Out-of-tree kernel modules on systems with pacman.",
    version: Version.current, subcommands: [Verify.self, Reconcile.self, Initramfs.self])
}
