// SPDX-License-Identifier: GPL-2.0-or-later

internal import Host
internal import SystemPackage

/// The one program behind all helpers: links to it have their names, and it acts as the one it is called by.
public enum HelperProgram {
  /// Runs the helper that the program is called as and ends the process.
  ///
  /// - Parameter arguments: The name that it is called by, and what a hook file says after it.
  public static func main(_ arguments: [String] = CommandLine.arguments) -> Never {
    let name = arguments.first.flatMap { FilePath($0).lastComponent?.string } ?? ""
    Program.run {
      let host = Host.live()
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
