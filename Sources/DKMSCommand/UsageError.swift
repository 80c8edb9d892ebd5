// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel

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
  case onlyStatusHasJSON(Arguments.Action)
  case noModule(Arguments.Action)
  case noTemplateKernel
  case templateIsKernel(String)
  case severalKernels(Arguments.Action)
  case exactlyOneKernel(Arguments.Action)
  case allNotSupported(Arguments.Action)
  case noArchive
  case noSuchPath(String)
  case failedLook(String)
  case noConfiguration(String)
  case notRoot(Arguments.Action)
  case notWritable(String)

  var message: String {
    switch self {
    case .noAction: "no action is named; see dkms --help"
    case .unknownAction(let word): "'\(word)' is no action; see dkms --help"
    case .unknownOption(let option): "unknown option \(option); see dkms --help"
    case .missingValue(let option): "the option \(option) needs a value"
    case .badValue(let option, let value): "'\(value)' is not a value for \(option)"
    case .secondAction(let action): "only one action at a time: '\(action)' is a second one"
    case .noKernel: "no kernel is named: -k takes a release, as uname -r prints it"
    case .noArchitecture: "no architecture is named: -a takes one, as uname -m prints it"
    case .architectureCount: "name one architecture for all kernels, or one for each"
    case .allWithKernel: "--all and -k exclude each other"
    case .allWithArchitecture: "--all and -a exclude each other"
    case .contradictoryContents: "--binaries-only and --source-only exclude each other"
    case .onlyStatusHasJSON(let action): "dkms \(action.rawValue) has no --json; dkms status has"
    case .noModule(let action): "name the module: dkms \(action.rawValue) NAME/VERSION"
    case .noTemplateKernel: "name the kernel to go by: dkms match --templatekernel RELEASE -k RELEASE"
    case .templateIsKernel(let release): "--templatekernel and -k name the same kernel, \(release)"
    case .severalKernels(let action): "dkms \(action.rawValue) takes one kernel at a time"
    case .exactlyOneKernel(let action): "name the kernel: dkms \(action.rawValue) -k RELEASE"
    case .allNotSupported(let action): "dkms \(action.rawValue) has no --all"
    case .noArchive: "name the tarball: dkms ldtarball FILE"
    case .failedLook(let reason): reason
    case .noSuchPath(let path): "\(path) does not exist"
    case .noConfiguration(let directory): "the directory \(directory) has no dkms.conf"
    case .notRoot(let action): "dkms \(action.rawValue) needs root: try it with sudo"
    case .notWritable(let directory): "no write access to \(directory): try it with sudo"
    }
  }

  var exitStatus: ExitStatus {
    switch self {
    case .architectureCount, .failedLook, .noModule, .noTemplateKernel, .notRoot, .notWritable: .refused
    case .noAction, .unknownAction, .unknownOption, .missingValue, .badValue, .allWithKernel,
      .onlyStatusHasJSON, .templateIsKernel, .noArchive, .noSuchPath:
      .usage
    case .allWithArchitecture: .wrongState
    case .secondAction, .severalKernels, .exactlyOneKernel: .broken
    case .allNotSupported: .unusable
    case .contradictoryContents: .badConfiguration
    case .noConfiguration: .sourceUnusable
    case .noArchitecture: .noArchitecture
    case .noKernel: .noKernel
    }
  }
}
