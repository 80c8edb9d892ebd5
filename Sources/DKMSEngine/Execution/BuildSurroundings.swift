// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// What a build and its scripts are told of the world: the toolchain, and what the administrator's file exports.
struct BuildSurroundings {
  let environment: [String: String]
  let toolchain: KernelToolchain

  /// Reads the file, if there is to be one, over the caller's environment and the kernel's toolchain.
  init(
    for kernel: KernelTree, over environment: [String: String], _ options: BuildOptions, on host: Host
  ) async throws(DKMSError) {
    let toolchain = try onFiles { () throws(HostError) in
      try KernelToolchain(of: kernel, path: ProgramPath(environment))
    }
    let plain = environment.merging(toolchain.variables) { $1 }
    guard let file = options.buildEnvironment?.value(for: kernel.release.description) else {
      self.environment = plain
      self.toolchain = toolchain
      return
    }
    var exported = try await BashEvaluator(host: host).exports(
      of: FilePath(file), over: plain, variables: ["kernelver": kernel.release.description])
    // It may choose other compilers by setting PATH, or by naming them.
    self.toolchain = try onFiles { [exported] () throws(HostError) in
      try KernelToolchain(of: kernel, path: ProgramPath(exported))
    }
    for (name, value) in self.toolchain.variables where exported[name] == plain[name] {
      exported[name] = value
    }
    self.environment = exported
  }

  /// `MAKEFLAGS` for every make of the build: how it shares jobs, and what its Makefiles must not set otherwise.
  ///
  /// Arguments appended to the build command would only reach the last of its commands, which need not be a
  /// make.
  func makeFlags(_ jobServer: JobServer?) -> String? {
    let variables = toolchain.strongVariables.compactMap { name in
      environment[name].map { "\(name)=\(Self.escaped($0))" }
    }
    let flags =
      (jobServer.map { [$0.makeFlags] } ?? []) + (variables.isEmpty ? [] : ["--"] + variables)
    return flags.isEmpty ? nil : flags.joined(separator: " ")
  }

  /// A value as make writes it there.
  private static func escaped(_ value: String) -> String {
    value.map { character in
      switch character {
      case "\\", " ", "\t": "\\\(character)"
      case "$": "$$"
      default: "\(character)"
      }
    }.joined()
  }
}
