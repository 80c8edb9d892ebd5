// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import SystemPackage

/// The words of a call of `dkms`, taken apart.
struct Arguments: Equatable {
  var action: Action?
  var module = ""
  var version = ""
  /// A source directory or a tarball that was named in the place of a module.
  var origin: FilePath?
  var kernels: [KernelArgument] = []
  var architectures: [String] = []
  var templateKernel: String?
  var isAll = false
  var isQuiet = false
  var isVerbose = false
  var isForced = false
  var isDryRun = false
  var isJSON = false
  var overridesVersions = false
  var skipsDepmod = false
  var linksModules = false
  var probesModules = false
  var isSafeUpgrade = false
  var contents: TarballContents = .sourceAndBuilds
  var jobs: Int?
  /// A tarball to read or write: a bare name, or a path from the root.
  var archive: FilePath?
  var configuration: FilePath?
  var kernelConfiguration: FilePath?
  var kernelSourceDirectory: FilePath?
  var dkmsTree: FilePath?
  var sourceTree: FilePath?
  var installTree: FilePath?
  var directives: [String] = []
  var request: Request?
  var remarks: [String] = []
  /// What relative paths start from; builds and scripts run elsewhere.
  private let directory: FilePath

  /// `-k RELEASE` or `-k RELEASE/ARCH`.
  struct KernelArgument: Equatable {
    var release: String
    var architecture: String?
  }

  /// Something that is answered at once.
  enum Request: Equatable {
    case help
    case version
  }

  enum Action: String, CaseIterable {
    case add, build, unbuild, install, uninstall, remove, status, autoinstall, match, mktarball, ldtarball
    case generateKeys = "generate_mok"
    case beforeKernelInstall = "kernel_preinst"
    case afterKernelInstall = "kernel_postinst"
    case beforeKernelRemoval = "kernel_prerm"
  }

  /// Takes a call apart; relative paths start from `directory`.
  init(_ words: [String], from directory: FilePath = "/") throws(UsageError) {
    self.directory = directory
    var words = words[...]
    while request == nil, let word = words.popFirst() {
      if word.hasPrefix("-") {
        try takeOption(word, &words)
      } else {
        try takeOperand(word)
      }
    }
    if request == nil { try checkCombination() }
  }

  // MARK: Options

  private mutating func takeOption(_ word: String, _ rest: inout ArraySlice<String>) throws(UsageError) {
    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = word.hasPrefix("--") ? String(parts[0]) : word
    let attached = word.hasPrefix("--") && parts.count == 2 ? String(parts[1]) : nil
    if attached == nil, try takeSwitch(name) { return }
    guard Self.valued.contains(name) else { throw .unknownOption(word) }
    guard let value = attached ?? rest.popFirst(), !value.isEmpty || Self.mayBeEmpty.contains(name) else {
      throw .missingValue(name)
    }
    try take(value, of: name)
  }

  private mutating func takeSwitch(_ name: String) throws(UsageError) -> Bool {
    switch name {
    case "--all": isAll = true
    case "--force": isForced = true
    case "--force-version-override": overridesVersions = true
    case "--no-depmod": skipsDepmod = true
    case "--symlink-modules": linksModules = true
    case "--modprobe-on-install": probesModules = true
    case "--rpm_safe_upgrade": isSafeUpgrade = true
    case "--binaries-only": try choose(.buildsOnly)
    case "--source-only": try choose(.sourceOnly)
    case "--dry-run": isDryRun = true
    case "--json": isJSON = true
    case "-q", "--quiet": isQuiet = true
    case "--verbose", "--debug": isVerbose = true
    case "-h", "--help": request = .help
    case "-V", "--version": request = .version
    case "--no-initrd", "--no-clean-kernel", "--no-prepare-kernel":
      remarks.append("\(name) is deprecated and has no effect")
    default: return false
    }
    return true
  }

  private mutating func choose(_ contents: TarballContents) throws(UsageError) {
    guard [.sourceAndBuilds, contents].contains(self.contents) else { throw .contradictoryContents }
    self.contents = contents
  }

  private static let valued: Set<String> = [
    "-m", "--module", "-v", "-k", "--kernelver", "-a", "--arch", "-c", "-j", "--config", "--kernelsourcedir",
    "--dkmstree", "--sourcetree", "--installtree", "--directive", "--templatekernel", "--archive",
  ]

  /// Scripts hand over variables that may be empty; such a value asks for nothing in particular.
  private static let mayBeEmpty: Set<String> = [
    "-m", "--module", "-v", "-k", "--kernelver", "-a", "--arch", "-c", "-j", "--templatekernel", "--archive",
  ]

  private mutating func take(_ value: String, of name: String) throws(UsageError) {
    switch name {
    case "-m", "--module": takeModule(value)
    case "-v": version = value
    case "-k", "--kernelver": takeKernel(value)
    case "-a", "--arch": architectures.append(value)
    case "-c": configuration = value.isEmpty ? nil : path(value)
    case "-j" where value.isEmpty: jobs = nil
    case "-j":
      guard let count = Int(value), count >= 0 else { throw .badValue(name, value) }
      jobs = count
    case "--config": kernelConfiguration = path(value)
    case "--kernelsourcedir": kernelSourceDirectory = path(value)
    case "--dkmstree": dkmsTree = path(value)
    case "--sourcetree": sourceTree = path(value)
    case "--installtree": installTree = path(value)
    case "--directive": directives.append(value)
    case "--templatekernel": templateKernel = value.isEmpty ? nil : value
    case "--archive" where value.isEmpty: archive = nil
    case "--archive": archive = value.contains("/") ? path(value) : FilePath(value)
    default: throw .unknownOption(name)
    }
  }

  private func path(_ value: String) -> FilePath {
    directory.pushing(FilePath(value)).lexicallyNormalized()
  }

  private mutating func takeModule(_ value: String) {
    let parts = value.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    module = String(parts[0])
    guard parts.count == 2 else { return }
    version = String(parts[1])
    // Shells complete the name of a directory with a slash.
    while version.hasSuffix("/") { version.removeLast() }
  }

  private mutating func takeKernel(_ value: String) {
    let parts = value.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    kernels.append(
      KernelArgument(release: String(parts[0]), architecture: parts.count == 2 ? String(parts[1]) : nil))
  }

  // MARK: Operands

  private mutating func takeOperand(_ word: String) throws(UsageError) {
    if let action = Action(rawValue: word) {
      guard self.action == nil else { throw .secondAction(word) }
      self.action = action
      return
    }
    switch try Operand(word, from: directory) {
    case .module(let name) where module.isEmpty: takeModule(name)
    case .module: remarks.append("the argument '\(word)' is ignored: a module is named already")
    case .source(let path), .archive(let path): origin = path
    }
  }

  /// The source directory or tarball that a module is to be brought in from.
  var importPath: FilePath? {
    archive.map { directory.pushing($0).lexicallyNormalized() } ?? origin
  }

  // MARK: Combinations

  private func checkCombination() throws(UsageError) {
    guard let action else { throw module.isEmpty ? .noAction : .unknownAction(module) }
    if architectures.count > 1, architectures.count != kernels.count { throw .architectureCount }
    if isAll, !kernels.isEmpty { throw .allWithKernel }
    if isAll, !architectures.isEmpty { throw .allWithArchitecture }
    if isJSON, action != .status { throw .onlyStatusHasJSON(action) }
    if action != .status { try checkKernels() }
  }

  private func checkKernels() throws(UsageError) {
    if kernels.contains(where: \.release.isEmpty) { throw .noKernel }
    let isNameless = (architectures + kernels.compactMap(\.architecture)).contains(where: \.isEmpty)
    if isNameless { throw .noArchitecture }
  }
}
