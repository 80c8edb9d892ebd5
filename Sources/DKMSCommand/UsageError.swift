// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel

/// A call of `dkms` that cannot be understood.
enum UsageError: Error, Equatable {
  case noAction
  case unknownAction(String)
  case unknownOption(String)
  case unsupportedOption(String)
  case unsupportedAction(String)
  case unsupportedPath(String)
  case missingValue(String)
  case badValue(String, String)
  case secondAction(String)
  case architectureCount
  case allWithKernel
  case allWithArchitecture
  case noModule(Arguments.Action)
  case severalKernels(Arguments.Action)
  case allNotSupported(Arguments.Action)
  case notRoot(Arguments.Action)
  case notWritable(String)

  var message: String {
    switch self {
    case .noAction: "no action is named; see dkms --help"
    case .unknownAction(let word): "'\(word)' is no action; see dkms --help"
    case .unknownOption(let option): "unknown option \(option); see dkms --help"
    case .unsupportedOption(let option): "the option \(option) is not in this version"
    case .unsupportedAction(let action): "the action \(action) is not in this version"
    case .unsupportedPath(let path):
      "name a module as NAME/VERSION: paths like '\(path)' are not in this version"
    case .missingValue(let option): "the option \(option) needs a value"
    case .badValue(let option, let value): "'\(value)' is not a value for \(option)"
    case .secondAction(let action): "only one action at a time: '\(action)' is a second one"
    case .architectureCount: "name one architecture for all kernels, or one for each"
    case .allWithKernel: "--all and -k exclude each other"
    case .allWithArchitecture: "--all and -a exclude each other"
    case .noModule(let action): "name the module: dkms \(action.rawValue) NAME/VERSION"
    case .severalKernels(let action): "dkms \(action.rawValue) takes one kernel at a time"
    case .allNotSupported(let action): "dkms \(action.rawValue) has no --all"
    case .notRoot(let action): "dkms \(action.rawValue) needs root: try it with sudo"
    case .notWritable(let directory): "no write access to \(directory): try it with sudo"
    }
  }

  var exitStatus: ExitStatus {
    switch self {
    case .architectureCount, .noModule, .notRoot, .notWritable: .refused
    case .noAction, .unknownAction, .unknownOption, .unsupportedOption, .unsupportedAction, .unsupportedPath,
      .missingValue,
      .badValue,
      .allWithKernel:
      .usage
    case .allWithArchitecture: .wrongState
    case .secondAction, .severalKernels: .broken
    case .allNotSupported: .unusable
    }
  }
}
