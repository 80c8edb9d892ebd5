// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

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
      environment: environment, timeLimit: timeLimit)
    let result = try await host.run(command)
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
    __dkms_file=$1
    shift
    for __dkms_setting; do declare "$__dkms_setting"; done
    set --
    exec {__dkms_out}>&1 >/dev/null
    . "$__dkms_file" || "$BASH" --norc -n "$__dkms_file" || exit
    exec env -0 >&$__dkms_out
    """#
}
