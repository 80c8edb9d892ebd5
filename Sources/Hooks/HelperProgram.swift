// SPDX-License-Identifier: GPL-2.0-or-later

internal import Host
internal import SystemPackage

/// One of the programs that pacman's hooks start; the raw value is the last word of its name.
public enum HelperKind: String, CaseIterable, Sendable {
  /// Builds and installs, after a transaction.
  case install
  /// Keeps sources, before a transaction.
  case remove
  /// Makes initramfs images, after a transaction.
  case initramfs
  /// Judges, after all else.
  case verify

  /// The name of its program.
  public var program: String { Self.programPrefix + rawValue }

  /// The helper whose program has this name; nil where none has.
  public init?(program: String) {
    guard program.hasPrefix(Self.programPrefix) else { return nil }
    self.init(rawValue: String(program.dropFirst(Self.programPrefix.count)))
  }

  private static let programPrefix = "alpm-dkms-"

  /// On which side of the packages' changes pacman starts it, as a record has it.
  var phase: String { self == .remove ? "pre" : "post" }

  /// Whether the next call does what an earlier one left undone.
  ///
  /// The other helpers look at everything each time, or concern a single transaction.
  var resumes: Bool { self == .install || self == .initramfs }

  /// What the helper runs.
  package var hook: any Hook.Type {
    switch self {
    case .install: InstallHook.self
    case .remove: KeepHook.self
    case .initramfs: InitramfsHook.self
    case .verify: VerifyHook.self
    }
  }
}

/// The one program behind all helpers: links to it have their names, and it acts as the one it is called by.
public enum HelperProgram {
  /// Runs the helper that the program is called as and ends the process.
  public static func main() -> Never {
    let arguments = Program.arguments
    let name = arguments.first.flatMap { FilePath($0).lastComponent?.string } ?? ""
    Program.run {
      let host = Host.live().withSignsOfLife()
      guard let hook = HelperKind(program: name)?.hook else {
        host.console.printError("==> ERROR: \(refusal(of: name))")
        return 2
      }
      return await hook.run(Array(arguments.dropFirst()), .standardInput, host: host)
    }
  }

  /// Why nothing is done under a name.
  private static func refusal(of name: String) -> String {
    let names = HelperKind.allCases.map(\.program)
    return
      "no helper is called '\(name)': call it \(names.dropLast().joined(separator: ", ")) or \(names.last ?? "")"
  }
}
