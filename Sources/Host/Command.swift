// SPDX-License-Identifier: GPL-2.0-or-later

public import SystemPackage

/// A program to run, as a value: nothing happens until a launcher takes it.
public struct Command: Hashable, Sendable {
  /// The program: a path, or a name to find in `PATH`.
  public var program: String
  /// Its arguments, without the program itself.
  public var arguments: [String]
  /// Its whole environment, without variables by which shells and interpreters run other code.
  public var environment: [String: String] {
    didSet { environment = environment.withoutPrograms }
  }
  /// Its working directory.
  public var directory: FilePath
  /// Where its standard output and standard error go.
  public var output: Output
  /// How long it may run before it and its children are killed; nil for no limit.
  public var timeLimit: Duration?
  /// How long it may print nothing before it and its children are killed; nil for no limit.
  ///
  /// Silence is noticed up to a tenth of the limit later.
  public var silenceLimit: Duration?
  /// The file that counts refused processes of the control group that it runs in: it is killed at the first.
  public var processEvents: FilePath?
  /// How many bytes it may print, both streams together, before it and its children are killed, where they are
  /// captured.
  public var outputLimit: Int
  /// Descriptors of this process that the child gets, under the numbers of the keys (3 or more).
  public var descriptors: [CInt: FileDescriptor]

  /// Where a child's output goes.
  public enum Output: Hashable, Sendable {
    /// Both streams are kept, apart, in the result.
    case captured
    /// Both streams are appended to this open file.
    case appended(FileDescriptor)
  }

  /// More bytes than any program prints in answer to a question.
  public static let usualOutputLimit = 64 << 20

  /// Describes a run of a program.
  public init(
    _ program: String, _ arguments: [String] = [], environment: [String: String],
    directory: FilePath = "/", output: Output = .captured, timeLimit: Duration? = nil,
    silenceLimit: Duration? = nil, processEvents: FilePath? = nil, outputLimit: Int = usualOutputLimit,
    descriptors: [CInt: FileDescriptor] = [:]
  ) {
    self.program = program
    self.arguments = arguments
    self.environment = environment.withoutPrograms
    self.directory = directory
    self.output = output
    self.timeLimit = timeLimit
    self.silenceLimit = silenceLimit
    self.processEvents = processEvents
    self.outputLimit = outputLimit
    self.descriptors = descriptors
  }
}

extension [String: String] {
  /// An environment without variables by which shells and interpreters run code of whoever set them.
  fileprivate var withoutPrograms: [String: String] {
    filter { name, _ in !Self.programs.contains(name) && !name.hasPrefix("BASH_FUNC_") }
  }

  private static var programs: Set<String> {
    [
      "BASH_ENV", "BASHOPTS", "BASH_LOADABLES_PATH", "CDPATH", "ENV", "GLOBIGNORE", "IFS", "PERL5DB",
      "PERL5LIB",
      "PERL5OPT", "PERLLIB", "PROMPT_COMMAND", "PS4", "PYTHONHOME", "PYTHONINSPECT", "PYTHONPATH",
      "PYTHONSTARTUP",
      "SHELLOPTS",
    ]
  }
}

/// How a program ended.
public struct CommandResult: Hashable, Sendable {
  /// How it ended.
  public var termination: Termination
  /// What it wrote to standard output, where that was captured.
  public var output: [UInt8]
  /// What it wrote to standard error, where that was captured.
  public var errorOutput: [UInt8]

  /// Describes the end of a program.
  public init(_ termination: Termination, output: [UInt8] = [], errorOutput: [UInt8] = []) {
    self.termination = termination
    self.output = output
    self.errorOutput = errorOutput
  }

  /// How a program ended.
  public enum Termination: Hashable, Sendable {
    /// By itself, with this status.
    case exited(Int32)
    /// By this signal.
    case signalled(Int32)
    /// It ran longer than its time limit and was killed.
    case timedOut
    /// It printed nothing for this long, its silence limit, and was killed.
    case silent(Duration)
    /// It wanted more processes than its control group may have, and was killed.
    case crowded
    /// It printed more than this many bytes, its output limit, and was killed.
    case tooLoud(limit: Int)
  }

  /// Whether it ended with status 0.
  public var isSuccess: Bool { termination == .exited(0) }

  /// The status as a shell counts it: 128 and the signal's number for a killed program.
  public var status: Int32 {
    switch termination {
    case .exited(let status): status
    case .signalled(let signal): 128 + signal
    case .timedOut, .silent, .crowded, .tooLoud: 124
    }
  }

  /// Standard output as text; bytes that are not UTF-8 are replaced.
  public var text: String { String(decoding: output, as: UTF8.self) }

  /// Standard error as text; bytes that are not UTF-8 are replaced.
  public var errorText: String { String(decoding: errorOutput, as: UTF8.self) }
}

/// Runs commands.
public protocol CommandLauncher: Sendable {
  /// Runs a command and waits for its end; cancelling the task ends it and its children.
  ///
  /// Nothing of its process group is left afterwards, nor when this process is killed.
  ///
  /// - Throws: `HostError` where the program could not be started.
  func run(_ command: Command) async throws(HostError) -> CommandResult
}
