// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
internal import DKMSModel
internal import Hooks
internal import Host
internal import Initramfs
internal import Inspection
internal import JSON
internal import Journal
internal import SystemPackage

/// What is wrong with a system, judged from facts alone.
struct Diagnosis: Hashable {
  /// What was found; each thing once.
  let findings: [DoctorFinding]
  /// What `alpm-dkms doctor` ends with.
  let status: ReportStatus

  /// Judges.
  init(_ facts: DoctorFacts) {
    let all =
      facts.lookFindings + facts.configurationFindings + facts.hookFindings + facts.kernelFindings
      + facts.moduleFindings
      + facts.verdictFindings { _ in true } + facts.fileFindings + facts.pruneFindings
      + facts.images.compactMap(\.finding)
      + facts.strayKernels.map { DoctorFinding(.strayKernel, $0.path, $0.reason, remedy: $0.remedy) }
      + facts.hookTakeovers.map { DoctorFinding(.hook, $0.file.string, $0.reason, remedy: $0.remedy) }
      + facts.leftoverPresets.map(\.finding)
    var known: Set<DoctorFinding> = []
    findings = all.filter { known.insert($0).inserted }
    status = Self.status(of: findings, facts)
  }

  private static func status(of findings: [DoctorFinding], _ facts: DoctorFacts) -> ReportStatus {
    let verdicts = facts.conditions.map { KernelVerdict($0, by: facts.configuration) }
    if verdicts.contains(where: { $0.standing == .blocked }) { return .blocked }
    if findings.contains(where: { [.failedLook, .unknownImage].contains($0.kind) }) { return .unknown }
    let optional = Set(facts.verdictFindings { $0.weight == .optional })
    if findings.allSatisfy(optional.contains) { return findings.isEmpty ? .fine : .optional }
    return .degraded
  }

  /// The findings that could be fixed without risk and that another diagnosis no longer has.
  func safe(without other: Diagnosis) -> [DoctorFinding] {
    findings.filter { finding in
      finding.isSafe && !other.findings.contains { $0.kind == finding.kind && $0.subject == finding.subject }
    }
  }

  /// What can be done about them without any risk, each once.
  var repairs: [DoctorFinding.Repair] {
    var known: Set<DoctorFinding.Repair> = []
    return findings.compactMap(\.repair).filter { known.insert($0).inserted }
  }
}

extension DoctorFacts {
  fileprivate var lookFindings: [DoctorFinding] {
    failedLooks.map { DoctorFinding(.failedLook, "the system", "\($0), so there may be more that is wrong") }
  }

  fileprivate var configurationFindings: [DoctorFinding] {
    let framework = [frameworkError].compactMap { $0 }.map {
      DoctorFinding(.configuration, "framework.conf", "\($0)", remedy: $0.remedy)
    }
    let suite = problems.map { problem in
      DoctorFinding(
        .configuration, problem.file,
        problem.line.map { "line \($0): \(problem.text)" } ?? problem.text, remedy: "edit \(problem.file)")
    }
    let confs = unreadable.sorted { $0.key.description < $1.key.description }.map { id, error in
      DoctorFinding(
        .configuration, "\(id)", "\(error)",
        remedy: error.remedy(reinstalling: reinstallations[id]) ?? "reinstall its package")
    }
    let unread = unreadSources.map { source in
      DoctorFinding(
        source.error == nil ? .danglingSource : .configuration, source.directory, source.reason,
        remedy: source.remedy)
    }
    let former = [formerFramework].compactMap { $0 }.map { former in
      DoctorFinding(
        .configuration, "\(former.kept)",
        "pacman put these settings away when their package was replaced, and \(former.place) sets nothing",
        remedy: "mv \(former.kept) \(former.place)")
    }
    let lists = damagedLists.map { error in
      let package =
        if case .fileListDamaged(let package, _, _) = error { package } else { "pacman's database" }
      return DoctorFinding(.damagedFileList, package, "\(error)", remedy: error.remedy)
    }
    return framework + former + suite + confs + unread + lists
  }

  fileprivate var hookFindings: [DoctorFinding] {
    hooks.compactMap { hook in
      switch hook.state {
      case .present: nil
      case .masked(let link):
        DoctorFinding(.hook, hook.name, "\(link) hides it from pacman", remedy: "rm \(link.quoted)")
      case .replaced(let file, let command):
        DoctorFinding(
          .hook, hook.name, "\(file) takes its place, and runs \(command)", remedy: "rm \(file.quoted)")
      case .malformed(let file, let reason):
        DoctorFinding(
          .hook, hook.name, "pacman refuses every transaction because of \(reason)", remedy: "edit \(file)")
      case .missing:
        DoctorFinding(
          .hook, hook.name, "it is in none of pacman's hook directories", remedy: "pacman -S alpm-dkms")
      }
    }
  }

  fileprivate var kernelFindings: [DoctorFinding] {
    let headless = modules.isEmpty && !hasSources ? [] : kernels.filter { !$0.facts.hasHeaders }
    let prunable = Set(prunable.map(\.path))
    return headless.map { kernel, facts in
      let remark = DKMSError.remark(onHeadersFor: facts.strayHeaders, facts.headersPackage)
      return DoctorFinding(
        .headersMissing, "\(kernel.release)",
        "\(facts.headersDirectory) holds no headers, so nothing can be built for it\(remark)",
        remedy: facts.headersMissing(for: kernel).remedy)
    }
      + orphans.filter { !prunable.contains($0.directory) }.map { release, directory in
        let isRunning = release.description == running
        return DoctorFinding(
          .orphanedKernel, "\(release)",
          "no package owns it, so nothing is built for it" + (isRunning ? "; it is running" : ""),
          remedy: (isRunning ? "reboot, then: " : "") + "rm -r \(directory.quoted)")
      }
  }

  fileprivate var moduleFindings: [DoctorFinding] {
    modules.filter(\.isBroken).map { record in
      let place = record.source ?? "nowhere"
      let reason = "its source is missing: the link leads to \(place)"
      let reinstallation = reinstallations[record.id]
      guard record.builds.isEmpty, reinstallation == nil, let path = registrations[record.id] else {
        return DoctorFinding(
          .danglingSource, "\(record.id)", reason,
          remedy: DKMSError.moduleBroken(record.id, link: place).remedy(reinstalling: reinstallation))
      }
      return DoctorFinding(.danglingSource, "\(record.id)", reason, repair: .forget(path: path.string))
    }
  }

  /// What the verdict says, except what is reported elsewhere.
  fileprivate func verdictFindings(_ isWanted: (Finding) -> Bool) -> [DoctorFinding] {
    conditions.flatMap { condition in
      KernelVerdict(condition, by: configuration).findings.filter(isWanted).compactMap { finding in
        let release = condition.kernel.release
        let subject = finding.subject
        let reason = finding.reason + (finding.log.map { "; the log is \($0)" } ?? "")
        switch finding.cause {
        case .headersMissing, .sourceMissing, .configuration, .untrusted: return nil
        case .dependencies:
          return DoctorFinding(.staleDependencies, subject, for: release, reason, repair: .depmod(release))
        case .otherKernel:
          return DoctorFinding(.staleFingerprint, subject, for: release, reason, remedy: finding.remedy)
        case .failedLook: return DoctorFinding(.failedLook, subject, for: release, reason)
        case .module: return DoctorFinding(.module, subject, for: release, reason, remedy: finding.remedy)
        }
      }
    }
  }

  fileprivate var fileFindings: [DoctorFinding] {
    // Something inside a directory that is removed anyway is not listed separately.
    strayFiles.filter { _, file in !prunable.contains { file.starts(with: $0.path) } }.map {
      release, file in
      DoctorFinding(
        .strayFile, "\(file)", "neither a registered module nor a package put it there",
        remedy: "rm \(file.quoted) && depmod \(release)")
    }
      + unregistered.map {
        DoctorFinding(
          .leftover, "\($0)", "it belongs to no registered module",
          remedy: DoctorFinding.Repair.forget(path: $0.string).command)
      }
      + temporary.map {
        DoctorFinding(.leftover, "\($0)", "a killed run left it behind", remedy: "rm -r \($0.quoted)")
      }
      + exposures.map { exposure in
        let reason = "\(exposure), and root runs what is there"
        // What somebody else owns may have been changed already, so a person has to look at it.
        let isSafe = exposure.link == nil && !exposure.remedy.hasPrefix("chown")
        return DoctorFinding(
          .openSource, exposure.link ?? exposure.place, reason, remedy: exposure.remedy,
          repair: isSafe ? .denyOthers(path: exposure.place, command: exposure.remedy) : nil)
      }
      + keyProblems.map {
        DoctorFinding(.keyPair, "signing key", "\($0)", remedy: $0.remedy)
      }
  }

  fileprivate var pruneFindings: [DoctorFinding] {
    prunable.map {
      DoctorFinding(
        $0.kind.findingKind, $0.path.string, $0.kind.reason, repair: .prune(path: $0.path.string))
    }
  }
}

extension Prunable.Kind {
  fileprivate var findingKind: DoctorFinding.Kind {
    switch self {
    case .kernelRemains: .orphanedKernel
    case .build: .staleBuild
    case .leftover: .halfMade
    case .link, .keptSource, .emptyDirectory: .leftover
    }
  }
}

extension Diagnosis {
  /// Members may be added; one that is removed or changes its meaning raises the number.
  private static let schema = 3

  /// Says what was found, each with its reason and what fixes it; a command stands alone on its line.
  func say(on console: Console, _ style: OutputStyle) {
    guard !findings.isEmpty else { return console.print(style.painted("==> Nothing is wrong", .good)) }
    for finding in findings {
      let title = "\(finding.subject): \(finding.kind.words)"
      console.print("==> " + style.painted(title, .strong))
      let remedy = finding.remedy.map(Remedy.init)
      var table = Table()
      table.append(["why", .init(finding.reason)])
      if let remedy {
        let words = remedy.advice ?? "with this command"
        table.append(["fix", .init("\(words)\(remedy.command == nil ? "" : ":")", .good)])
      }
      table.lines(style, indentation: "  -> ").forEach(console.print)
      if let command = remedy?.command { console.printCommand(command, to: .output) }
    }
    let count = repairs.isEmpty ? "" : ", \(findings.filter(\.isSafe).count) of them safe to fix with --fix"
    console.print(style.painted("==> \(findings.count.counted("problem")) found\(count)", .warning))
  }

  /// What `alpm-dkms doctor --json` prints; with what was fixed where that was asked for.
  func json(fixed: [DoctorFinding]?) -> JSON {
    .document(
      schema: Self.schema,
      [.init("findings", .array(findings.map(\.json)))]
        + (fixed.map { [.init("fixed", .array($0.map(\.json)))] } ?? []))
  }
}

extension DoctorFinding {
  fileprivate var json: JSON {
    .object([
      .init("kind", .string(kind.rawValue)),
      .init("subject", .string(object)),
      .init("kernel", .string(orNull: kernel?.description)),
      .init("reason", .string(reason)),
      .init("remedy", Remedy.json(remedy)),
      .init("safe", .bool(isSafe)),
    ])
  }
}

extension LeftoverPreset {
  /// The finding that the preset makes nothing, with what ends that.
  fileprivate var finding: DoctorFinding {
    DoctorFinding(
      .leftover, file, "it makes no image: the kernel that it names, \(kernelFile), is not there",
      remedy: "if this system boots another file, remove \(file); otherwise put the kernel there again")
  }
}

extension ImageCondition {
  /// What is wrong with it and what makes it anew; nil where it is fresh.
  var finding: DoctorFinding? {
    guard !isFresh else { return nil }
    let reasons = flaws.map(\.words).joined(separator: "; ")
    if isUnknown { return DoctorFinding(.unknownImage, image.path, reasons) }
    let remedy = image.generator.map { _ in "alpm-dkms initramfs \(image.kernel.release)" }
    return DoctorFinding(
      .staleImage, image.path, reasons,
      remedy: remedy ?? "make it anew with what made it, which is not known here")
  }
}
