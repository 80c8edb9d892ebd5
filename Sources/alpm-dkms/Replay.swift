// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import Hooks
internal import Maintenance

/// Plans anew what a hook planned.
struct Replay: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Plan anew what a hook planned, from what it saw or for the machine as it is.",
    discussion: """
      Without a mode the plan is made from the recorded facts, and printed with its reasons; nothing is done. \
      A record that was copied from another machine gives the plan that it gave there.
      """)

  @Flag(help: "Plan for the machine as it is.")
  var now = false

  @Flag(help: "Plan for both, and say where they part.")
  var diff = false

  @Flag(help: "Plan for the machine as it is, and do it, as root.")
  var execute = false

  @Flag(help: "Say whether records give the plans that they hold; without a record, all of them.")
  var check = false

  @OptionGroup var log: LogOptions

  @Flag(name: .shortAndLong, help: "Do not ask before --execute.")
  var yes = false

  @Option(help: "With -, the hook that gets the targets: install, remove, initramfs or verify.")
  var hook: String?

  @Flag(help: "Print JSON, for programs.")
  var json = false

  @Argument(
    help: """
      The number of a record, a file, or - for targets on standard input; without one the newest. With \
      --from-log, pacman's log.
      """)
  var record: String?

  private var modes: [ReplayMode] {
    let modes: [(isAsked: Bool, mode: ReplayMode)] = [
      (now, .now), (diff, .diff), (execute, .execute), (check, .check),
    ]
    return modes.filter(\.isAsked).map(\.mode)
  }

  func validate() throws {
    if modes.count > 1 { throw ValidationError("--now, --diff, --execute and --check exclude each other") }
    if log.fromLog && (!modes.isEmpty || hook != nil) {
      throw ValidationError("--from-log always plans for the machine as it is, and does nothing")
    }
    if let hook, HelperKind(rawValue: hook) == nil {
      throw ValidationError("--hook is one of install, remove, initramfs and verify, not '\(hook)'")
    }
  }

  func run() {
    if let command = log.command(record, printsJSON: json) { command.main() }
    ReplayCommand(
      record, helper: hook.flatMap(HelperKind.init(rawValue:)), mode: modes.first ?? .recorded,
      printsJSON: json,
      isConfirmed: yes
    ).main()
  }
}
