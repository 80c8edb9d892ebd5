// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// Asks module files what they were built for and whether they are signed.
struct ModinfoAnswers {
  private let answers: [String: [String: String]]?
  private static let fileMark = "filename:"

  /// Asks all of them at once, however compressed they are; one process for any number of files.
  init(of files: [String], host: Host) async {
    guard !files.isEmpty else {
      answers = [:]
      return
    }
    let command = Command("modinfo", ["-0"] + files, environment: host.environment)
    // Its status is that of the worst file; what it says of the others holds.
    guard let result = try? await host.launcher.run(command) else {
      answers = nil
      return
    }
    var answers: [String: [String: String]] = [:]
    var file = ""
    for field in result.text.split(separator: "\0") {
      if field.hasPrefix(Self.fileMark) {
        file = String(field.dropFirst(Self.fileMark.count).drop { $0 == " " })
      } else if let separator = field.firstIndex(of: "=") {
        answers[file, default: [:]][String(field[..<separator])] = String(
          field[field.index(after: separator)...])
      }
    }
    self.answers = answers
  }

  /// Adds to what is known of a file what modules say of themselves.
  func complete(_ file: inout ModuleFileCondition) {
    if file.exists {
      file.information = information(on: file.path)
    } else if let own = file.kernelsOwn, !prefers(own, to: file.builtPath ?? "") {
      file.kernelsOwn = nil
    }
  }

  private func information(on file: String) -> ModuleFileCondition.Information {
    guard let answers else { return .unknown }
    guard let answer = answers[file], let release = answer["vermagic"]?.split(separator: " ").first else {
      return .unreadable
    }
    return .read(release: String(release), isSigned: answer["sig_id"] != nil)
  }

  /// Whether installation would leave the kernel's own module in the place of a built one.
  private func prefers(_ own: String, to built: String) -> Bool {
    let field = { (name: String, file: String) in answers?[file]?[name] ?? "" }
    let (ours, theirs) = (field("version", built), field("version", own))
    if ours == theirs, field("srcversion", built) == field("srcversion", own) {
      return !ours.isEmpty || !field("srcversion", built).isEmpty
    }
    return VersionOrder(ours) < VersionOrder(theirs)
  }
}
