// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel

/// What `dkms --help` prints.
enum Usage {
  static var text: String {
    """
    usage: dkms ACTION [MODULE/VERSION | DIRECTORY | TARBALL] [OPTION...]

    actions:
    \(table(Action.allCases.map { ($0.rawValue, $0.entry.summary) }, width: 17))

    options:
    \(table(Option.table.filter { !$0.isDeprecated }.map { (heading($0), $0.helpLine) }, width: 36))

    \(deprecated) are accepted and have no effect.
    What is wrong with modules, kernels and images: alpm-dkms doctor
    """
  }

  private static func table(_ rows: [(String, String)], width: Int) -> String {
    rows.map { left, right in
      "  \(left)\(String(repeating: " ", count: max(1, width - left.count)))\(right)"
    }.joined(separator: "\n")
  }

  private static func heading(_ option: Option) -> String {
    option.names.joined(separator: ", ") + (option.value.map { " \($0.name)" } ?? "")
  }

  private static var deprecated: String {
    let names = Option.table.filter(\.isDeprecated).flatMap(\.names)
    return names.dropLast().joined(separator: ", ") + " and " + (names.last ?? "")
  }
}

/// A call of `dkms` that cannot be understood.
enum UsageError: Error, Equatable {
  case noAction
  case unknownAction(String)
  case unknownOption(String)
  case missingValue(String)
  case badValue(String, String)
  case secondAction(String)
  case noKernel
  case noArchitecture
  case architectureCount
  case allWithKernel
  case allWithArchitecture
  case contradictoryContents
  case onlyStatusHasJSON(Action)
  case noModule(Action)
  /// A module without its version, and the versions there are.
  case noVersion(Action, name: String, versions: [String])
  case noTemplateKernel
  case templateIsKernel(String)
  case severalKernels(Action)
  case exactlyOneKernel(Action)
  case allNotSupported(Action)
  case noArchive
  case noSuchPath(String)
  case failedLook(String)
  case noConfiguration(String)
  case noOSRelease
  case notRoot(Action)
  case notWritable(String)
  /// The file system of this directory cannot be written to by anybody.
  case readOnly(String)

  var message: String {
    switch self {
    case .noAction: "no action is named"
    case .unknownAction(let word): "unknown action '\(word)'" + question(Suggestion.action(for: word))
    case .unknownOption(let word): "unknown option \(word)" + question(Suggestion.option(for: word))
    case .missingValue(let option): "the option \(option) needs a value"
    case .badValue(let option, let value): "'\(value)' is not a valid value for \(option)"
    case .secondAction(let action): "only one action at a time: '\(action)' is a second one"
    case .noKernel: "no kernel is named: -k takes a release, as uname -r prints it"
    case .noArchitecture: "no architecture is named: -a takes one, as uname -m prints it"
    case .architectureCount: "name one architecture for all kernels, or one for each"
    case .allWithKernel: "--all and -k exclude each other"
    case .allWithArchitecture: "--all and -a exclude each other"
    case .contradictoryContents: "--binaries-only and --source-only exclude each other"
    case .onlyStatusHasJSON(let action): "dkms \(action.rawValue) has no --json; dkms status has"
    case .noModule(let action): "no module is named: dkms \(action.rawValue) takes NAME/VERSION"
    case .noVersion(_, let name, let versions) where versions.isEmpty:
      "no version of \(name) is named, and none is registered or in the source tree"
    case .noVersion(_, let name, let versions):
      "no version of \(name) is named; there is \(versions.joined(separator: ", "))"
    case .noTemplateKernel: "name the kernel to go by: dkms match --templatekernel RELEASE -k RELEASE"
    case .templateIsKernel(let release): "--templatekernel and -k name the same kernel, \(release)"
    case .severalKernels(let action): "dkms \(action.rawValue) takes one kernel at a time"
    case .exactlyOneKernel(let action): "name the kernel: dkms \(action.rawValue) -k RELEASE"
    case .allNotSupported(let action): "dkms \(action.rawValue) has no --all"
    case .noArchive: "name the tarball: dkms ldtarball FILE"
    case .failedLook(let reason): reason
    case .noSuchPath(let path): "\(path) does not exist"
    case .noConfiguration(let directory): "the directory \(directory) has no dkms.conf"
    case .noOSRelease: "neither /etc/os-release nor /usr/lib/os-release exists: this is not a complete system"
    case .notRoot(let action): "dkms \(action.rawValue) needs root"
    case .notWritable(let directory): "no write access to \(directory)"
    case .readOnly(let directory): "\(directory) is on a file system that is mounted read-only"
    }
  }

  private func question(_ suggestion: String?) -> String { suggestion.map { "; did you mean \($0)?" } ?? "" }

  /// The command to type in the place of the call, where one is known.
  ///
  /// - Parameter words: The words of the call.
  /// - Returns: The command, or what to do first, a colon and the command.
  func remedy(for words: [String]) -> String? {
    let call = Call("dkms", words)
    return switch self {
    case .noAction: Self.help
    case .unknownAction(let word): call.with(Suggestion.action(for: word), insteadOf: word)?.text ?? Self.help
    case .unknownOption(let word): call.with(Suggestion.option(for: word), insteadOf: word)?.text ?? Self.help
    case .noModule: Self.status
    case .noVersion(_, let name, let versions):
      call.with(versions.first.map { "\(name)/\($0)" }, insteadOf: name)?.text ?? Self.status
    case .onlyStatusHasJSON: "dkms status --json"
    case .notRoot, .notWritable: "sudo \(call.text)"
    case .readOnly: "mount it so that it can be written to, then: \(call.text)"
    default: nil
    }
  }

  private static let help = "all actions and options: dkms --help"
  private static let status = "what is registered: dkms status"

  var exitStatus: ExitStatus {
    switch self {
    case .architectureCount, .failedLook, .noConfiguration, .noModule, .noVersion, .noTemplateKernel,
      .notRoot, .notWritable, .readOnly:
      .refused
    case .noAction, .unknownAction, .unknownOption, .missingValue, .badValue, .allWithKernel,
      .onlyStatusHasJSON, .templateIsKernel, .noArchive, .noSuchPath:
      .usage
    case .allWithArchitecture: .wrongState
    case .secondAction, .severalKernels, .exactlyOneKernel, .noOSRelease: .broken
    case .allNotSupported: .unusable
    case .contradictoryContents: .badConfiguration
    case .noArchitecture: .noArchitecture
    case .noKernel: .noKernel
    }
  }
}

extension Suggestion {
  static func action(for word: String) -> String? {
    nearest(to: word, among: Action.allCases.map(\.rawValue))
  }

  /// The option for a word with its dashes; a value after an equals sign stays.
  static func option(for word: String) -> String? {
    option(for: word, among: Option.table.filter { !$0.isDeprecated }.flatMap(\.names))
  }
}
