// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// The modules that mkinitcpio.conf names, itself or through its hooks.
struct MkinitcpioConfiguration: Sendable {
  private let system: BootSystem

  init(_ system: BootSystem) { self.system = system }

  /// The files that a call reads: one that is named stands alone, the usual one has drop-ins.
  func files(_ settings: MkinitcpioSettings) -> [FilePath] {
    if let named = settings.configuration { return [system.place(named)] }
    let dropIns = system.place("/etc/mkinitcpio.conf.d")
    // mkinitcpio takes them in the order of versions: 9.conf goes before 10.conf.
    return [system.place("/etc/mkinitcpio.conf")]
      + Files.list(dropIns).filter { $0.hasSuffix(".conf") }
      .sorted { VersionOrder($0) < VersionOrder($1) }.map { dropIns.appending($0) }
  }

  /// The modules of MODULES, then those that the install scripts of HOOKS add by name.
  ///
  /// - Throws: `GenerationError` where bash cannot read the configuration.
  func requests(_ settings: MkinitcpioSettings) async throws(GenerationError) -> [ModuleRequest] {
    let files = files(settings).filter(Files.isFile)
    guard let main = files.first else { return [] }
    let lists = try await BashReader(host: system.host).lists(
      ["MODULES", "HOOKS"], of: files, about: main.string)
    let listed = lists["MODULES", default: []].map { name in
      ModuleRequest(module: Self.module(name), place: "MODULES in mkinitcpio.conf")
    }
    let hooks = (lists["HOOKS", default: []] + settings.addedHooks)
      .filter { !settings.skippedHooks.contains($0) }
    return (listed + hooks.flatMap { requests(ofHook: $0, settings) }).firstOfEachModule
  }

  private func requests(ofHook hook: String, _ settings: MkinitcpioSettings) -> [ModuleRequest] {
    guard !hook.contains("/") else { return [] }
    let directories =
      settings.hookDirectories.isEmpty ? ["/etc/initcpio", "/usr/lib/initcpio"] : settings.hookDirectories
    let script = directories.map { system.place("\($0)/install/\(hook)") }.first(where: Files.isFile)
    guard let script, let text = Files.text(script) else { return [] }
    return Self.namedModules(in: text).map { ModuleRequest(module: $0, place: "the hook \(hook)") }
  }

  /// The words after `add_module`; what is chosen by a pattern or a variable asks for nothing by name.
  static func namedModules(in script: String) -> [String] {
    var modules: [String] = []
    let joined = script.split(separator: "\\\n", omittingEmptySubsequences: false)
      .joined(separator: " ")
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
