// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Glibc
import Host
import Initramfs
import SystemPackage
import TestSupport
import Testing

/// A place with the installed modules of a kernel, and with trees and images made of them by the real programs.
struct Imaging {
  let directory: TemporaryDirectory
  static let release = "6.12.1-test"

  init() throws { directory = try TemporaryDirectory() }

  var path: FilePath { directory.path }
  var modules: FilePath { path.appending("installed/\(Self.release)".components) }

  /// Installs modules of these contents; modules.dep lists them in the order of their names.
  func install(_ files: [String: [UInt8]], builtin: [String] = []) throws {
    for (name, contents) in files { try put(contents, "installed/\(Self.release)/\(name)") }
    let list = files.keys.sorted().map { "\($0):\n" }.joined()
    try directory.write(list, to: "installed/\(Self.release)/modules.dep")
    try directory.write(
      builtin.map { "kernel/\($0).ko\n" }.joined(), to: "installed/\(Self.release)/modules.builtin")
  }

  /// Puts modules into the tree that images are made of.
  func fill(_ files: [String: [UInt8]]) throws {
    for (name, contents) in files { try put(contents, "tree/usr/lib/modules/\(Self.release)/\(name)") }
  }

  func put(_ bytes: [UInt8], _ name: String) throws {
    let file = path.appending(name.components)
    try Files.makeDirectories(file.removingLastComponent())
    try Files.write(bytes, to: file)
  }

  /// Runs shell words that must succeed, in the directory.
  @discardableResult
  func run(_ words: String) async throws -> String {
    let run = try await Run.program("/bin/bash", ["-c", "set -euo pipefail; cd '\(path)'; \(words)"])
    try #require(run.status == 0, "\(words): \(run)")
    return run.output
  }

  /// The words that write the tree as an archive to standard output.
  static let pack = "(cd tree; find . | sort | cpio --quiet -o -H newc)"

  func contents(
    _ image: String, _ form: InitramfsImage.Form = .archive, limits: ImageLimits = ImageLimits()
  ) throws(ImageError) -> ImageContents {
    try ImageReader(limits: limits).contents(of: path.appending(image), form: form)
  }

  /// The names of the modules in an image; the reason where it cannot be read.
  func names(
    _ image: String, _ form: InitramfsImage.Form = .archive, limits: ImageLimits = ImageLimits()
  ) -> [String] {
    do throws(ImageError) {
      return try contents(image, form, limits: limits).modules.map(\.name)
    } catch {
      return [error.reason]
    }
  }

  func image(
    _ name: String, _ form: InitramfsImage.Form = .archive, _ generator: ImageGenerator = .mkinitcpio
  ) throws -> InitramfsImage {
    InitramfsImage(
      path: path.appending(name).string, form: form,
      kernel: try Kernel(release: try KernelRelease(Self.release), architecture: "x86_64"),
      generator: generator)
  }

  /// What an inspector says of an image.
  func condition(
    of name: String, _ form: InitramfsImage.Form = .archive, _ generator: ImageGenerator = .mkinitcpio,
    requested: [ModuleRequest] = []
  ) async throws -> ImageCondition {
    await ImageInspector(host: .live(), temporaryDirectory: path).condition(
      of: try image(name, form, generator), modulesDirectory: modules, requested: requested)
  }

  /// Bytes that no compression makes small, always the same.
  static func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    return (0..<count).map { _ in
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return UInt8(truncatingIfNeeded: state >> 32)
    }
  }
}

extension String {
  var components: FilePath.ComponentView { FilePath(self).components }
  var bytes: [UInt8] { Array(utf8) }
}
