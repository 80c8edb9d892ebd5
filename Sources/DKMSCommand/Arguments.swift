// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
internal import SystemPackage

/// The words of a call of `dkms`, taken apart.
struct Arguments: Equatable {
  var action: Action?
  var module = ""
  var version = ""
  var kernels: [KernelArgument] = []
  var architectures: [String] = []
  var isAll = false
  var isQuiet = false
  var isForced = false
  var skipsDepmod = false
  var jobs: Int?
  var configuration: FilePath?
  var kernelConfiguration: FilePath?
  var kernelSourceDirectory: FilePath?
  var dkmsTree: FilePath?
  var sourceTree: FilePath?
  var installTree: FilePath?
  var directives: [String] = []
  var request: Request?
  var remarks: [String] = []

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
    case add, build, unbuild, install, uninstall, remove, status, autoinstall

    /// The reference's other actions, which this version does not have.
    static let missing: Set<String> = [
      "match", "mktarball", "ldtarball", "generate_mok", "kernel_preinst", "kernel_postinst", "kernel_prerm",
    ]
  }

  init(_ words: [String]) throws(UsageError) {
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
    if attached == nil, takeSwitch(name) { return }
    if Self.unsupported.contains(name) { throw .unsupportedOption(name) }
    guard Self.valued.contains(name) else { throw .unknownOption(word) }
    guard let value = attached ?? rest.popFirst(), !value.isEmpty else { throw .missingValue(name) }
    try take(value, of: name)
  }

  private mutating func takeSwitch(_ name: String) -> Bool {
    switch name {
    case "--all": isAll = true
    case "--force": isForced = true
    case "--no-depmod": skipsDepmod = true
    case "-q", "--quiet": isQuiet = true
    case "--verbose", "--debug": break
    case "-h", "--help": request = .help
    case "-V", "--version": request = .version
    case "--no-initrd", "--no-clean-kernel", "--no-prepare-kernel":
      remarks.append("\(name) is deprecated and has no effect")
    default: return false
    }
    return true
  }

  private static let valued: Set<String> = [
    "-m", "--module", "-v", "-k", "--kernelver", "-a", "--arch", "-c", "-j", "--config", "--kernelsourcedir",
    "--dkmstree", "--sourcetree", "--installtree", "--directive",
  ]

  private static let unsupported: Set<String> = [
    "--force-version-override", "--templatekernel", "--archive", "--binaries-only", "--source-only",
    "--modprobe-on-install", "--symlink-modules", "--rpm_safe_upgrade",
  ]

  private mutating func take(_ value: String, of name: String) throws(UsageError) {
    switch name {
    case "-m", "--module": takeModule(value)
    case "-v": version = value
    case "-k", "--kernelver": takeKernel(value)
    case "-a", "--arch": architectures.append(value)
    case "-c": configuration = FilePath(value)
    case "-j":
      guard let count = Int(value), count >= 0 else { throw .badValue(name, value) }
      jobs = count
    case "--config": kernelConfiguration = FilePath(value)
    case "--kernelsourcedir": kernelSourceDirectory = FilePath(value)
    case "--dkmstree": dkmsTree = FilePath(value)
    case "--sourcetree": sourceTree = FilePath(value)
    case "--installtree": installTree = FilePath(value)
    case "--directive": directives.append(value)
    default: throw .unknownOption(name)
    }
  }

  private mutating func takeModule(_ value: String) {
    let parts = value.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    module = String(parts[0])
    if parts.count == 2 { version = String(parts[1]) }
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
    } else if Action.missing.contains(word) {
      throw .unsupportedAction(word)
    } else if Self.isPath(word) {
      throw .unsupportedPath(word)
    } else if module.isEmpty {
      takeModule(word)
    } else {
      remarks.append("the argument '\(word)' is ignored: a module is named already")
    }
  }

  private static func isPath(_ word: String) -> Bool {
    ["/", "./", "../"].contains(where: word.hasPrefix) || word.hasSuffix("dkms.conf") || word.contains(".tar")
  }

  // MARK: Combinations

  private func checkCombination() throws(UsageError) {
    guard action != nil else { throw module.isEmpty ? .noAction : .unknownAction(module) }
    if architectures.count > 1, architectures.count != kernels.count { throw .architectureCount }
    if isAll, !kernels.isEmpty { throw .allWithKernel }
    if isAll, !architectures.isEmpty { throw .allWithArchitecture }
  }
}
