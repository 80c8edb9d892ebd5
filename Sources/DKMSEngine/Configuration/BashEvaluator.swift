// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// Evaluates configuration files as what they are: bash programs.
struct BashEvaluator: Sendable {
  let host: Host
  var timeLimit = usualTimeLimit
  /// What keeps the files from harm; nil where they run as this process's user.
  var confinement: Confinement?

  /// How long bash may take for all files together: long enough for any program on a busy machine.
  static let usualTimeLimit = Duration.seconds(120)

  /// Runs files one after another in one clean shell and reads variables back.
  ///
  /// - Parameters:
  ///   - files: The files, all of them there.
  ///   - names: The variables to read.
  ///   - environment: The whole environment of the shell.
  /// - Returns: The values; none where there is no file.
  /// - Throws: `DKMSError.configurationUnreadable`, `DKMSError.configurationMalformed`.
  func evaluate(
    _ files: [FilePath], reading names: [String], environment: [String: String]
  ) async throws(DKMSError) -> Variables {
    guard let first = files.first else { return Variables() }
    let arguments =
      ["--noprofile", "--norc", "-c", Self.script, "alpm-dkms"] + names + ["--"] + files.map(\.string)
    var command = Command("bash", arguments, environment: environment, directory: directory)
    if let confinement {
      let trees = ["dkms_tree", "source_tree", "install_tree", "kernel_source_dir"].compactMap {
        environment[$0]
      }
      command = confinement.command(
        ["bash"] + arguments, in: directory, needs: files + trees.map { FilePath($0) },
        environment: environment)
    }
    command.timeLimit = timeLimit
    command.outputLimit = Self.outputLimit
    let result = try await host.run(command)
    if let excess = excess(of: result) {
      let beginning = BashAccount(Array(result.output.prefix(1 << 16)))
      throw .configurationUnreadable(path: beginning.file ?? first.string, detail: excess)
    }
    let account = BashAccount(result.output)
    let file = account.file ?? first.string
    if account.isRefused {
      guard let confinement else {
        throw .configurationUnreadable(path: file, detail: DKMSError.noPermission)
      }
      throw .configurationForbidden(path: file, user: confinement.user.name)
    }
    if let complaint = account.complaint {
      throw .configurationMalformed(path: file, detail: complaint)
    }
    guard result.termination != .timedOut else {
      throw .configurationUnreadable(path: file, detail: "it did not finish within \(timeLimit)")
    }
    guard result.isSuccess, account.isWhole else {
      let lastWords = result.errorText.split(separator: "\n").last.map { ": \($0)" } ?? ""
      throw .configurationUnreadable(
        path: file, detail: "bash ended with status \(result.status) before the end of it\(lastWords)")
    }
    if let (file, complaint) = passedOver(in: result.errorText, files, last: file) {
      throw .configurationMalformed(path: file, detail: complaint)
    }
    for line in result.errorText.split(separator: "\n") { host.console.printError(String(line)) }
    return account.variables
  }

  /// How much files may print, and how much their values may hold, in bytes.
  static let outputLimit = 16 << 20

  private func excess(of result: CommandResult) -> String? {
    guard case .tooLoud(let limit) = result.termination else { return nil }
    return "what it prints is too large: more than \(limit >> 10) KiB"
  }

  /// The first syntax error after which bash went on, as it does within an array or a command substitution.
  ///
  /// The value it was to set is lost. Failing arithmetic does not count: files use it to compare versions.
  private func passedOver(
    in errors: String, _ files: [FilePath], last: String
  ) -> (file: String, complaint: String)? {
    let marks = [
      "syntax error near", "syntax error: unexpected end", "unexpected EOF", "unexpected argument",
    ]
    for line in errors.split(separator: "\n") where marks.contains(where: line.contains) {
      // A copy without carriage returns is read from a pipe, which has no name.
      let names = files.map(\.string) + ["/dev/fd/"]
      guard let name = names.first(where: line.hasPrefix) else { continue }
      let place = line.firstRange(of: "line ").map { line[$0.lowerBound...] } ?? line
      return (name.hasPrefix("/dev/fd/") ? last : name, String(place))
    }
    return nil
  }

  /// The caller's directory, if it still exists: some files read their neighbours by relative paths.
  private var directory: FilePath {
    (try? Files.isDirectory(host.workingDirectory)) == true ? host.workingDirectory : "/"
  }

  /// What is set when the first file begins: the caller's environment, because modules document settings that
  /// are made there.
  ///
  /// Left out is what would make bash run code or read differently, and names that the files set themselves.
  func environment(adding own: [String: String]) -> [String: String] {
    var environment = host.environment.filter { name, _ in !Self.isKeptOut(name) }
    environment["LC_ALL"] = "C"
    environment["HOME"] = environment["HOME"] ?? "/"
    environment["PATH"] = environment["PATH"] ?? Self.defaultPath
    return environment.merging(own) { $1 }
  }

  private static func isKeptOut(_ name: String) -> Bool {
    keptOut.contains(name) || ["BASH", "LD_", "__dkms"].contains(where: name.hasPrefix)
  }

  private static let keptOut = Set(
    ["ENV", "GLOBIGNORE", "IFS", "POSIXLY_CORRECT", "PROMPT_COMMAND", "PS4", "SHELLOPTS", "TMOUT"]
      + StepRunner.compilerSettings + ConfigurationInterpreter.directives + Framework.names)

  static let defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"

  /// What a file prints cannot be mistaken for values, which go to the saved descriptor.
  ///
  /// Carriage returns at the ends of lines would be part of keywords and values. Bash then reads a copy
  /// without them; the file's own path is passed in a variable, since bash would give that of the copy.
  ///
  /// The reference hands each value through a second shell, unquoted and then in double quotes. That
  /// collapses white space and expands `'make -C $kernel_source_dir'` as its author meant; files rely on it.
  /// A blank at the beginning is kept: it marks a MAKE that must not get our arguments.
  ///
  /// A program may have 4 GiB of memory, so that values which double without end do not take that of the machine.
  ///
  /// As with the reference, all of it happens in a function, so that `local` and `declare` make variables of its own,
  /// and there is a function that tells where modules go.
  private static let script = #"""
    ulimit -c 0
    ulimit -v 4194304
    __dkms_names=()
    while [[ $1 != -- ]]; do __dkms_names+=("$1"); shift; done
    shift
    __dkms_files=("$@")
    set --
    shopt -s extglob
    exec {__dkms_out}>&1
    if [[ -c /dev/null ]]; then exec >/dev/null; else exec >&2; fi
    override_dest_module_location() { echo /updates/dkms; }
    __dkms_read() {
    for __dkms_file in "${__dkms_files[@]}"; do
      printf '\0\0file\0%s\0' "$__dkms_file" >&$__dkms_out
      [[ -r $__dkms_file ]] || { printf '\0\0unreadable\0\0' >&$__dkms_out; exit 10; }
      __dkms_lines=()
      [[ -f $__dkms_file ]] && mapfile -t __dkms_lines <"$__dkms_file"
      if [[ ${__dkms_lines[*]} == *$'\r'* ]]; then
        __dkms_lines=("${__dkms_lines[@]%$'\r'}")
        . <(printf '%s\n' "${__dkms_lines[@]//BASH_SOURCE/__dkms_file}") && continue
        __dkms_complaint=$("$BASH" --norc -O extglob -n <(printf '%s\n' "${__dkms_lines[@]}") 2>&1) && continue
      else
        . "$__dkms_file" && continue
        __dkms_complaint=$("$BASH" --norc -O extglob -n "$__dkms_file" 2>&1) && continue
      fi
      printf '\0\0malformed\0%s\0' "$__dkms_complaint" >&$__dkms_out
      exit 10
    done
    printf '\0\#(BashAccount.valuesMark)\0' >&$__dkms_out
    set -f
    IFS=$' \t\n'
    for __dkms_name in "${__dkms_names[@]}"; do
      unset -n __dkms_array
      declare -n __dkms_array=$__dkms_name
      for __dkms_index in "${!__dkms_array[@]}"; do
        __dkms_value=${__dkms_array[$__dkms_index]%$'\r'}
        __dkms_words=($__dkms_value)
        if [[ $__dkms_name == MAKE && $__dkms_value == [$' \t\n']* ]]; then
          __dkms_value=" ${__dkms_words[*]}"
        else
          __dkms_value=${__dkms_words[*]}
        fi
        if [[ $__dkms_value == *[\$\`\\\"]* ]]; then
          __dkms_value=${__dkms_value//\\\"/\"}
          eval "__dkms_value=\"${__dkms_value//\"/\\\"}\""
        fi
        printf '%s\0%s\0%s\0' "$__dkms_name" "$__dkms_index" "$__dkms_value" >&$__dkms_out || exit 11
      done
    done
    printf '\0end\0\0' >&$__dkms_out
    exit 0
    }
    __dkms_read
    """#
}

extension BashEvaluator {
  /// Runs a file and returns the environment as it is afterwards.
  ///
  /// - Parameters:
  ///   - file: The file.
  ///   - environment: What it starts from.
  ///   - variables: What else it may refer to.
  /// - Returns: The environment that it leaves.
  /// - Throws: `DKMSError.configurationUnreadable` where there is no such file, or it fails.
  func exports(
    of file: FilePath, over environment: [String: String], variables: [String: String]
  ) async throws(DKMSError) -> [String: String] {
    guard try onFiles({ () throws(HostError) in try Files.isFile(file) }) else {
      let detail = "build_environment names it, but there is no such file"
      throw .configurationUnreadable(path: file.string, detail: detail)
    }
    let settings = variables.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    let command = Command(
      "bash", ["--noprofile", "--norc", "-c", Self.exportScript, "alpm-dkms", file.string] + settings,
      environment: environment, timeLimit: timeLimit, outputLimit: Self.outputLimit)
    let result = try await host.run(command)
    if let excess = excess(of: result) {
      throw .configurationUnreadable(path: file.string, detail: excess)
    }
    guard result.isSuccess else {
      let complaint = result.errorText.split(separator: "\n").last.map(String.init)
      let end =
        result.termination == .timedOut
        ? "it did not finish within \(timeLimit)" : "it ended with status \(result.status)"
      throw .configurationUnreadable(path: file.string, detail: complaint ?? end)
    }
    var exports: [String: String] = [:]
    for entry in result.output.split(separator: 0).map({ String(decoding: $0, as: UTF8.self) }) {
      guard let separator = entry.firstIndex(of: "=") else { continue }
      exports[String(entry[..<separator])] = String(entry[entry.index(after: separator)...])
    }
    for name in ["_", "OLDPWD", "PWD", "SHLVL"] { exports[name] = environment[name] }
    return exports
  }

  /// What the file prints cannot be mistaken for its exports, which go to the saved descriptor.
  private static let exportScript = #"""
    ulimit -c 0
    ulimit -v 4194304
    __dkms_file=$1
    shift
    for __dkms_setting; do declare "$__dkms_setting"; done
    set --
    exec {__dkms_out}>&1 >/dev/null
    . "$__dkms_file" || "$BASH" --norc -n "$__dkms_file" || exit
    exec env -0 >&$__dkms_out
    """#
}

/// What the shell of `BashEvaluator` writes: triples of an empty string, a keyword and a text, and behind a mark
/// triples of a name, an index and a value.
struct BashAccount {
  /// The values that were read.
  private(set) var variables = Variables()
  /// The file that was begun last.
  private(set) var file: String?
  /// Why that file is no bash, if it is not.
  private(set) var complaint: String?
  /// Whether that file may not be read.
  private(set) var isRefused = false
  /// Whether the shell came to the end of the last file; one that calls exit keeps it from that.
  private(set) var isWhole = false

  init(_ output: [UInt8]) {
    let fields = output.split(separator: 0, omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
    let values = fields.firstIndex(of: Self.valuesMark) ?? fields.count
    // A file that writes to the saved descriptor does so before its values are printed.
    for start in fields[..<values].indices.dropLast(2) where fields[start].isEmpty {
      switch fields[start + 1] {
      case "file": file = fields[start + 2]
      case "malformed": complaint = Self.firstLine(of: fields[start + 2])
      case "unreadable": isRefused = true
      default: break
      }
    }
    for start in stride(from: values + 1, to: fields.count - 3, by: 3) {
      switch (fields[start], fields[start + 1], fields[start + 2]) {
      case ("", _, _):
        isWhole = true
        return
      case (let name, let index, let value): variables[name, Int(index) ?? 0] = value
      }
    }
  }

  /// What comes before the values: a field of its own.
  static let valuesMark = "alpm-dkms: values"

  /// Only the line number and the problem; the name of the file that precedes them is known.
  private static func firstLine(of complaint: String) -> String {
    let line = complaint.prefix { $0 != "\n" }
    return line.firstRange(of: ": line ").map { "line " + line[$0.upperBound...] } ?? String(line)
  }
}
