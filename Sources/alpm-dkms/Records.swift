// SPDX-License-Identifier: GPL-2.0-or-later

internal import ArgumentParser
internal import Hooks
internal import Maintenance

/// Lists what the hooks did.
struct History: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List what the hooks did, one line for each call, the newest last.",
    discussion: """
      Each line shows the number of the record, when the call began, the helper, how it ended, and what it did. \
      Needs root.
      """)

  @Option(name: .shortAndLong, help: ArgumentHelp("List only the newest n calls.", valueName: "n"))
  var count: Int?

  @Flag(help: "Print JSON, for programs.")
  var json = false

  func run() {
    HistoryCommand(count: count, printsJSON: json).main()
  }
}

/// Shows one call of a hook.
struct Show: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what hooks were given, saw, planned and did.",
    discussion: "Needs root, unless the record is a file.")

  @Flag(help: "Print the record itself, for programs.")
  var json = false

  @Argument(
    help: "The number of a record, a file, or a bundle; by default, the records of the last transaction.",
    completion: .records)
  var record: String?

  func run() {
    ShowCommand(record, printsJSON: json).main()
  }
}

/// Packs a record to pass it on.
struct Record: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Put a record, with the files that explain it, into one file to attach to a report.",
    discussion: """
      The tarball holds the record, the settings, each module's dkms.conf, and the logs that the record names; it is \
      listed first. Names of this host and its users, keys, passwords and tokens are taken out. Needs root.
      """)

  @Flag(help: "Make the tarball.")
  var bundle = false

  @Option(
    name: .shortAndLong, help: ArgumentHelp("Where to write the tarball.", valueName: "file"),
    completion: .file())
  var output: String?

  @Flag(help: "Print JSON, for programs.")
  var json = false

  @Argument(help: "The number of a record, or a file; by default, the newest record.", completion: .records)
  var record: String?

  func validate() throws {
    if !bundle, output == nil, record == nil, !json { throw CleanExit.helpRequest(self) }
    if !bundle { throw ValidationError("add --bundle; to look at a record: alpm-dkms show") }
  }

  func run() {
    BundleCommand(record, output: output, printsJSON: json).main()
  }
}

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

  @Option(
    help: "With -: the hook that gets the targets: install, remove, initramfs or verify.",
    completion: .list(HelperKind.allCases.map(\.rawValue)))
  var hook: String?

  @Flag(help: "Print JSON, for programs.")
  var json = false

  @Argument(
    help: """
      The number of a record, a file, a bundle, or - to read targets from standard input; by default, the records of \
      the last transaction. With --from-log: pacman's log.
      """, completion: .records)
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

/// The options of `replay` for a transaction that was never recorded.
struct LogOptions: ParsableArguments {
  @Flag(help: "Work out from pacman's log which hooks a transaction ran, and what they would do now.")
  var fromLog = false

  @Option(
    help: ArgumentHelp("With --from-log: its number in the log, counted from 1, or last.", valueName: "k"),
    completion: .list(["last"]))
  var transaction: String?

  func validate() throws {
    guard fromLog else {
      if transaction != nil { throw ValidationError("--transaction goes only with --from-log") }
      return
    }
    if let transaction, LogReplayCommand(transaction: transaction) == nil {
      throw ValidationError("--transaction is a number from 1, or last, not '\(transaction)'")
    }
  }

  /// The command that these options ask for; nil where they ask for none.
  func command(_ log: String?, printsJSON: Bool) -> LogReplayCommand? {
    fromLog ? LogReplayCommand(log, transaction: transaction ?? "last", printsJSON: printsJSON) : nil
  }
}
