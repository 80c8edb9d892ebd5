// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel

/// The arguments that dracut was called with, as it notes them in an image: ` --add 'a b' --force`.
struct DracutArguments: Hashable, Sendable {
  /// Each option with its values.
  let options: [[String]]

  /// About one call only: where it wrote, for which kernel, what it told, and how the file lies in it.
  private static let ofOneCall: Set<String> = [
    "-f", "--force", "--kver", "--rebuild", "--regenerate-all", "-p", "--parallel", "--tmpdir", "--keep",
    "--printsize", "--list-modules", "--show-modules", "--uefi", "--no-uefi", "--",
  ]

  /// Parses them; nil where they are not written as dracut writes them.
  ///
  /// dracut puts values between quotes as they are, even where a quote is part of one. So only that quote ends a
  /// value which another option follows, or nothing.
  init?(_ text: String) {
    var options: [[String]] = []
    var rest = text[...].trimmed
    while !rest.isEmpty {
      guard rest.first == "-" else { return nil }
      var option = [String(rest.prefix { $0 != " " })]
      rest = rest.dropFirst(option[0].count).trimmed
      while rest.first == "'" {
        // Only this option has two values.
        let mayGoOn = option == ["--include"]
        guard let end = Self.end(ofValueIn: rest, mayGoOn: mayGoOn) else { return nil }
        option.append(String(rest[rest.index(after: rest.startIndex)..<end]))
        rest = rest[rest.index(after: end)...].trimmed
      }
      options.append(option)
    }
    self.options = options
  }

  private static func end(ofValueIn text: Substring, mayGoOn: Bool) -> Substring.Index? {
    text.indices.dropFirst().first { index in
      guard text[index] == "'" else { return false }
      let after = text[text.index(after: index)...]
      guard let next = after.trimmed.first else { return true }
      return after.first == " " && (next == "-" || mayGoOn && next == "'")
    }
  }

  /// Those that make another image the same way.
  var forAnother: [[String]] { options.filter { !Self.ofOneCall.contains($0[0]) } }

  /// The modules that the call asks for, and those of the configuration, if it has read that.
  func requests(beside configured: [ModuleRequest]) -> [ModuleRequest] {
    let readsAnother = options.contains { ["-c", "--conf", "--confdir"].contains($0[0]) }
    let named = modules(after: ["--add-drivers", "--force-drivers", "--drivers", "-d"]).map {
      ModuleRequest(module: $0, place: "the call that made the image")
    }
    let omitted = Set(modules(after: ["--omit-drivers"]))
    return ((readsAnother ? [] : configured) + named).filter { !omitted.contains($0.module) }
      .firstOfEachModule
  }

  private func modules(after names: Set<String>) -> [String] {
    options.filter { names.contains($0[0]) }.flatMap { $0.dropFirst() }.flatMap { $0.split(separator: " ") }
      .filter { !$0.hasPrefix("=") && !$0.contains("/") }.map(\.asKernelModuleName)
  }
}

extension Substring {
  /// Without the blanks before and after it.
  fileprivate var trimmed: Substring {
    let start = drop(while: \.isWhitespace)
    guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
    return start[...last]
  }
}
