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
