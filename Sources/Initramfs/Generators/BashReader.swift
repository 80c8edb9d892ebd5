// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc
internal import Host
internal import SystemPackage

/// Reads configuration files that are bash programs in a bash of their own, with a clean environment.
struct BashReader: Sendable {
  let host: Host

  /// The most that a configuration file may hold, in bytes.
  static let sizeLimit = 1 << 20
  /// The most that a run may print, and that any file may hold that it writes, in KiB.
  private static let outputLimit = 16 << 10
  /// The most memory that each program of a run may have, in KiB.
  private static let memoryLimit = 1 << 20
  /// How long a run may take.
  private static let timeLimit = Duration.seconds(120)

  /// Those of the files that are there.
  ///
  /// To open a pipe or a device may mean to wait for ever, so bash only gets regular files of a reasonable
  /// size.
  ///
  /// - Throws: `GenerationError` naming a file that cannot be read, is no regular file, or is too large.
  func present(_ files: [FilePath]) throws(GenerationError) -> [FilePath] {
    do throws(HostError) {
      return try files.where { file throws(HostError) in try Files.contents(file, Self.sizeLimit) != nil }
    } catch {
      throw GenerationError(error)
    }
  }

  /// Runs a script on arguments and splits at its NUL bytes what it prints after the start of the values.
  ///
  /// - Throws: `GenerationError` naming the subject.
  func fields(
    of script: String, _ arguments: [String], about subject: String
  ) async throws(GenerationError) -> [String] {
    let path = host.environment["PATH"] ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"
    let command = Command(
      "bash", ["--noprofile", "--norc", "-c", Self.prelude + script, "alpm-dkms"] + arguments,
      environment: ["HOME": "/", "LC_ALL": "C", "PATH": path], timeLimit: Self.timeLimit)
    let result: CommandResult
    do { result = try await host.launcher.run(command) } catch { throw GenerationError(subject, "\(error)") }
    guard result.termination != .signalled(SIGXFSZ) else {
      throw GenerationError(subject, "what it prints is too large: more than \(Self.outputLimit) KiB")
    }
    if case .tooLoud(let limit) = result.termination {
      throw GenerationError(subject, "what it prints is too large: more than \(limit >> 10) KiB")
    }
    guard result.termination != .timedOut else {
      throw GenerationError(subject, "bash does not finish within \(Self.timeLimit)")
    }
    // A file that writes to the saved descriptor does so before its values are printed.
    let printed = result.output.split(separator: 0, omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
    var fields = printed.firstIndex(of: Self.start).map { printed[($0 + 1)...] } ?? []
    guard result.isSuccess, fields.count >= 2, fields.removeLast() == "", fields.removeLast() == "end" else {
      let lastWords = result.errorText.split(separator: "\n").last.map { ": \($0)" } ?? ""
      throw GenerationError(subject, "bash cannot read it to the end\(lastWords)")
    }
    return Array(fields)
  }

  /// Runs the files that are there one after another and reads lists back: arrays, or words of strings.
  ///
  /// - Throws: `GenerationError` naming one that cannot be read, or the subject.
  func lists(
    _ names: [String], of files: [FilePath], about subject: String
  ) async throws(GenerationError) -> [String: [String]] {
    let files = try present(files)
    guard !files.isEmpty else { return [:] }
    let fields = try await fields(
      of: Self.listScript, names + ["--"] + files.map(\.string), about: subject)
    var lists: [String: [String]] = [:]
    for index in stride(from: 0, to: fields.count - 1, by: 2) {
      lists[fields[index], default: []].append(fields[index + 1])
    }
    return lists
  }

  /// What comes before the values: a field of its own, whatever has been written before it.
  private static let start = "alpm-dkms: values"

  /// What a file prints cannot be mistaken for values, which go to the saved descriptor.
  private static let prelude = #"""
    ulimit -c 0
    ulimit -f \#(outputLimit)
    ulimit -v \#(memoryLimit)
    exec {__dkms_out}>&1 >/dev/null </dev/null
    __dkms_say() { printf '%s\0' "$@" >&$__dkms_out || exit 1; }
    __dkms_begin() { __dkms_say '' '\#(start)'; }

    """#

  private static let listScript = #"""
    __dkms_names=()
    while [[ $1 != -- ]]; do __dkms_names+=("$1"); shift; done
    shift
    __dkms_files=("$@")
    set --
    for __dkms_file in "${__dkms_files[@]}"; do
      . "$__dkms_file" || "$BASH" -n "$__dkms_file" || exit 1
    done
    __dkms_begin
    set -f
    IFS=$' \t\n'
    for __dkms_name in "${__dkms_names[@]}"; do
      unset -n __dkms_list
      declare -n __dkms_list=$__dkms_name
      for __dkms_word in ${__dkms_list[*]}; do __dkms_say "$__dkms_name" "$__dkms_word"; done
    done
    __dkms_say end
    """#
}
