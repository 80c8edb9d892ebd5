// SPDX-License-Identifier: GPL-2.0-or-later

internal import Host
public import SystemPackage

extension SuiteConfiguration {
  /// What a file says, as far as it can be understood, and what cannot.
  ///
  /// A missing file sets nothing; something that is not a readable text file is a problem, and sets nothing
  /// either.
  public static func read(_ file: FilePath) -> (
    configuration: SuiteConfiguration, problems: [ConfigurationProblem]
  ) {
    let unusable = { (reason: String) in
      (
        SuiteConfiguration(),
        [ConfigurationProblem(file: file.string, line: nil, isError: true, text: reason)]
      )
    }
    do {
      guard let bytes = try Files.contents(file, sizeLimit) else { return (SuiteConfiguration(), []) }
      return parse(bytes, of: file.string)
    } catch {
      return unusable("it cannot be read: \(error.reason); the defaults are used")
    }
  }

  private static let sizeLimit = 256 << 10
}
