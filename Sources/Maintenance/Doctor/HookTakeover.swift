// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import Inspection
internal import Pacman
internal import SystemPackage

/// A hook file of this suite that an administrator has put in the place of another package's.
struct HookTakeover: Hashable {
  /// The file.
  let file: FilePath
  /// What it takes the place of.
  let victim: Victim

  enum Victim: Hashable {
    /// The file itself belongs to this package.
    case owned(package: String)
    /// It hides this file, which runs something else.
    case hidden(FilePath, command: String)
  }

  /// Finds them in pacman's hook directories, of which the first is that of packages.
  ///
  /// - Throws: `HostError` where one of them, or a file in one, cannot be looked at.
  static func all(
    in directories: [FilePath], root: FilePath, _ database: borrowing Database
  ) throws(HostError) -> [HookTakeover] {
    var found: [HookTakeover] = []
    for (index, directory) in directories.enumerated().dropFirst() {
      for name in try Files.list(directory) where name.hasSuffix(".hook") {
        let file = directory.appending(name)
        guard let own = try hook(file), own.isOurs else { continue }
        var path = file
        guard path.removePrefix(root) else { continue }
        if let package = database.owners(of: path.string).first(where: { $0 != "alpm-dkms" }) {
          found.append(HookTakeover(file: file, victim: .owned(package: package)))
          continue
        }
        for earlier in directories[..<index].reversed().map({ $0.appending(name) }) {
          guard let other = try hook(earlier), !other.isOurs, other.command != own.command else { continue }
          found.append(HookTakeover(file: file, victim: .hidden(earlier, command: other.command)))
          break
        }
      }
    }
    return found
  }

  /// What a hook file runs, and whether it is of this suite; nil where there is no hook that pacman takes.
  private static func hook(_ file: FilePath) throws(HostError) -> (command: String, isOurs: Bool)? {
    guard try Files.isFile(file), let text = try Files.text(file),
      let hook = try? HookFile(name: file.lastComponent?.string ?? "", text: text)
    else { return nil }
    return (hook.command, text.contains("alpm-dkms"))
  }

  /// What is wrong, for people.
  var reason: String {
    switch victim {
    case .owned(let package):
      "it belongs to \(package), and a hook of alpm-dkms has taken its place: what \(package) did no longer happens"
    case .hidden(let other, let command):
      "this hook of alpm-dkms hides \(other), so \(command) no longer runs"
    }
  }

  /// What is to be done.
  var remedy: String {
    switch victim {
    case .owned(let package): "rm \(file.quoted) && pacman -S \(package)"
    case .hidden: "rm \(file.quoted)"
    }
  }
}
