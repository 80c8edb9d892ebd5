// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel

extension SuiteConfiguration {
  /// What is wrong with the names in it: a name of something critical that nothing has protects nothing.
  ///
  /// - Parameters:
  ///   - names: The names of all modules, as their packages and as the kernel have them.
  ///   - file: The file that says it.
  /// - Returns: A problem for each name that nothing has.
  package func problems(among names: Set<String>, in file: String) -> [ConfigurationProblem] {
    critical.filter { pattern in !names.contains { pattern.matches(module: $0) } }.map { pattern in
      let near = names.sorted().map { (name: $0, distance: $0.distance(to: "\(pattern)")) }
        .min { $0.distance < $1.distance }
      let suggestion = near.flatMap { $0.distance <= 2 ? "; did you mean '\($0.name)'?" : nil } ?? ""
      return ConfigurationProblem(
        file: file, line: nil, isError: true,
        text: "critical = \(pattern): no module and no source of one is called so\(suggestion)")
    }
  }
}

extension String {
  /// The number of letters to change, add or drop to make another word of this one.
  func distance(to other: String) -> Int {
    guard other.count <= 2 * count else { return .max }
    var row = Array(0...other.count)
    for (index, letter) in enumerated() {
      var diagonal = row[0]
      row[0] = index + 1
      for (column, letterThere) in other.enumerated() {
        let change = diagonal + (letter == letterThere ? 0 : 1)
        diagonal = row[column + 1]
        row[column + 1] = Swift.min(change, row[column] + 1, row[column + 1] + 1)
      }
    }
    return row[other.count]
  }
}
