// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

extension StepRunner {
  /// Runs the administrator's command, with its own log.
  ///
  /// Nothing is undone if it fails; the failure is only reported.
  func follow(_ command: String) async throws(DKMSError) -> [String] {
    let path = layout.postTransactionLog()
    let log = try BuildLog(path, echo: echo)
    let shell = Command(
      "bash", ["-c", command], environment: buildEnvironment, silenceLimit: options.silenceLimit)
    let result = try await log.run("Running the command that follows a transaction", command, shell, on: host)
    if result.isSuccess { return [] }
    if case .silent(let limit) = result.termination {
      return [
        "'\(command)' was stopped because it had printed nothing for \(limit.inWords); the log is \(path)"
      ]
    }
    return ["'\(command)' ended with status \(result.status); the log is \(path)"]
  }

  /// Loads what the devices of this system ask for, as a boot does.
  func loadModules() async throws(DKMSError) -> [String] {
    var warnings: [String] = []
    let aliases = try onFiles { () throws(HostError) in try Self.aliases(below: "/sys/devices") }.sorted()
    let unit = "systemd-modules-load.service"
    // modprobe fails if any alias has no module, which is normal, so only a missing modprobe is reported.
    if !aliases.isEmpty, (try? await host.run(modprobe(aliases))) == nil {
      warnings.append("modprobe cannot be run, so nothing was loaded")
    }
    let unitFile = FilePath("/usr/lib/systemd/system").appending(unit)
    if try onFiles({ () throws(HostError) in try Files.isFile(unitFile) }) {
      do { try await tool("systemctl", ["restart", unit]) } catch { warnings.append("\(error)") }
    }
    return warnings
  }

  private func modprobe(_ aliases: [String]) -> Command {
    Command("modprobe", ["-a", "-b", "-q"] + aliases, environment: buildEnvironment)
  }

  /// What devices say of themselves; links lead to other places in the same tree.
  private static func aliases(below directory: FilePath) throws(HostError) -> Set<String> {
    var aliases: Set<String> = []
    for (name, kind) in try Files.listing(directory) {
      let path = directory.appending(name)
      switch kind {
      case .directory: aliases.formUnion(try Self.aliases(below: path))
      case .file where name == "modalias":
        // A device may go while it is asked.
        if let alias = try? Files.text(path), !alias.isEmpty { aliases.insert(alias) }
      default: break
      }
    }
    return aliases
  }
}
