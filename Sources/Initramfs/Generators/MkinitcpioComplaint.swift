// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// Something that mkinitcpio looked for in vain; it writes its image without it, and ends with an error.
struct MkinitcpioComplaint: Hashable {
  /// Its words.
  let words: String
  /// What it looked for.
  let name: String
  /// The hook that ran then, if one did.
  let hook: String?

  /// What it says of modules, programs, files and hooks that are not there, each before the name.
  private static let beginnings = [
    "module not found: '", "binary not found: '", "file not found: '", "binary dependency '",
    "runtime script for '", "Hook '",
  ]
  private static let running = "Running build hook: ["

  /// Finds them in what it printed; none where there is another error among them.
  static func all(in output: String) -> [MkinitcpioComplaint] {
    var complaints: [MkinitcpioComplaint] = []
    var hook: String?
    for line in output.split(separator: "\n") {
      if let start = line.end(of: running) { hook = String(line[start...].prefix { $0 != "]" }) }
      guard let start = line.end(of: "ERROR: ") else { continue }
      let words = String(line[start...])
      guard let beginning = beginnings.first(where: words.hasPrefix) else { return [] }
      let name = String(words.dropFirst(beginning.count).prefix { $0 != "'" })
      complaints.append(
        MkinitcpioComplaint(words: words, name: name, hook: beginning == "Hook '" ? name : hook))
    }
    var known: Set<MkinitcpioComplaint> = []
    return complaints.filter { known.insert($0).inserted }
  }

  /// Says which line is to be changed.
  ///
  /// - Throws: `HostError` where a file of the configuration cannot be read.
  func error(_ configuration: [FilePath]) throws(HostError) -> GenerationError {
    for (word, advice) in [
      (name, "take \(name) out of"), (hook, "install what has \(name), or take \(hook ?? "") out of"),
    ] {
      guard let word else { continue }
      for file in configuration {
        guard let text = try Files.text(file), let line = Self.line(with: word, in: text) else { continue }
        return GenerationError("mkinitcpio", words, remedy: "\(advice) \(file), line \(line)")
      }
    }
    return GenerationError("mkinitcpio", words)
  }

  /// The number of the first line that has a word and is no comment.
  private static func line(with word: String, in text: String) -> Int? {
    let spelling = word.asKernelModuleName
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    return lines.firstIndex { line in
      let words = line.prefix { $0 != "#" }.split { " \t()\"'=".contains($0) }
      return words.contains { $0 == word || $0.drop(suffix: "?").asKernelModuleName == spelling }
    }.map { $0 + 1 }
  }
}

extension Substring {
  /// Where a text ends in it; nil where it is not in it.
  fileprivate func end(of text: String) -> Index? {
    indices.first { self[$0...].hasPrefix(text) }.map { index($0, offsetBy: text.count) }
  }

  fileprivate func drop(suffix: String) -> Substring { hasSuffix(suffix) ? dropLast(suffix.count) : self }
}
