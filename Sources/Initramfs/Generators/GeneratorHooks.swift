// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// What pacman's hooks do with a generator: whether they would make an image that has never existed.
struct GeneratorHooks: Sendable {
  /// The texts of hooks that call the generator, each with what the program says that it runs.
  private let texts: [String]

  /// Reads the hooks that run; those of this suite only look after images that there are.
  ///
  /// - Throws: `HostError` where they cannot be looked at.
  init(of generator: String, on system: BootSystem) throws(HostError) {
    var files: [String: FilePath] = [:]
    for directory in ["/usr/share/libalpm/hooks", "/etc/pacman.d/hooks"].map(system.place) {
      for name in try Files.list(directory) where name.hasSuffix(".hook") {
        files[name] = directory.appending(name)
      }
    }
    var texts: [String] = []
    for file in files.values {
      guard try Files.isFile(file), let text = try Files.text(file), !text.contains("alpm-dkms") else {
        continue
      }
      let whole = text + (try Self.program(of: text, on: system) ?? "")
      if whole.contains(generator) { texts.append(whole) }
    }
    self.texts = texts
  }

  /// The text of the program that a hook runs; nil where it runs none, or one that is no script.
  private static func program(of hook: String, on system: BootSystem) throws(HostError) -> String? {
    for line in hook.split(separator: "\n") {
      let parts = line.split(separator: "=", maxSplits: 1).map { $0.filter { $0 != " " && $0 != "\t" } }
      guard parts.count == 2, parts[0] == "Exec" else { continue }
      let words = line.split { " =\t".contains($0) }
      guard words.count > 1, words[1].hasPrefix("/") else { return nil }
      let file = system.place(String(words[1]))
      guard try Files.isFile(file), try Files.read(file, upTo: 2) == Array("#!".utf8) else { return nil }
      return try Files.text(file)
    }
    return nil
  }

  /// Whether one of them would make an image whose name begins like this, or whether there is none of them, so that
  /// images are made by hand.
  func wouldMake(imagesNamed beginning: String) -> Bool {
    texts.isEmpty || texts.contains { $0.contains(beginning) }
  }
}
