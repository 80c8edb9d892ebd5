// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// Evaluates configuration files as what they are: bash programs.
struct BashEvaluator: Sendable {
  let host: Host
  let timeLimit: Duration

  init(host: Host, timeLimit: Duration = .seconds(30)) {
    self.host = host
    self.timeLimit = timeLimit
  }

  /// Runs files one after another in one clean shell and reads variables back.
  ///
  /// - Parameters:
  ///   - files: The files; one that does not exist is passed over.
  ///   - names: The variables to read.
  ///   - environment: What the files may refer to.
  /// - Returns: The values; none where there is no file.
  /// - Throws: `DKMSError.configurationUnreadable`, `DKMSError.configurationMalformed`.
  func evaluate(
    _ files: [FilePath], reading names: [String], environment: [String: String]
  ) async throws(DKMSError) -> Variables {
    let files = files.filter { Files.kind($0) != nil }
    guard let subject = files.first else { return Variables() }
    var clean = ["HOME": "/", "LC_ALL": "C", "PATH": host.environment["PATH"] ?? Self.defaultPath]
    clean.merge(environment) { $1 }
    let command = Command(
      "bash",
      ["--noprofile", "--norc", "-c", Self.script, "alpm-dkms"] + names + ["--"] + files.map(\.string),
      environment: clean, timeLimit: timeLimit)
    let result = try await host.run(command)
    guard result.termination != .timedOut else {
      throw .configurationUnreadable(path: subject.string, detail: "it did not end within \(timeLimit)")
    }
    guard result.output != Array("malformed\0".utf8) else {
      throw .configurationMalformed(path: subject.string, detail: Self.complaint(in: result))
    }
    guard result.isSuccess, let variables = Self.parse(result.output) else {
      throw .configurationUnreadable(path: subject.string, detail: Self.complaint(in: result))
    }
    return variables
  }

  static let defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"

  /// What a file prints is not taken for values: those leave through the saved descriptor.
  ///
  /// The reference hands each value through a second shell, unquoted and then in double quotes. So white
  /// space is folded, and `'make -C $kernel_source_dir'` becomes what its author meant; files rely on it.
  private static let script = #"""
    __dkms_names=()
    while [[ $1 != -- ]]; do __dkms_names+=("$1"); shift; done
    shift
    __dkms_files=("$@")
    set --
    exec {__dkms_out}>&1 >/dev/null
    for __dkms_file in "${__dkms_files[@]}"; do
      . "$__dkms_file" && continue
      "$BASH" --norc -O extglob -n "$__dkms_file" || { printf 'malformed\0' >&$__dkms_out; exit 10; }
    done
    set -f
    IFS=$' \t\n'
    for __dkms_name in "${__dkms_names[@]}"; do
      unset -n __dkms_array
      declare -n __dkms_array=$__dkms_name
      for __dkms_index in "${!__dkms_array[@]}"; do
        __dkms_words=(${__dkms_array[$__dkms_index]%$'\r'})
        __dkms_value=${__dkms_words[*]}
        if [[ $__dkms_value == *[\$\`\\\"]* ]]; then
          __dkms_value=${__dkms_value//\\\"/\"}
          eval "__dkms_value=\"${__dkms_value//\"/\\\"}\""
        fi
        printf '%s\0%s\0%s\0' "$__dkms_name" "$__dkms_index" "$__dkms_value" >&$__dkms_out
      done
    done
    printf 'end\0' >&$__dkms_out
    exit 0
    """#

  private static func parse(_ output: [UInt8]) -> Variables? {
    var fields = output.split(separator: 0, omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
    // A file that calls exit never reaches the end mark.
    guard fields.popLast() == "", fields.popLast() == "end", fields.count.isMultiple(of: 3) else {
      return nil
    }
    var variables = Variables()
    for start in stride(from: 0, to: fields.count, by: 3) {
      guard let index = Int(fields[start + 1]) else { return nil }
      variables[fields[start], index] = fields[start + 2]
    }
    return variables
  }

  private static func complaint(in result: CommandResult) -> String {
    let lines = result.errorText.split(separator: "\n")
    guard let last = lines.last else { return "bash ended with status \(result.status) before the end of it" }
    return String(last)
  }
}
