// SPDX-License-Identifier: GPL-2.0-or-later

internal import Host
internal import SystemPackage

/// The one program behind all helpers: links give it their names, and it goes by the one that it is called by.
public enum HelperProgram {
  /// Runs the helper that the program is called as and ends the process.
  ///
  /// - Parameter arguments: The name that it is called by, and what a hook file says after it.
  public static func main(_ arguments: [String] = CommandLine.arguments) -> Never {
    let name = arguments.first.flatMap { FilePath($0).lastComponent?.string } ?? ""
    guard let helper = HelperKind(program: name) else {
      Program.run {
        Host.live().console.printError("==> ERROR: \(refusal(of: name))")
        return 2
      }
    }
    helper.main(arguments: Array(arguments.dropFirst()))
  }

  /// Why nothing is done under a name.
  static func refusal(of name: String) -> String {
    let names = HelperKind.allCases.map(\.program)
    return
      "no helper is called '\(name)': call it \(names.dropLast().joined(separator: ", ")) or \(names.last ?? "")"
  }
}

extension HelperKind {
  /// Runs the helper on the machine at hand and ends the process.
  fileprivate func main(arguments: [String]) -> Never {
    switch self {
    case .install: InstallHook.main()
    case .remove: RemoveHook.main()
    case .initramfs: InitramfsHook.main(arguments: arguments)
    case .verify: VerifyHook.main()
    }
  }
}
