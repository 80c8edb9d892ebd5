// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSEngine
package import DKMSModel
package import Host
internal import Initramfs
internal import SystemPackage

/// The verdicts on the kernels of a system, made from what is on its disk now.
package struct Verification {
  /// What the verdicts are made from.
  package let facts: ConditionFacts
  /// One verdict for each kernel.
  package let verdicts: [KernelVerdict]
  /// What is wrong with `/etc/alpm-dkms.conf`.
  package var problems: [ConfigurationProblem] { facts.problems }
  /// Whether there is any module to speak of.
  package var hasModules: Bool { facts.hasModules }

  /// Judges.
  package init(_ facts: ConditionFacts) {
    self.facts = facts
    verdicts = facts.verdicts
  }

  /// Looks at kernels and judges each.
  ///
  /// - Parameters:
  ///   - releases: The kernels; nil for all that are installed and not ignored.
  ///   - layout: Where things are, before framework.conf is read.
  ///   - host: The machine.
  ///   - database: Who owns the kernels.
  /// - Throws: `DKMSError` where framework.conf cannot be read or a kernel that is named is not there.
  package init(
    of releases: [KernelRelease]? = nil, layout: Layout, host: Host, database: borrowing Database
  ) async throws(DKMSError) {
    let settings = try await Settings.read(over: layout, host: host)
    let framework = settings.framework
    let layout = framework.layout
    var (configuration, problems) = (settings.suite, settings.problems)
    let snapshot = framework.snapshot(on: host)
    for release in releases ?? [] {
      let directory = layout.kernel(release)
      let isThere = try onFiles { () throws(HostError) in try Files.isDirectory(directory) }
      guard isThere else { throw .kernelMissing(release, directory: directory.string) }
    }
    let installed: InstalledKernels
    do { installed = try InstalledKernels(snapshot, database) } catch { throw DKMSError(error) }
    problems += installed.doubts.map { error in
      ConfigurationProblem(
        file: "pacman's database", line: nil, isError: true,
        text: "\(error)", remedy: error.remedy)
    }
    let chosen = releases ?? installed.releases.filter { !configuration.ignores($0) }
    var kernels: [Kernel] = []
    for release in chosen { kernels.append(try Kernel(release: release, architecture: host.architecture)) }
    let isEmpty = try onFiles { () throws(HostError) in try snapshot.tree() }.modules.isEmpty
    let survey = try await ConditionReader(
      snapshot, allowsAutoinstall: framework.allowsAutoinstall, kernelOwners: installed.owners,
      packagedSources: database.packagedSources(in: layout)
    ).survey(of: kernels)
    var conditions = survey.conditions
    do { try conditions.addOrigins(from: database, snapshot) } catch { throw DKMSError(error) }
    if let names = survey.names {
      problems += configuration.problems(among: names, in: layout.suiteConfiguration.string)
    }
    let hasModules = !isEmpty || conditions.contains { !$0.modules.isEmpty || !$0.unreadSources.isEmpty }
    if configuration.initramfs != .never, hasModules {
      let images: KernelImages
      do { images = try await KernelImages(of: kernels, snapshot, configuration, database) } catch {
        throw DKMSError(error)
      }
      for index in conditions.indices {
        conditions[index].images = images.conditions.filter { $0.image.kernel == conditions[index].kernel }
        conditions[index].strays = images.strays.filter { $0.kernel == conditions[index].kernel }
      }
      problems += images.problems.map(ConfigurationProblem.init)
    }
    self.init(
      ConditionFacts(
        conditions: conditions, configuration: configuration, problems: problems, hasModules: hasModules))
  }

  /// Whether every kernel is fine.
  package var isWell: Bool { verdicts.allSatisfy { $0.standing == .fine } }

  /// What `alpm-dkms verify` ends with.
  package var status: ReportStatus {
    switch standing {
    case .blocked: .blocked
    case .unknown: .unknown
    case .degraded: .degraded
    case .fine where problems.contains(where: \.isError): .degraded
    case .fine: verdicts.contains { !$0.findings.isEmpty } ? .optional : .fine
    }
  }

  /// The worst of the verdicts.
  package var standing: KernelVerdict.Standing {
    let standings = Set(verdicts.map(\.standing))
    return [.blocked, .unknown, .degraded].first(where: standings.contains) ?? .fine
  }
}

extension Verification {
  /// Prints the verdicts in pacman's style, one line for each kernel, the worst last.
  ///
  /// Nothing is printed if all is well and no module is registered.
  package func say(on console: Console, verbosely: Bool = false) {
    for problem in problems {
      console.print(
        "==> \(problem.isError ? "ERROR" : "WARNING"): \(problem)", remedy: problem.remedy)
    }
    guard hasModules || !isWell else { return }
    for standing in [KernelVerdict.Standing.fine, .degraded, .unknown, .blocked] {
      for verdict in verdicts where verdict.standing == standing {
        console.print("==> \(verdict.headline)")
        for finding in verdict.findings { finding.say(on: console) }
        guard verbosely else { continue }
        for skip in verdict.skips {
          console.print("  -> \(skip.module): not for this kernel: \(skip.reason)")
        }
      }
    }
  }
}

extension KernelVerdict {
  private var subject: String { isRunning ? "\(kernel.release) (running)" : "\(kernel.release)" }

  fileprivate var headline: String {
    switch standing {
    case .fine: "\(subject): \(summary)"
    case .degraded: "WARNING: \(subject): degraded, not every module is as it should be"
    case .unknown: "ERROR: \(subject): unknown, it could not be looked at"
    case .blocked: "ERROR: \(subject): blocked, do not boot it before this is fixed"
    }
  }
}

extension Finding {
  /// Prints it, with the command that fixes it alone on its line.
  fileprivate func say(on console: Console) {
    let mark =
      switch weight {
      case .critical: "\(subject) (critical)"
      case .normal: subject
      case .optional: "\(subject) (optional)"
      }
    let parts = ["\(mark): \(reason)", log.map { "the log is \($0)" }].compactMap { $0 }
    console.print("  -> \(parts.joined(separator: "; "))", remedy: remedy)
  }
}

extension Console {
  /// Prints a line with what fixes the matter: advice after it, a command alone on a line below.
  fileprivate func print(_ line: String, remedy: String?) {
    guard let remedy = remedy.map(Remedy.init) else { return print(line) }
    let words = remedy.advice.map { $0.hasPrefix("to ") ? $0 : "to fix it, \($0)" } ?? "to fix it"
    print("\(line); \(words)\(remedy.command == nil ? "" : ":")")
    if let command = remedy.command { printCommand(command, to: .output) }
  }
}

/// What the commands that report on a system end with, for monitoring.
package enum ReportStatus: Int32, Sendable {
  /// Nothing is wrong.
  case fine = 0
  /// Only what the administrator calls optional is wrong.
  case optional = 1
  /// Something is wrong, but nothing critical.
  case degraded = 2
  /// A kernel must not be booted.
  case blocked = 3
  /// Something could not be looked at, so nobody knows.
  case unknown = 4
}
