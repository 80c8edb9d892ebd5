// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import SystemPackage
import TestSupport
import Testing

/// A machine to call `dkms` on: trees of its own in the places where every machine has them.
///
/// They lie there in a mount namespace of each call. So a copy of a machine is another machine, links and
/// all, and nothing of the host's own DKMS is seen or touched. What the hooks keep can neither be read nor written.
final class MountedMachine: Sendable {
  private let directory: TemporaryDirectory
  /// What lies beneath, unchanged, where this machine is a layer over another.
  private let lower: MountedMachine?

  /// Which implementation is called.
  enum Program {
    case ours, reference
  }

  /// Who calls.
  enum User {
    case root, nobody
  }

  init() throws {
    directory = try TemporaryDirectory()
    lower = nil
    for name in [Self.cache] + Self.places.keys { try Files.makeDirectories(path(name)) }
    // Keys take time to make. The reference at hand knows no try_sign_modules.
    try write("try_sign_modules=false\nsign_file=/nonexistent\n", to: "etc/framework.conf")
  }

  /// Makes a machine that is a layer over another, which must not be changed as long as this one lives.
  ///
  /// What `path` gives then is the layer, and shows only what differs; `contents` tells of the whole.
  init(over lower: MountedMachine, in place: FilePath = "/tmp") throws {
    directory = try TemporaryDirectory(in: place)
    self.lower = lower
    try Files.makeDirectories(path(Self.cache))
    for name in Self.places.keys {
      for part in [name, "work/\(name)"] { try Files.makeDirectories(path(part)) }
    }
  }

  private static let places = [
    "etc": "/etc/dkms", "var": "/var/lib/dkms", "src": "/usr/src", "modules": "/usr/lib/modules",
  ]

  /// Built modules that were kept; no part of what is compared, and not copied.
  private static let cache = "cache"

  /// The number of the user that `addBuildUser` makes.
  static let buildUser = 63_999

  /// Makes the user that modules are built as, and sets what the settings of this suite say of builds.
  func addBuildUser(settings: String = "") throws {
    let users = try #require(Disk.text("/etc/passwd"))
    try write(
      "\(users)\ndkms-build:x:\(Self.buildUser):\(Self.buildUser)::/:/usr/bin/nologin\n", to: "users/passwd")
    try write("\(settings)\n", to: "users/alpm-dkms.conf")
  }

  /// The files that lie over the host's where there are any.
  private static let files = ["users/passwd": "/etc/passwd", "users/alpm-dkms.conf": "/etc/alpm-dkms.conf"]

  /// A place within the machine: `etc`, `var`, `src`, `modules`, and what is below them.
  func path(_ name: String) -> FilePath {
    directory.path.appending(FilePath(name).components)
  }

  @discardableResult
  func write(_ text: String, to name: String) throws -> FilePath {
    try directory.write(text, to: name)
  }

  func write(bytes: [UInt8], to name: String) throws {
    try Files.makeDirectories(path(name).removingLastComponent())
    try Files.write(bytes, to: path(name))
  }

  func remove(_ name: String) throws { try Files.remove(path(name)) }

  func exists(_ name: String) -> Bool { Disk.kind(path(name)) != nil }

  /// The bytes of a file.
  func bytes(_ name: String) throws -> [UInt8] { try Files.read(path(name)) }

  /// The text of a file.
  func text(_ name: String) throws -> String { String(decoding: try bytes(name), as: UTF8.self) }

  /// Makes a kernel known, with headers if wanted.
  func addKernel(_ release: String, hasHeaders: Bool = true) throws {
    for name in ["order", "builtin"] { try write("", to: "modules/\(release)/modules.\(name)") }
    try Files.makeDirectories(path("modules/\(release)/kernel"))
    try Depmod.run(on: path("modules"), for: release)
    if hasHeaders {
      try Files.link(path("modules/\(release)/build"), to: TestParts.headers(of: release))
    }
  }

  /// Another machine that is just as this one is now.
  func copy() async throws -> MountedMachine {
    let copy = try MountedMachine()
    for name in Self.places.keys {
      let run = try await Run.program("/bin/cp", ["-aT", path(name).string, copy.path(name).string])
      try #require(run.status == 0, "\(run)")
    }
    return copy
  }

  // MARK: Calls

  /// Calls `dkms` with words that blanks part.
  func dkms(
    _ words: String, by program: Program = .ours, as user: User = .root, environment: [String: String] = [:]
  ) async throws -> Outcome {
    try await dkms(
      words.split(separator: " ").map(String.init), by: program, as: user, environment: environment)
  }

  /// Calls `dkms`.
  func dkms(
    _ words: [String], by program: Program = .ours, as user: User = .root, environment: [String: String] = [:]
  ) async throws -> Outcome {
    let run = try await shell(#"exec dkms "$@""#, words, by: program, as: user, environment: environment)
    return Outcome(call: "dkms \(words.joined(separator: " "))", by: program, run: run, tree: tree)
  }

  /// Runs a shell command in the machine, where `dkms` is the implementation that is wanted.
  func shell(
    _ command: String, _ arguments: [String] = [], by program: Program = .ours, as user: User = .root,
    environment: [String: String] = [:]
  ) async throws -> Run {
    let files = Self.files.filter { exists($0.key) }.map { "--bind \(path($0.key)):\($0.value)" }.sorted()
    let places =
      Self.places.sorted { $0.key < $1.key }.map { "\(mount($0.key)):\($0.value)" } + files + compilerCache
      + ["--bind \(path(Self.cache)):/var/cache/alpm-dkms"]
    let who = user == .root ? [] : ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    let binary = program == .ours ? TestParts.program("dkms") : TestParts.reference
    let inside = who + ["/bin/bash", "-c", #"dkms() { /mnt/dkms "$@"; }; "# + Self.direct(command), "bash"]
    return try await Turnstile.machines.pass {
      try await Run.program(
        "/usr/bin/unshare",
        ["--mount", "--propagation", "private", "/bin/bash", "-c", Self.enter, "bash", binary.string]
          + places + ["--"] + inside + arguments,
        environment: environment)
    }
  }

  /// What a build without privilege can write to is its own directory only.
  private var compilerCache: [String] {
    let cache = TestParts.compilerCache
    return exists("users/passwd") || !Disk.isDirectory(cache.appending("kept"))
      ? [] : ["--bind \(cache)/kept:/mnt/compiler-cache", "--bind \(cache)/bin:/usr/local/sbin"]
  }

  /// `exec` takes no functions.
  private static func direct(_ command: String) -> String {
    command.replacing("exec dkms", with: "exec /mnt/dkms")
  }

  /// What `mount` is told of a place: options, and what it mounts.
  private func mount(_ name: String) -> String {
    guard let lower else { return "--bind \(path(name))" }
    // Renaming directories of the lower layer is refused, as it is where nobody has set anything.
    let layers = "lowerdir=\(lower.path(name)),upperdir=\(path(name)),workdir=\(path("work/\(name)"))"
    return "-t overlay overlay -o redirect_dir=off,\(layers)"
  }

  private static let enter = #"""
    mount -t tmpfs tmpfs /mnt && touch /mnt/dkms && mount --bind "$1" /mnt/dkms || exit 125
    if [[ -d /var/lib/alpm-dkms ]]; then mount -t tmpfs -o ro tmpfs /var/lib/alpm-dkms || exit 125; fi
    shift
    while [[ $1 != -- ]]; do
      source=${1%%:*}
      if [[ -f ${source##* } ]]; then touch "${1#*:}"; else mkdir -p "${1#*:}"; fi && mount $source "${1#*:}" || exit 125
      shift
    done
    shift
    exec "$@"
    """#

  /// Every path in the machine with its kind, permissions and what it holds, also where the machine is a layer.
  ///
  /// Of files that tell times, as logs and archives do, only the names.
  func contents() async throws -> Set<String> {
    let run = try await shell(
      """
      cd / && find etc/dkms var/lib/dkms usr/src usr/lib/modules -xdev -printf '%y %m %p %l\\n'
      find etc/dkms var/lib/dkms usr/src usr/lib/modules -xdev -type f ! -name '*.log' ! -name '*.gz' \
        ! -name 'modules.*' -exec sha256sum {} +
      """)
    try #require(run.status == 0, "\(run)")
    return Set(run.lines)
  }

  /// Every path in the machine.
  var tree: [String] {
    Self.places.keys.sorted().flatMap { name in
      TemporaryDirectory.listing(of: path(name)).map { "\(name)/\($0)" }
    }
  }
}
