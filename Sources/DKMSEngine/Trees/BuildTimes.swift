// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host

/// How long builds took, by which the next ones are estimated.
///
/// In a file of lines, the newest last: `name/version release seconds`. Nothing depends on it: one that cannot be read is
/// taken for empty, and one that cannot be written stays as it is.
struct BuildTimes: Sendable {
  private let entries: [Entry]

  /// One build.
  struct Entry: Sendable {
    let id: String
    let release: String
    let seconds: Int

    init(_ id: ModuleID, _ kernel: Kernel, seconds: Int) {
      self.id = "\(id)"
      release = "\(kernel.release)"
      self.seconds = seconds
    }

    fileprivate init?(line: Substring) {
      let words = line.split(separator: " ")
      guard words.count == 3, let seconds = Int(words[2]), seconds >= 0 else { return nil }
      (id, release, self.seconds) = (String(words[0]), String(words[1]), seconds)
    }

    fileprivate var line: String { "\(id) \(release) \(seconds)\n" }
  }

  /// Knows of no build.
  init() { entries = [] }

  /// Reads what was noted.
  init(in layout: Layout) {
    let text = try? Files.text(layout.buildTimes)
    entries = (text ?? "").split(separator: "\n").compactMap(Entry.init)
  }

  /// The seconds that a build will take: as many as the last one for the kernel, else for any, else of any version.
  func expected(_ id: ModuleID, for kernel: Kernel) -> Int? {
    let known =
      entries.last { $0.id == "\(id)" && $0.release == "\(kernel.release)" } ?? entries.last {
        $0.id == "\(id)"
      }
      ?? entries.last { $0.id.hasPrefix("\(id.name)/") }
    return known?.seconds
  }

  /// Adds builds to what is noted, and leaves out the oldest where that becomes too much.
  static func note(_ builds: [Entry], in layout: Layout) {
    // The directory is made by the hooks; where they have never run, nothing is left behind.
    guard !builds.isEmpty, (try? Files.isDirectory(layout.stateDirectory)) == true else { return }
    let older = BuildTimes(in: layout).entries.filter { old in
      !builds.contains { $0.id == old.id && $0.release == old.release }
    }
    let text = (older + builds).suffix(limit).map(\.line).joined()
    try? Files.write(Array(text.utf8), to: layout.buildTimes)
  }

  /// More than the modules and kernels of any machine.
  private static let limit = 500
}
