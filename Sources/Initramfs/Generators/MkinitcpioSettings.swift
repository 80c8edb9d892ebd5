// SPDX-License-Identifier: GPL-2.0-or-later

/// What a preset and its options say about the configuration and the hooks of a call.
struct MkinitcpioSettings: Hashable, Sendable {
  /// The configuration file, where it is not the usual one with its drop-ins.
  private(set) var configuration: String?
  /// Hooks that are left out.
  private(set) var skippedHooks: Set<String> = []
  /// Hooks beside those of the configuration.
  private(set) var addedHooks: [String] = []
  /// Where hooks are looked for in the place of the usual directories.
  private(set) var hookDirectories: [String] = []
  /// Whether no post hook runs.
  private(set) var forbidsPostHooks = false

  init(_ preset: Preset) {
    configuration = preset.values["config"]
    var options = preset.options[...]
    while let option = options.popFirst() {
      let (name, value) = Self.parts(of: option)
      switch name {
      case "--nopost": forbidsPostHooks = true
      case "-c", "--config": configuration = value ?? options.popFirst() ?? configuration
      case "-S", "--skiphooks": skippedHooks.formUnion(Self.list(value ?? options.popFirst()))
      case "-A", "--addhooks", "--add": addedHooks += Self.list(value ?? options.popFirst())
      case "-D", "--hookdir":
        if let directory = value ?? options.popFirst() { hookDirectories.append(directory) }
      default: break
      }
    }
  }

  /// `--option=value` and `-ovalue` in their parts.
  private static func parts(of option: String) -> (name: String, value: String?) {
    if option.hasPrefix("--") {
      let parts = option.split(separator: "=", maxSplits: 1).map(String.init)
      return (parts[0], parts.count > 1 ? parts[1] : nil)
    }
    let isJoined = option.count > 2 && ["-c", "-S", "-A", "-D"].contains(String(option.prefix(2)))
    return isJoined ? (String(option.prefix(2)), String(option.dropFirst(2))) : (option, nil)
  }

  private static func list(_ text: String?) -> [String] { text?.split(separator: ",").map(String.init) ?? [] }
}
