// SPDX-License-Identifier: GPL-2.0-or-later

internal import Host
internal import SystemPackage

/// Reads configuration files that are bash programs in a bash of their own, with a clean environment.
struct BashReader: Sendable {
  let host: Host

  /// Runs a script on arguments and splits what it prints at its NUL bytes.
  ///
  /// - Throws: `GenerationError` naming the subject.
  func fields(
    of script: String, _ arguments: [String], about subject: String
  ) async throws(GenerationError) -> [String] {
    let path = host.environment["PATH"] ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"
    let command = Command(
      "bash", ["--noprofile", "--norc", "-c", Self.prelude + script, "alpm-dkms"] + arguments,
      environment: ["HOME": "/", "LC_ALL": "C", "PATH": path], timeLimit: .seconds(120))
    let result: CommandResult
    do { result = try await host.launcher.run(command) } catch { throw GenerationError(subject, "\(error)") }
    var fields = result.output.split(separator: 0, omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
    guard result.isSuccess, fields.count >= 2, fields.removeLast() == "", fields.removeLast() == "end" else {
      let lastWords = result.errorText.split(separator: "\n").last.map { ": \($0)" } ?? ""
      throw GenerationError(subject, "bash cannot read it to its end\(lastWords)")
    }
    return fields
  }

  /// Runs files one after another and reads lists back: arrays, or words of strings.
  func lists(
    _ names: [String], of files: [FilePath], about subject: String
  ) async throws(GenerationError) -> [String: [String]] {
    guard !files.isEmpty else { return [:] }
    let fields = try await fields(
      of: Self.listScript, names + ["--"] + files.map(\.string), about: subject)
    var lists: [String: [String]] = [:]
    for index in stride(from: 0, to: fields.count - 1, by: 2) {
      lists[fields[index], default: []].append(fields[index + 1])
    }
    return lists
  }

  /// What a file prints is not taken for values: those leave through the saved descriptor.
  private static let prelude = #"""
    exec {__dkms_out}>&1 >/dev/null </dev/null
    __dkms_say() { printf '%s\0' "$@" >&$__dkms_out; }

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
