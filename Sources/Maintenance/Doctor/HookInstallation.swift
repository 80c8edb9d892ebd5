// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import Pacman
internal import SystemPackage

/// Whether pacman runs a hook file.
struct HookInstallation: Hashable {
  /// The file's name.
  let name: String
  /// Whether it runs.
  let state: State

  enum State: Hashable {
    /// Pacman finds it, here.
    case present(FilePath)
    /// This link to /dev/null, or this file without a trigger, takes its place.
    case masked(FilePath)
    /// This file takes its place and runs something else.
    case replaced(FilePath, command: String)
    /// Pacman refuses this file, and every transaction with it.
    case malformed(FilePath, reason: String)
    /// No directory has it.
    case missing
  }

  /// The hook files without which modules are not built, kept, or looked after, nor images of these generators made.
  static func needed(for generators: [ImageGenerator] = []) -> [String] {
    ["70-dkms-install.hook", "70-dkms-upgrade.hook", "71-dkms-remove.hook"]
      + generators.map { "91-\($0.rawValue)-dkms.hook" } + ["99-alpm-dkms-verify.hook"]
  }

  /// Looks for a hook file; that in a later directory takes the place of one in an earlier.
  ///
  /// - Throws: `HostError` where a directory cannot be looked into.
  init(_ name: String, in directories: [FilePath]) throws(HostError) {
    self.name = name
    guard let file = try directories.map({ $0.appending(name) }).reversed().firstWhere(Files.exists) else {
      state = .missing
      return
    }
    let text = try Files.linkTarget(file) == "/dev/null" ? "" : try Files.text(file)
    do throws(HookFile.Malformed) {
      guard let text else { throw HookFile.Malformed(name: name, line: nil, text: "it cannot be read") }
      let hook = try HookFile(name: name, text: text)
      if hook.triggers.isEmpty {
        state = .masked(file)
      } else if hook.command.contains("/alpm-dkms-") {
        state = .present(file)
      } else {
        state = .replaced(file, command: hook.command)
      }
    } catch {
      state = .malformed(file, reason: "\(error)")
    }
  }
}
