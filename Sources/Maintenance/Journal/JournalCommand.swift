// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSEngine
internal import DKMSModel
internal import Hooks
public import Host
internal import Journal

/// A command of `alpm-dkms` about the journal.
public protocol JournalCommand: Sendable {
  /// Runs it; 0 where all is well.
  func run(layout: Layout, host: Host) async -> Int32
}

extension JournalCommand {
  /// Runs it on the machine at hand and ends the process.
  public func main() -> Never {
    Program.run { [self] in await run(layout: Layout(), host: .live().forPeople()) }
  }
}

extension JournalError {
  /// Says it; 1.
  func tell(_ console: Console) -> Int32 {
    console.printError("==> ERROR: \("\(self)".withVisibleControls)")
    if let remedy { console.printError("  -> \(remedy.withVisibleControls)") }
    return 1
  }
}
