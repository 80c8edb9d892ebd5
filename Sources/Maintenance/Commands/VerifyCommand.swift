// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSEngine
internal import DKMSModel
public import Host
internal import Inspection
internal import JSON

/// `alpm-dkms verify`: the verdicts, at any time and for any user.
public struct VerifyCommand: Sendable {
  private let kernels: [String]
  private let printsJSON: Bool
  private let isVerbose: Bool

  /// Describes a call.
  ///
  /// - Parameters:
  ///   - kernels: The releases to judge; none for every installed kernel that is not ignored.
  ///   - printsJSON: Whether programs read it.
  ///   - isVerbose: Whether to say which modules a kernel rightly goes without.
  public init(kernels: [String] = [], printsJSON: Bool = false, isVerbose: Bool = false) {
    self.kernels = kernels
    self.printsJSON = printsJSON
    self.isVerbose = isVerbose
  }

  /// Runs it on the machine at hand and ends the process.
  public func main() -> Never {
    Program.run { [self] in await run(host: .live().forPeople()) }
  }

  /// Says the verdicts; the status is one of `ReportStatus`.
  public func run(layout: Layout = Layout(), host: Host) async -> Int32 {
    do throws(DKMSError) {
      var releases: [KernelRelease] = []
      for kernel in kernels { releases.append(try KernelRelease(kernel)) }
      let verification = try await Verification(
        of: releases.isEmpty ? nil : releases, layout: layout, host: host,
        database: Database(root: layout.root))
      if printsJSON {
        host.console.print(verification.json.text)
      } else {
        verification.say(on: host.console, verbosely: isVerbose)
      }
      return verification.status.rawValue
    } catch {
      Narrator(host.console).fail(error, remedy: error.remedy(insteadOf: "alpm-dkms verify", layout, host))
      return ReportStatus.unknown.rawValue
    }
  }
}
