// SPDX-License-Identifier: GPL-2.0-or-later

internal import Host
internal import SystemPackage

/// The directories in which programs are found.
struct ProgramPath: Hashable, Sendable {
  private let directories: [String]

  /// Those of an environment's `PATH`.
  init(_ environment: [String: String]) {
    directories = (environment["PATH"] ?? BashEvaluator.defaultPath).split(separator: ":").map(String.init)
  }

  /// Whether there is a program of this name or path.
  func contains(_ program: String) -> Bool {
    program.contains("/")
      ? Files.isExecutable(FilePath(program))
      : directories.contains { Files.isExecutable(FilePath("\($0)/\(program)")) }
  }
}
