// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel

extension SuiteConfiguration {
  /// What text says: `key = value` on each line, `#` before comments.
  ///
  /// A line that cannot be understood is a problem and has no effect; the others have theirs.
  static func parse(
    _ text: [UInt8], of file: String
  ) -> (configuration: SuiteConfiguration, problems: [ConfigurationProblem]) {
    var parser = Parser(file: file)
    let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() { parser.take(line, number: index + 1) }
    return (parser.configuration, parser.concludedProblems)
  }
}

extension SuiteConfiguration {
  /// The lines of a file that set something, without comments, and for every other line that it is not one.
  package static func settings(in text: [UInt8]) -> [String] {
    text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated().compactMap {
      index, line in
      let words = Parser.words(String(decoding: line, as: UTF8.self))
      guard !words.isEmpty else { return nil }
      let statement = words.joined(separator: " ")
      let key = statement.prefix { $0 != "=" && $0 != " " }
      return Setting(rawValue: String(key)) == nil ? "# line \(index + 1) sets nothing" : statement
    }
  }
}

private struct Parser {
  let file: String
  var configuration = SuiteConfiguration()
  private var problems: [ConfigurationProblem] = []
  private var problemCount = 0
  private var linesOfKeys: [String: Int] = [:]

  init(file: String) { self.file = file }

  /// In the wrong kind of file every line is bad; a few of them are enough to report.
  private static let problemLimit = 10

  var concludedProblems: [ConfigurationProblem] {
    guard problemCount > problems.count else { return problems }
    let more = "there are problems in \((problemCount - problems.count).counted("more line"))"
    return problems + [ConfigurationProblem(file: file, line: nil, isError: true, text: more)]
  }

  mutating func take(_ bytes: ArraySlice<UInt8>, number: Int) {
    let text = String(decoding: bytes, as: UTF8.self)
    let words = Self.words(text)
    guard !words.isEmpty else { return }
    guard !text.unicodeScalars.contains(where: Self.isUnprintable) else {
      return report(number, "it holds bytes that are not text")
    }
    let statement = words.joined(separator: " ")
    guard let separator = statement.firstIndex(of: "=") else {
      return report(number, "it does not read 'key = value'")
    }
    let key = Self.words(String(statement[..<separator])).joined(separator: " ")
    let values = Self.words(String(statement[statement.index(after: separator)...]))
    guard let setting = Setting(rawValue: key) else {
      return report(number, "there is no key '\(key.prefix(40))'; \(Setting.suggestion(for: key))")
    }
    if let problem = setting.apply(values, to: &configuration) { return report(number, problem) }
    if let earlier = linesOfKeys[key] {
      report(number, "'\(key)' is set in line \(earlier), too; this one counts", isError: false)
    }
    linesOfKeys[key] = number
  }

  private mutating func report(_ line: Int, _ text: String, isError: Bool = true) {
    problemCount += 1
    guard problems.count < Self.problemLimit else { return }
    problems.append(ConfigurationProblem(file: file, line: line, isError: isError, text: text))
  }

  /// The words before a comment, which begins where a word begins.
  static func words(_ text: String) -> [String] {
    let words = text.unicodeScalars.split { [" ", "\t", "\r"].contains($0) }.map { String($0) }
    return Array(words.prefix { !$0.hasPrefix("#") })
  }

  private static func isUnprintable(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "\u{FFFD}" || scalar.isControl && scalar != "\t" && scalar != "\r"
  }
}

private enum Setting: String, CaseIterable {
  case critical
  case optional
  case ignored
  case ignoredKernels = "ignored-kernels"
  case silenceLimit = "silence-limit"
  case buildUser = "build-user"
  case sandboxScripts = "sandbox-scripts"
  case timeLimit = "time-limit"
  case memoryLimit = "memory-limit"
  case processLimit = "process-limit"
  case cache
  case uncached
  case cacheSize = "cache-size"
  case trust
  case initramfs
  case initramfsGenerator = "initramfs-generator"

  /// Sets the words of a value; returns what is wrong with them, if anything.
  func apply(_ words: [String], to configuration: inout SuiteConfiguration) -> String? {
    let patterns = words.map { NamePattern($0) }
    switch self {
    case .critical: configuration.critical = patterns
    case .optional: configuration.optional = patterns
    case .ignored: configuration.ignored = patterns
    case .ignoredKernels: configuration.ignoredKernels = patterns
    case .trust:
      if words.isEmpty {
        configuration.trust = nil
        return nil
      }
      var policy = TrustPolicy.strict
      if let problem = choice(words, &policy) { return problem }
      configuration.trust = policy
    case .initramfs:
      return choice(words, &configuration.initramfs)
    case .initramfsGenerator:
      if words.isEmpty {
        configuration.initramfsGenerator = nil
        return nil
      }
      var generator = configuration.initramfsGenerator ?? .mkinitcpio
      if let problem = choice(words, &generator) { return problem }
      configuration.initramfsGenerator = generator
    case .silenceLimit:
      return limit(words, &configuration.silenceLimit, Self.duration, durationForm)
    case .timeLimit:
      return limit(words, &configuration.confinement.timeLimit, Self.duration, durationForm)
    case .memoryLimit:
      return limit(
        words, &configuration.confinement.memoryLimit, Self.memory,
        "an amount of memory for '\(rawValue)': a number above 0 followed by M, G or %, or none")
    case .processLimit:
      return limit(
        words, &configuration.confinement.processLimit, Self.number,
        "a number for '\(rawValue)': one above 0, or none")
    case .buildUser:
      guard words.count == 1 else {
        return "'\(words.joined(separator: " ").prefix(40))' is not a user for '\(rawValue)'"
      }
      configuration.confinement.user = words[0] == "root" ? nil : words[0]
    case .sandboxScripts:
      var answer = Answer.no
      if let problem = choice(words, &answer) { return problem }
      configuration.confinement.includesScripts = answer == .yes
    case .cache:
      var answer = Answer.yes
      if let problem = choice(words, &answer) { return problem }
      configuration.cache.isUsed = answer == .yes
    case .uncached: configuration.cache.excluded = patterns
    case .cacheSize:
      return limit(
        words, &configuration.cache.limit, Self.size,
        "an amount of room for '\(rawValue)': a number above 0 followed by M or G, or none")
    }
    return nil
  }

  private enum Answer: String, CaseIterable { case yes, no }

  private var durationForm: String {
    "a duration for '\(rawValue)': a number above 0 followed by s, m or h, or none"
  }

  /// Takes a limit, which may be none; the form says what it would have to be.
  private func limit<Value>(
    _ words: [String], _ limit: inout Value?, _ parse: (String) -> Value?, _ form: String
  ) -> String? {
    let text = words.joined(separator: " ")
    let value = text == "none" ? nil : parse(text)
    guard value != nil || text == "none" else { return "'\(text.prefix(40))' is not \(form)" }
    limit = value
    return nil
  }

  private func choice<Value: RawRepresentable<String> & CaseIterable>(
    _ words: [String], _ choice: inout Value
  ) -> String? {
    let value = words.joined(separator: " ")
    if let known = Value.allCases.first(where: { $0.rawValue == value }) {
      choice = known
      return nil
    }
    let known = Value.allCases.map(\.rawValue).joined(separator: ", ")
    return "'\(value.prefix(40))' is not a value for '\(rawValue)'; the values are \(known)"
  }

  private static func duration(_ text: String) -> Duration? {
    let seconds: [Character: Int] = ["s": 1, "m": 60, "h": 3600]
    guard let unit = text.last.flatMap({ seconds[$0] }), let number = number(String(text.dropLast())) else {
      return nil
    }
    return .seconds(number * unit)
  }

  private static func memory(_ text: String) -> ConfinementOptions.MemoryLimit? {
    guard text.last == "%" else { return size(text).map { .bytes($0) } }
    return number(String(text.dropLast())).flatMap { $0 <= 100 ? .share(percent: $0) : nil }
  }

  private static func size(_ text: String) -> Int? {
    guard let number = number(String(text.dropLast())) else { return nil }
    return switch text.last {
    case "M": number << 20
    case "G": number << 30
    default: nil
    }
  }

  /// A number above 0.
  ///
  /// Six digits are enough: of hours they are more than a century.
  private static func number(_ text: String) -> Int? {
    guard text.utf8.count <= 6, text.utf8.allSatisfy({ ("0"..."9").contains(Unicode.Scalar($0)) }),
      let number = Int(text), number > 0
    else { return nil }
    return number
  }

  static func suggestion(for key: String) -> String {
    let known = allCases.map(\.rawValue)
    if let near = Suggestion.nearest(to: key, among: known) { return "did you mean '\(near)'?" }
    return "the keys are \(known.joined(separator: ", "))"
  }
}
