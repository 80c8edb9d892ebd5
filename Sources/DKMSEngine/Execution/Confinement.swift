// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// Who builds modules, and what a build may take, as `/etc/alpm-dkms.conf` sets it.
public struct ConfinementOptions: Hashable, Sendable {
  /// The user that builds; nil for root.
  public var user: String? = usualUser
  /// Whether the scripts of modules are that user's, too.
  public var includesScripts = false
  /// How long a command of a build may take; nil for no limit.
  public var timeLimit: Duration? = .seconds(4 * 60 * 60)
  /// How much memory a build may use; nil for no limit.
  public var memoryLimit: MemoryLimit? = .share(percent: 75)
  /// How many processes and threads a build may have at once; nil for no limit.
  public var processLimit: Int? = 4096

  /// The options of a file that says nothing.
  public init() {}

  /// A control group with the limits for one command; nil where none can be had.
  var controlGroup: ControlGroup? {
    ControlGroup.make(memory: memoryLimit?.bytes, processes: processLimit)
  }

  /// The limit that ended a command, if one did.
  func limit(reachedBy result: CommandResult, _ group: ControlGroup?) -> BuildLimit? {
    switch result.termination {
    case .timedOut: timeLimit.map { .time($0) }
    case .crowded: processLimit.map { .processes($0) }
    case .exited(0): nil
    default: group?.hasRunOutOfMemory == true ? memoryLimit?.bytes.map { .memory($0) } : nil
    }
  }

  /// The user that the package makes; where that is missing, nobody has asked for it.
  static let usualUser = "dkms-build"

  /// An amount of memory.
  public enum MemoryLimit: Hashable, Sendable {
    /// So many bytes.
    case bytes(Int)
    /// So much of the machine's memory.
    case share(percent: Int)

    /// The amount in bytes; nil where the machine does not say how much it has.
    var bytes: Int? {
      guard case .share(let percent) = self else {
        if case .bytes(let bytes) = self { return bytes }
        return nil
      }
      let line = (try? Files.text("/proc/meminfo"))?.split(separator: "\n").first {
        $0.hasPrefix("MemTotal:")
      }
      let kibibytes = line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
      return kibibytes.map { ($0 << 10) / 100 * percent }
    }
  }
}

/// A directory that programs see at a place where something else lies.
struct BuildView: Hashable, Sendable {
  /// The directory.
  let own: FilePath
  /// Where they see it.
  let place: FilePath
}

/// Runs programs of a module as a user without privilege, who can write nowhere else and reach nobody.
///
/// util-linux does it. Namespaces leave no network, no other process, and no shared memory. Every mount is made
/// read-only, and what sockets and other programs' temporary files lie in is hidden.
struct Confinement: Sendable {
  /// Who runs them.
  let user: SystemUser
  let options: ConfinementOptions

  /// Whether programs can be confined.
  enum Finding: Sendable {
    /// Nobody wants it, or the caller is not root.
    case notWanted
    /// They can, in this way.
    case possible(Confinement)
    /// They should be, and cannot, for this reason.
    case impossible(String)
  }

  /// Finds out by running a program that does nothing.
  static func find(_ options: ConfinementOptions?, on host: Host) async -> Finding {
    guard host.isRoot, let options, let name = options.user else { return .notWanted }
    do throws(HostError) {
      guard let user = try SystemUser.named(name) else {
        return name == ConfinementOptions.usualUser ? .notWanted : .impossible("there is no user \(name)")
      }
      guard user.identifier != 0 else { return .impossible("\(name) is root") }
      let confinement = Confinement(user: user, options: options)
      let result = try await host.launcher.run(
        confinement.command(["true"], in: "/", environment: host.environment))
      if result.isSuccess { return .possible(confinement) }
      let complaint = result.errorText.split(separator: "\n").last.map(String.init)
      return .impossible(complaint ?? "a program that does nothing ended with status \(result.status)")
    } catch {
      return .impossible("\(DKMSError(error))")
    }
  }

  /// A command that runs a program confined.
  ///
  /// - Parameters:
  ///   - words: The program and its arguments.
  ///   - directory: Where it works.
  ///   - views: What it sees in other places; there, and only there, it may write.
  ///   - needs: What it must be able to read, wherever that lies.
  ///   - environment: Its environment, where another place for temporary files is put in.
  ///   - descriptors: The descriptors that it gets.
  ///   - group: The control group that it joins; nil where the limits hold for each process.
  /// - Returns: The command.
  func command(
    _ words: [String], in directory: FilePath, views: [BuildView] = [], needs: [FilePath] = [],
    environment: [String: String], descriptors: [CInt: FileDescriptor] = [:], group: ControlGroup? = nil
  ) -> Command {
    let hidden = hiddenPlaces(keeping: needs + [directory] + views.flatMap { [$0.own, $0.place] })
    var environment = environment
    environment["TMPDIR"] = (hidden.first { $0 != Self.sockets } ?? "/tmp").string
    let lists = [
      group?.entrances.map(\.string) ?? [], views.flatMap { [$0.own.string, $0.place.string] },
      hidden.map(\.string),
    ]
    // A control group counts the user's processes in this build, the other limit all that the user has.
    let processes = group == nil ? options.processLimit.map(String.init) : nil
    let kibibytes = group == nil ? options.memoryLimit?.bytes.map { "\($0 >> 10)" } : nil
    var command = Command(
      "unshare",
      Self.namespaces + ["--", "bash", "-c", Self.enter, "bash"] + lists.flatMap { $0 + ["--"] } + [
        directory.string, processes ?? "unlimited", kibibytes ?? "unlimited", "\(user.identifier)",
        "\(user.group)",
      ] + words,
      environment: environment, descriptors: descriptors)
    command.timeLimit = options.timeLimit
    command.processEvents = group?.processEvents
    return command
  }

  private static let namespaces = [
    "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc", "--net",
    "--ipc",
  ]

  /// What is hidden unless something in it is needed: a socket can be used on a read-only mount, too.
  private func hiddenPlaces(keeping needs: [FilePath]) -> [FilePath] {
    let needs = needs.flatMap { path in [path, (try? Files.resolved(path)) ?? path] }
    return ["/tmp", "/dev/shm", Self.sockets].filter { (place: FilePath) in
      (try? Files.kind(place)) == .directory && !needs.contains { $0.starts(with: place) }
    }
  }

  private static let sockets: FilePath = "/run"

  /// What the outer shell does, which is root and stays as the first process of the namespace.
  ///
  /// One call of mount makes nearly all mounts read-only; the loop takes those that it passes over. In a session of its
  /// own the program has no terminal, and so cannot type for the caller.
  private static let enter = #"""
    while [[ $1 != -- ]]; do echo 0 >"$1" || exit 125; shift; done; shift
    mount -a -o remount,bind,ro 2>/dev/null
    while read -r _ _ _ _ place flags _; do
      printf -v place %b "$place"
      [[ ,$flags, == *,ro,* || ! -w $place ]] || mount -o remount,bind,ro "$place" || exit 125
    done </proc/self/mountinfo
    while [[ $1 != -- ]]; do
      mount --bind "$1" "$2" && mount -o remount,bind,rw "$2" || exit 125
      shift 2
    done; shift
    while [[ $1 != -- ]]; do mount -t tmpfs -o nosuid,nodev,mode=1777 tmpfs "$1" || exit 125; shift; done; shift
    cd "$1" || exit 125
    (
      ulimit -c 0
      [[ $2 == unlimited ]] || ulimit -u "$2"
      [[ $3 == unlimited ]] || ulimit -v "$3"
      exec setsid setpriv --reuid "$4" --regid "$5" --clear-groups --inh-caps=-all --bounding-set=-all \
        --no-new-privs -- "${@:6}"
    ); exit
    """#
}
