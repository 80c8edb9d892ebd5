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
  ///
  /// A directory that cannot be looked into holds no program that could be run.
  func contains(_ program: String) -> Bool {
    let places = program.contains("/") ? [program] : directories.map { "\($0)/\(program)" }
    return places.contains { (try? Files.isExecutable(FilePath($0))) == true }
  }
}
