// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel

/// Turns the variables of a dkms.conf into what they mean for one kernel.
struct ConfigurationInterpreter {
  let variables: Variables
  let file: String
  let kernel: Kernel
  let kernelHeaders: String
  /// The directory in which the conf assumes that a module is built.
  let buildDirectory: (ModuleID) -> String
  /// Whether the kernel has an option; nil where that cannot be known.
  let hasKernelOption: (String) -> Bool?
  /// Whether two modules may have the same name, as the reference allows while it brings in a source.
  var allowsRepetition = false

  /// Every variable that means anything in a dkms.conf.
  static let directives =
    [
      "PACKAGE_NAME", "PACKAGE_VERSION", "BUILT_MODULE_NAME", "BUILT_MODULE_LOCATION", "DEST_MODULE_NAME",
      "DEST_MODULE_LOCATION", "STRIP", "MAKE", "MAKE_MATCH", "PATCH", "PATCH_MATCH", "AUTOINSTALL",
      "NO_WEAK_MODULES", "BUILD_DEPENDS", "BUILD_DEPENDS_REBUILD", "BUILD_EXCLUSIVE_KERNEL",
      "BUILD_EXCLUSIVE_KERNEL_MIN", "BUILD_EXCLUSIVE_KERNEL_MAX", "BUILD_EXCLUSIVE_ARCH",
      "BUILD_EXCLUSIVE_CONFIG",
    ] + ScriptKind.allCases.map(\.rawValue) + deprecated

  private static let deprecated = [
    "CLEAN", "REMAKE_INITRD", "MODULES_CONF", "MODULES_CONF_OBSOLETES", "MODULES_CONF_ALIAS_TYPE",
    "MODULES_CONF_OBSOLETE_ONLY", "OBSOLETE_BY",
  ]

  func configuration() throws(DKMSError) -> ModuleConfiguration {
    var problems: [String] = []
    for name in ["PACKAGE_NAME", "PACKAGE_VERSION"] where (variables[name] ?? "").isEmpty {
      problems.append("it does not set \(name)")
    }
    let modules = moduleFiles(&problems)
    let names = (modules.map(\.builtPath), modules.map(\.destinationName))
    if !allowsRepetition {
      checkRepetition(of: names.0, "BUILT_MODULE_NAME", &problems)
      checkRepetition(of: names.1, "DEST_MODULE_NAME", &problems)
    }
    checkExpressions(&problems)
    let autoinstall = yesOrNo("AUTOINSTALL", &problems)
    let rebuilds = yesOrNo("BUILD_DEPENDS_REBUILD", &problems)
    _ = yesOrNo("NO_WEAK_MODULES", &problems)
    guard problems.isEmpty else { throw .configurationInvalid(path: file, problems: problems) }

    let id = try ModuleID(name: variables["PACKAGE_NAME"] ?? "", version: variables["PACKAGE_VERSION"] ?? "")
    // A package without modules is excluded by the common values.
    let exclusions = exclusions(ofModules: max(modules.count, 1))
    let kept = zip(modules, exclusions).filter { $1 == nil }.map(\.0)
    return ModuleConfiguration(
      id: id, modules: kept, makeCommand: makeCommand(for: id), patches: patches, scripts: scripts,
      autoinstall: autoinstall, buildDepends: variables.array("BUILD_DEPENDS").filter { !$0.isEmpty },
      rebuildsWithDependencies: rebuilds,
      exclusion: kept.isEmpty ? exclusions[0] : nil, deprecated: deprecatedInUse)
  }

  // MARK: Modules

  private func moduleFiles(_ problems: inout [String]) -> [ModuleFile] {
    // Only the indices in use: a conf may use an index of any size.
    let indices = moduleIndices
    let files = indices.map { moduleFile($0, isOnly: indices == [0]) }
    if let (expected, _) = zip(0..., indices).first(where: { $0 != $1 }) {
      problems.append("it does not set BUILT_MODULE_NAME[\(expected)]")
    }
    for (index, file) in zip(indices, files) { check(file, index, &problems) }
    return files
  }

  private var moduleIndices: [Int] {
    let arrays = ["BUILT_MODULE_NAME", "BUILT_MODULE_LOCATION", "DEST_MODULE_NAME", "DEST_MODULE_LOCATION"]
    return Set(arrays.flatMap(variables.indices)).sorted()
  }

  private func moduleFile(_ index: Int, isOnly: Bool) -> ModuleFile {
    var builtName = variables["BUILT_MODULE_NAME", index]
    if builtName.isEmpty && isOnly { builtName = variables["PACKAGE_NAME"] ?? "" }
    let destinationName = variables["DEST_MODULE_NAME", index]
    var location = variables["BUILT_MODULE_LOCATION", index]
    while location.hasSuffix("/") { location.removeLast() }
    return ModuleFile(
      builtName: builtName, builtLocation: location,
      destinationName: destinationName.isEmpty ? builtName : destinationName,
      destinationLocation: variables["DEST_MODULE_LOCATION", index], isStripped: isStripped(index))
  }

  private func isStripped(_ index: Int) -> Bool {
    let own = variables["STRIP", index]
    let value = own.isEmpty ? variables["STRIP", 0] : own
    return value.first?.lowercased() != "n"
  }

  private func check(_ file: ModuleFile, _ index: Int, _ problems: inout [String]) {
    if file.builtName.isEmpty { problems.append("it does not set BUILT_MODULE_NAME[\(index)]") }
    for (directive, name) in [("BUILT", file.builtName), ("DEST", file.destinationName)] {
      if name.hasSuffix(".o") || name.hasSuffix(".ko") {
        problems.append("\(directive)_MODULE_NAME[\(index)] ends in .o or .ko")
      }
      if name.contains("/") { problems.append("\(directive)_MODULE_NAME[\(index)] contains a slash") }
    }
    if file.builtLocation.split(separator: "/").contains("..") {
      problems.append("BUILT_MODULE_LOCATION[\(index)] leads out of the build directory")
    }
    let location = file.destinationLocation
    if location.isEmpty {
      problems.append("it does not set DEST_MODULE_LOCATION[\(index)]")
    } else if !["/kernel", "/updates", "/extra"].contains(where: location.hasPrefix) {
      problems.append("DEST_MODULE_LOCATION[\(index)] does not begin with /kernel, /updates or /extra")
    }
  }

  private func checkRepetition(of names: [String], _ directive: String, _ problems: inout [String]) {
    var seen: Set<String> = []
    for (index, name) in names.enumerated() where !name.isEmpty && !seen.insert(name).inserted {
      problems.append("\(directive)[\(index)] repeats '\(name)'")
    }
  }

  private func checkExpressions(_ problems: inout [String]) {
    for directive in ["MAKE_MATCH", "PATCH_MATCH", "BUILD_EXCLUSIVE_KERNEL", "BUILD_EXCLUSIVE_ARCH"] {
      for index in variables.indices(directive) {
        guard let excess = ExtendedExpression.excess(of: variables[directive, index]) else { continue }
        problems.append("\(directive)[\(index)] is too large a regular expression: \(excess)")
      }
    }
  }

  // MARK: Commands

  private func makeCommand(for id: ModuleID) -> String {
    let matching = variables.indices("MAKE").last { index in
      let pattern = variables["MAKE_MATCH", index]
      return !variables["MAKE", index].isEmpty && !pattern.isEmpty && matches(pattern)
    }
    let unconditional = variables["MAKE_MATCH", 0].isEmpty ? variables["MAKE", 0] : ""
    let command = matching.map { variables["MAKE", $0] } ?? unconditional
    return command.isEmpty ? "make -C \(kernelHeaders) M=\(buildDirectory(id))" : command
  }

  private var patches: [String] {
    variables.indices("PATCH").filter { index in
      let pattern = variables["PATCH_MATCH", index]
      return pattern.isEmpty || matches(pattern)
    }.map { variables["PATCH", $0] }.filter { !$0.isEmpty }
  }

  private var scripts: [ScriptKind: String] {
    var scripts: [ScriptKind: String] = [:]
    for kind in ScriptKind.allCases {
      // The reference's second shell takes quotes away, and nothing may be left.
      let isNamed = variables[kind.rawValue]?.contains { $0 != " " && $0 != "\"" } == true
      if isNamed { scripts[kind] = variables[kind.rawValue] }
    }
    return scripts
  }

  private func matches(_ pattern: String) -> Bool {
    ExtendedExpression.matches(pattern, in: kernel.release.description)
  }

  // MARK: Exclusion

  /// Why modules are not for this kernel: the first value of a directive holds for all of them.
  private func exclusions(ofModules count: Int) -> [String?] {
    let common = exclusion(byValues: 0) ?? obsolescence
    return (0..<count).map { common ?? exclusion(byValues: $0) }
  }

  /// OBSOLETE_BY counts as long as no module has a value of its successor.
  private var obsolescence: String? {
    let isReplaced = (moduleIndices + [0]).contains { !variables["BUILD_EXCLUSIVE_KERNEL_MAX", $0].isEmpty }
    guard !isReplaced, let last = variables["OBSOLETE_BY"], !last.isEmpty,
      VersionOrder(last) < VersionOrder(kernel.release.description)
    else { return nil }
    return "OBSOLETE_BY is \(last)"
  }

  private func exclusion(byValues index: Int) -> String? {
    let value = { (directive: String) -> String? in
      let text = variables[directive, index]
      return text.isEmpty ? nil : text
    }
    let release = kernel.release.description
    if let pattern = value("BUILD_EXCLUSIVE_KERNEL"), !matches(pattern) {
      return "BUILD_EXCLUSIVE_KERNEL is '\(pattern)'"
    }
    if let least = value("BUILD_EXCLUSIVE_KERNEL_MIN"), VersionOrder(release) < VersionOrder(least) {
      return "BUILD_EXCLUSIVE_KERNEL_MIN is \(least)"
    }
    if let most = value("BUILD_EXCLUSIVE_KERNEL_MAX"), VersionOrder(most) < VersionOrder(release) {
      return "BUILD_EXCLUSIVE_KERNEL_MAX is \(most)"
    }
    if let pattern = value("BUILD_EXCLUSIVE_ARCH"),
      !ExtendedExpression.matches(pattern, in: kernel.architecture)
    {
      return "BUILD_EXCLUSIVE_ARCH is '\(pattern)'"
    }
    return value("BUILD_EXCLUSIVE_CONFIG").flatMap(unmetOption)
  }

  private func unmetOption(_ words: String) -> String? {
    for word in words.split(separator: " ") {
      let isUnwanted = word.hasPrefix("!")
      let option = String(isUnwanted ? word.dropFirst() : word)
      guard let isSet = hasKernelOption(option) else { return nil }
      if isSet == isUnwanted {
        return "the kernel is configured \(isUnwanted ? "with" : "without") \(option)"
      }
    }
    return nil
  }

  // MARK: Words

  private func yesOrNo(_ directive: String, _ problems: inout [String]) -> Bool {
    switch (variables[directive] ?? "").lowercased() {
    case "yes": return true
    case "no", "": return false
    case let other:
      problems.append("\(directive) is '\(other)', neither yes nor no")
      return false
    }
  }

  private var deprecatedInUse: [String] {
    Self.deprecated.filter { name in
      let values = variables.array(name)
      let isHarmless = name == "CLEAN" && ["true", "/bin/true", "/usr/bin/true"].contains(variables[name])
      return !values.isEmpty && !isHarmless
    }
  }
}
