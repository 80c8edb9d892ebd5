// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
internal import DKMSModel
internal import Host
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

  /// Takes a call apart; relative paths start from `directory`.
  init(_ words: [String], from directory: FilePath = "/") throws(UsageError) {
    self.directory = directory
    var words = words[...]
    var unknownAction: String?
    while request == nil, let word = words.popFirst() {
      if word.hasPrefix("-") {
        try takeOption(word, &words)
      } else {
        try takeOperand(word, &unknownAction)
      }
    }
    if request == nil, action == nil { throw unknownAction.map(UsageError.unknownAction) ?? .noAction }
    if request == nil { try checkCombination() }
  }

  // MARK: Options

  private mutating func takeOption(_ word: String, _ rest: inout ArraySlice<String>) throws(UsageError) {
    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = word.hasPrefix("--") ? String(parts[0]) : word
    let attached = word.hasPrefix("--") && parts.count == 2 ? String(parts[1]) : nil
    guard let option = Option.named(name), option.value != nil || attached == nil else {
      throw .unknownOption(word)
    }
    guard let takes = option.value else { return try option.effect(&self, "", name) }
    guard let value = attached ?? rest.popFirst(), !value.isEmpty || takes.mayBeEmpty else {
      throw .missingValue(name)
    }
    try option.effect(&self, value, name)
  }

  mutating func choose(_ contents: TarballContents) throws(UsageError) {
    guard [.sourceAndBuilds, contents].contains(self.contents) else { throw .contradictoryContents }
    self.contents = contents
  }

  mutating func takeJobs(_ value: String, _ name: String) throws(UsageError) {
    jobs = nil
    if value.isEmpty { return }
    guard let count = Int(value), count >= 0 else { throw .badValue(name, value) }
    jobs = count
  }

  mutating func takeArchive(_ value: String) {
    archive = value.isEmpty ? nil : value.contains("/") ? path(value) : FilePath(value)
  }

  /// What a path of the call leads to.
  func path(_ value: String) -> FilePath {
    directory.pushing(FilePath(value)).lexicallyNormalized()
  }

  mutating func takeModule(_ value: String) {
    let parts = value.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    module = String(parts[0])
    guard parts.count == 2 else { return }
    version = String(parts[1])
    // Shells complete the name of a directory with a slash.
    while version.hasSuffix("/") { version.removeLast() }
  }

  mutating func takeKernel(_ value: String) {
    let parts = value.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    kernels.append(
      KernelArgument(release: String(parts[0]), architecture: parts.count == 2 ? String(parts[1]) : nil))
  }

  // MARK: Operands

  private mutating func takeOperand(_ word: String, _ unknownAction: inout String?) throws(UsageError) {
    if let action = Action(rawValue: word) {
      guard self.action == nil else { throw .secondAction(word) }
      self.action = action
      return
    }
    switch try Operand(word, from: directory) {
    case .module(let name):
      // A mistyped action looks like a module.
      if !word.contains("/"), unknownAction == nil { unknownAction = word }
      if module.isEmpty {
        takeModule(name)
      } else {
        remarks.append("the argument '\(word)' is ignored: a module is named already")
      }
    case .source(let path), .archive(let path): origin = path
    }
  }

  /// The source directory or tarball that a module is to be brought in from.
  var importPath: FilePath? {
    archive.map { directory.pushing($0).lexicallyNormalized() } ?? origin
  }

  // MARK: Combinations

  private func checkCombination() throws(UsageError) {
    if architectures.count > 1, architectures.count != kernels.count { throw .architectureCount }
    if isAll, !kernels.isEmpty { throw .allWithKernel }
    if isAll, !architectures.isEmpty { throw .allWithArchitecture }
    if isJSON, let action, action != .status { throw .onlyStatusHasJSON(action) }
    if action != .status { try checkKernels() }
  }

  private func checkKernels() throws(UsageError) {
    if kernels.contains(where: \.release.isEmpty) { throw .noKernel }
    let isNameless = (architectures + kernels.compactMap(\.architecture)).contains(where: \.isEmpty)
    if isNameless { throw .noArchitecture }
  }

  // MARK: Results

  /// Where everything is, with the trees that the call names.
  func layout(over layout: Layout) -> Layout {
    var layout = layout
    if let dkmsTree { layout.dkmsTree = dkmsTree }
    if let sourceTree { layout.sourceTree = sourceTree }
    if let installTree { layout.installTree = installTree }
    return layout
  }

  /// What framework.conf sets, with what the call sets.
  func options(over options: BuildOptions) -> BuildOptions {
    var options = options
    options.jobs = jobs ?? options.jobs
    // As with make: a number that is typed is stronger than what another make allows.
    options.joinsJobServer = jobs == nil
    options.configurationFile = configuration
    options.kernelSourceDirectory = kernelSourceDirectory
    options.kernelConfiguration = kernelConfiguration
    options.directives = directives
    // If a package upgrade stopped half-way, nothing would be left installed.
    options.isForced = isForced || isSafeUpgrade && action == .install
    options.overridesVersions = overridesVersions
    // Somebody who types a version may not know of the other; autoinstall and the hooks always mean the newest.
    options.keepsInstalled = action == .install
    options.skipsDepmod = skipsDepmod
    options.linksModules = linksModules || options.linksModules
    options.probesModules = probesModules || options.probesModules
    options.isVerbose = isVerbose || options.isVerbose
    return options
  }
}

/// A word of a call that is neither an option nor an action.
enum Operand: Equatable {
  /// `NAME` or `NAME/VERSION`.
  case module(String)
  /// A directory with a dkms.conf.
  case source(FilePath)
  /// A tarball.
  case archive(FilePath)

  /// Finds out what a word means by looking at what exists.
  ///
  /// - Parameters:
  ///   - word: The word as it was given.
  ///   - directory: What relative paths start from.
  /// - Throws: `UsageError` for a word that can only be a path but leads to none of these.
  init(_ word: String, from directory: FilePath) throws(UsageError) {
    let path = directory.pushing(FilePath(word)).lexicallyNormalized()
    let isFile = try Self.look(at: path, Files.isFile)
    if path.lastComponent == "dkms.conf", isFile {
      self = .source(path.removingLastComponent())
    } else if try Self.look(at: path.appending("dkms.conf"), Files.isFile) {
      self = .source(path)
    } else if isFile {
      self = .archive(path)
    } else if !["/", "./", "../"].contains(where: word.hasPrefix) {
      self = .module(word)
    } else if try Self.look(at: path, Files.isDirectory) {
      throw .noConfiguration(path.string)
    } else {
      throw .noSuchPath(path.string)
    }
  }

  private static func look(
    at path: FilePath, _ question: (FilePath) throws(HostError) -> Bool
  ) throws(UsageError) -> Bool {
    do { return try question(path) } catch { throw .failedLook("\(error)") }
  }
}
