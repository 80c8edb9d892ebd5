// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel

extension SuiteConfiguration {
  /// What is wrong with the names in it: a critical name that no module has protects nothing.
  ///
  /// - Parameters:
  ///   - names: The names of all modules, as their packages and as the kernel have them.
  ///   - file: The file that says it.
  /// - Returns: A problem for each name that nothing has.
  package func problems(among names: Set<String>, in file: String) -> [ConfigurationProblem] {
    critical.filter { pattern in !names.contains { pattern.matches(module: $0) } }.map { pattern in
      let near = Suggestion.nearest(to: "\(pattern)", among: names.sorted())
      let suggestion = near.map { "; did you mean '\($0)'?" } ?? ""
      return ConfigurationProblem(
        file: file, line: nil, isError: true,
        text: "critical = \(pattern): no module and no source of one is called so\(suggestion)")
    }
  }
}
