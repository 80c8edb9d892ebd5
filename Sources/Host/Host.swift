// SPDX-License-Identifier: GPL-2.0-or-later

internal import CLinux
public import DKMSModel
internal import Glibc
public import SystemPackage

/// The machine as the engine sees it: everything that is not a file, injected in one value.
public struct Host: Sendable {
  /// The environment of this process.
  public var environment: [String: String]
  /// Whether this process may change the system's trees.
  public var isRoot: Bool
  /// The running kernel's release, as `uname -r` prints it.
  public var runningRelease: String
  /// What the kernel calls this boot; empty where it does not tell.
  public var bootIdentifier: String
  /// This process, by a name that no other ever has; empty where `/proc` does not tell.
  public var process: String
  /// The process that started this one, likewise.
  public var parent: String
  /// The architecture, as `uname -m` prints it.
  public var architecture: String
  /// The number of processors this process may use.
  public var processorCount: Int
  /// How much of processors and memory it may use.
  public var allowance: Allowance
  /// The directory that relative paths of the caller start from.
  public var workingDirectory: FilePath
  /// Runs programs.
  public var launcher: any CommandLauncher
  /// Where words for people go.
  public var console: Console
  /// How lists for people are laid out.
  public var style: OutputStyle
  /// How people are told that work goes on.
  public var signOfLife: SignOfLife
  /// Measures how long work takes.
  public var clock: SteadyClock
  /// Tells the time, in whole seconds since 1970.
  public var now: @Sendable () -> Int
  /// Whether this process sees another system than the one that was booted.
  public var isInChroot: @Sendable () -> Bool
  /// Whether the running kernel loads no module without a signature.
  public var enforcesSignatures: @Sendable () -> Bool

  /// Describes a machine.
  public init(
    environment: [String: String], isRoot: Bool, runningRelease: String, bootIdentifier: String = "",
    process: String = "", parent: String = "", architecture: String, processorCount: Int,
    allowance: Allowance = Allowance(),
    workingDirectory: FilePath = "/",
    launcher: any CommandLauncher, console: Console, style: OutputStyle = .plain,
    signOfLife: SignOfLife = .none, clock: SteadyClock = .live, now: @escaping @Sendable () -> Int,
    isInChroot: @escaping @Sendable () -> Bool = { false },
    enforcesSignatures: @escaping @Sendable () -> Bool = { false }
  ) {
    self.environment = environment
    self.isRoot = isRoot
    self.runningRelease = runningRelease
    self.bootIdentifier = bootIdentifier
    self.process = process
    self.parent = parent
    self.architecture = architecture
    self.processorCount = processorCount
    self.allowance = allowance
    self.workingDirectory = workingDirectory
    self.launcher = launcher
    self.console = console
    self.style = style
    self.signOfLife = signOfLife
    self.clock = clock
    self.now = now
    self.isInChroot = isInChroot
    self.enforcesSignatures = enforcesSignatures
  }

  /// The machine on which this process runs.
  public static func live() -> Host {
    let (release, machine) = identity()
    let environment = withSystemPrograms(liveEnvironment())
    let isRoot = geteuid() == 0
    let liveLine = LiveLine.live(environment)
    let boot = (try? Files.text("/proc/sys/kernel/random/boot_id")) ?? ""
    return Host(
      environment: environment, isRoot: isRoot, runningRelease: release, bootIdentifier: boot,
      process: name(of: getpid(), boot), parent: name(of: getppid(), boot), architecture: machine,
      processorCount: usableProcessors(), workingDirectory: currentDirectory(), launcher: ProcessLauncher(),
      console: .live(over: liveLine), style: .live(environment),
      signOfLife: liveLine.map(SignOfLife.live) ?? .none, now: { time(nil) },
      isInChroot: { Chroot.isEntered(environment: environment, isRoot: isRoot) },
      enforcesSignatures: { SignatureEnforcement.isOn() })
  }

  /// The same machine, with lines as signs of life where no line of a terminal can be one.
  public func withSignsOfLife() -> Host {
    var host = self
    if case .none = signOfLife { host.signOfLife = .lines }
    return host
  }

  /// The same machine, with lines laid out for the person at the terminal.
  public func forPeople() -> Host {
    var host = withSignsOfLife()
    host.console = console.laidOut(style, errors: .live(environment, STDERR_FILENO))
    return host
  }

  /// The same machine, with marks coloured where both streams are terminals; lines stay as they are, because scripts know
  /// their form.
  public func colored() -> Host {
    let isColored = style.isColored && OutputStyle.live(environment, STDERR_FILENO).isColored
    var host = self
    host.console = console.laidOut(
      OutputStyle(isColored: style.isColored), errors: OutputStyle(isColored: isColored))
    return host
  }

  /// The same machine, with all words on standard error, since programs read standard output.
  public func forPrograms() -> Host {
    var host = self
    host.console = console.onErrors
    host.style = .plain
    host.signOfLife = .lines
    return host
  }

  /// Runs a command; that it cannot be started is an error of the engine's kind.
  ///
  /// - Throws: `DKMSError.system` where the program could not be started.
  public func run(_ command: Command) async throws(DKMSError) -> CommandResult {
    do { return try await launcher.run(command) } catch { throw DKMSError(error) }
  }

  private static func identity() -> (release: String, machine: String) {
    var names = utsname()
    uname(&names)
    return (text(of: names.release), text(of: names.machine))
  }

  /// Numbers of processes come again; with the boot and the time of their start they do not.
  private static func name(of process: pid_t, _ boot: String) -> String {
    // The second field, a program's name, may hold blanks and parentheses. The start is the 22nd.
    guard let line = try? Files.text(FilePath("/proc/\(process)/stat")), let end = line.lastIndex(of: ")")
    else {
      return ""
    }
    let fields = line[end...].split(separator: " ").dropFirst()
    return fields.count > 19 ? "\(boot)/\(process)/\(fields[fields.startIndex + 19])" : ""
  }

  private static func currentDirectory() -> FilePath {
    guard let path = getcwd(nil, 0) else { return "/" }
    defer { free(path) }
    return FilePath(platformString: path)
  }

  private static func text<Field>(of field: Field) -> String {
    withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }

  private static func usableProcessors() -> Int {
    var set = [UInt8](repeating: 0, count: 1024)
    let code = sched_getaffinity(0, UInt(set.count), &set)
    return code == 0 ? set.reduce(0) { $0 + $1.nonzeroBitCount } : 1
  }

  /// depmod and modinfo may not be in the `PATH` of a user who became root.
  private static func withSystemPrograms(_ environment: [String: String]) -> [String: String] {
    let path = environment["PATH"]?.split(separator: ":").map(String.init) ?? []
    let system = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin"]
    let missing = system.filter { !path.contains($0) }
    return environment.merging(["PATH": (path + missing).joined(separator: ":")]) { $1 }
  }

  private static func liveEnvironment() -> [String: String] {
    var environment: [String: String] = [:]
    var entry = environ
    while let pointer = entry.pointee {
      let text = String(cString: pointer)
      if let separator = text.firstIndex(of: "=") {
        environment[String(text[..<separator])] = String(text[text.index(after: separator)...])
      }
      entry += 1
    }
    return environment
  }
}

/// Whether the running kernel loads no module without a signature.
enum SignatureEnforcement {
  /// Asks the kernel: it was told so at boot, or it is locked down.
  static func isOn(sys: FilePath = "/sys") -> Bool {
    if (try? Files.text(sys.appending("module/module/parameters/sig_enforce"))) == "Y" { return true }
    // `none [integrity] confidentiality`: the brackets mark the current level; every level but none asks for
    // signatures.
    let level = try? Files.text(sys.appending("kernel/security/lockdown"))
    return level.map { $0.contains("[") && !$0.contains("[none]") } ?? false
  }
}

/// Whether a process sees another system than the one that was booted.
enum Chroot {
  /// Asks as the reference does: fakechroot says so, or mounts or root directory are not those of process 1.
  ///
  /// Only root may look at the root directory of process 1. If even root cannot, /proc is missing, as it is
  /// in a bare chroot.
  static func isEntered(environment: [String: String], isRoot: Bool, proc: FilePath = "/proc") -> Bool {
    let isFake =
      environment["FAKECHROOT"] == "true" && environment["FAKECHROOT_BASE"] != nil
      && environment["LD_PRELOAD"]?.contains("libfakechroot.so") == true
    if isFake { return true }
    let mounts = ["1", "self"].map { try? Files.read(proc.appending($0).appending("mountinfo")) }
    if let first = mounts[0], let own = mounts[1], first != own { return true }
    return isRoot && (try? Files.areSame(proc.appending("1/root"), "/")) != true
  }
}

/// A moment as people read it.
public enum Moment {
  /// `2026-11-25 12:11:28`, in the time zone of this machine; of seconds since 1970.
  public static func text(_ seconds: Int) -> String {
    var time = time_t(seconds)
    var parts = tm()
    localtime_r(&time, &parts)
    var text = [CChar](repeating: 0, count: 64)
    strftime(&text, text.count, "%Y-%m-%d %H:%M:%S", &parts)
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
