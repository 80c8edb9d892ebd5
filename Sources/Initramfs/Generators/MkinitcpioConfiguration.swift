// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// The modules that mkinitcpio.conf names, itself or through its hooks.
struct MkinitcpioConfiguration: Sendable {
  private let system: BootSystem

  init(_ system: BootSystem) { self.system = system }

  /// The files that a call reads: one that is named stands alone, the usual one has drop-ins.
  ///
  /// - Throws: `HostError` where the look failed.
  func files(_ settings: MkinitcpioSettings) throws(HostError) -> [FilePath] {
    if let named = settings.configuration { return [system.place(named)] }
    let dropIns = system.place("/etc/mkinitcpio.conf.d")
    // mkinitcpio takes them in the order of versions: 9.conf goes before 10.conf.
    let names = try Files.list(dropIns).filter { $0.hasSuffix(".conf") }
    return [system.place("/etc/mkinitcpio.conf")]
      + names.sorted { VersionOrder($0) < VersionOrder($1) }.map { dropIns.appending($0) }
  }

  /// The modules of MODULES in these files, then those that the install scripts of HOOKS add by name.
  ///
  /// - Throws: `GenerationError` where the configuration or such a script cannot be read.
  func requests(
    _ settings: MkinitcpioSettings, in files: [FilePath]
  ) async throws(GenerationError) -> [ModuleRequest] {
    let reader = BashReader(host: system.host)
    guard let main = try reader.present(files).first else { return [] }
    let lists = try await reader.lists(["MODULES", "HOOKS"], of: files, about: main.string)
    let listed = lists["MODULES", default: []].map { name in
      ModuleRequest(module: Self.module(name), place: "MODULES in mkinitcpio.conf")
    }
    let hooks = (lists["HOOKS", default: []] + settings.addedHooks)
      .filter { !settings.skippedHooks.contains($0) }
    do throws(HostError) {
      let added = try hooks.collect { hook throws(HostError) in try requests(ofHook: hook, settings) }
      return (listed + added).firstOfEachModule
    } catch {
      throw GenerationError(error)
    }
  }

  private func requests(
    ofHook hook: String, _ settings: MkinitcpioSettings
  ) throws(HostError) -> [ModuleRequest] {
    guard !hook.contains("/") else { return [] }
    let directories =
      settings.hookDirectories.isEmpty ? ["/etc/initcpio", "/usr/lib/initcpio"] : settings.hookDirectories
    let scripts = directories.map { system.place("\($0)/install/\(hook)") }
    guard let script = try scripts.firstWhere(Files.isFile), let text = try Files.text(script) else {
      return []
    }
    return Self.namedModules(in: text).map { ModuleRequest(module: $0, place: "the hook \(hook)") }
  }

  /// The words after `add_module`; what is chosen by a pattern or a variable asks for nothing by name.
  static func namedModules(in script: String) -> [String] {
    var modules: [String] = []
    let joined = script.replacing("\\\n", with: " ")
    let commands = joined.split { ["\n", ";", "{", "}"].contains($0) }
    for command in commands {
      let words = command.split(whereSeparator: \.isWhitespace).map(String.init)
      guard let start = words.firstIndex(of: "add_module"), start == 0 || words[..<start] == ["map"] else {
        continue
      }
      for word in words[(start + 1)...].prefix(while: { !isEndOfCommand($0) }) {
        let name = module(word.filter { !"\"'".contains($0) })
        if isName(name) { modules.append(name) }
      }
    }
    return modules
  }

  private static func isName(_ text: String) -> Bool {
    !text.isEmpty && text.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
  }

  private static func isEndOfCommand(_ word: String) -> Bool {
    ["#", ";", "&", "|", "<", ">", "2>"].contains { word.hasPrefix($0) }
  }

  /// The name of a module: a question mark says that it may be missing.
  private static func module(_ word: String) -> String {
    var name = word[...]
    if name.hasSuffix("?") { name = name.dropLast() }
    return name.prefix { $0 != "." }.asKernelModuleName
  }
}

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
