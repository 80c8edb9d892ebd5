// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import Hooks
internal import Maintenance

/// Plans again what a hook planned.
struct Replay: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Plan again what a hook planned, from what it saw or for the machine as it is now.",
    discussion: """
      Without a mode, the plan is made from the recorded facts and printed with its reasons; nothing is done. \
      A record copied from another machine gives the same plan as it did there.
      """)

  @Flag(help: "Plan for the machine as it is now.")
  var now = false

  @Flag(help: "Make both plans, and show where they differ.")
  var diff = false

  @Flag(help: "Plan for the machine as it is now, and carry the plan out. Needs root.")
  var execute = false

  @Flag(help: "Check that a record's facts give the plan it holds; by default, check all records.")
  var check = false

  @OptionGroup var log: LogOptions

  @Flag(name: .shortAndLong, help: "With --execute: do not ask first.")
  var yes = false

  @Option(help: "With -: the hook that gets the targets: install, remove, initramfs or verify.")
  var hook: String?

  @Flag(help: "Print JSON, for programs.")
  var json = false

  @Argument(
    help: """
      The number of a record, a file, or - to read targets from standard input; by default, the newest record. With \
      --from-log: pacman's log.
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
