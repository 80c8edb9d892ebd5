// SPDX-License-Identifier: GPL-2.0-or-later

/// What strace writes about the calls that change files, as changes of the model.
extension FileSystemModel {
  static let tracedCalls = [
    "openat", "creat", "write", "pwrite64", "writev", "copy_file_range", "sendfile", "ftruncate", "truncate",
    "rename",
    "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "unlink", "unlinkat", "rmdir", "mkdir",
    "mkdirat",
    "fsync", "fdatasync", "sync", "syncfs", "ioctl",
  ]

  /// The lines of a trace (`strace -f -y`), each call in one line, where it ended.
  static func calls(in trace: String) -> [String] {
    var begun: [Substring: Substring] = [:]
    return trace.split(separator: "\n").compactMap { line -> String? in
      let process = line.prefix { $0.isNumber }
      var text = line.dropFirst(process.count).drop { $0 == " " }
      if let cut = text.firstRange(of: " <unfinished ...>") {
        begun[process] = text[..<cut.lowerBound]
        return nil
      }
      if text.hasPrefix("<... "), let rest = text.firstRange(of: " resumed>") {
        guard let beginning = begun.removeValue(forKey: process) else { return nil }
        text = Substring(String(beginning) + text[rest.upperBound...])
      }
      return text.contains(" = -1 ") || text.contains(" = ? ") ? nil : String(text)
    }
  }

  /// Does what a call did; false where that changes nothing that the model knows.
  mutating func apply(_ line: String) -> Bool {
    let call = line.prefix { $0 != "(" }
    // Paths are the quoted arguments. A descriptor is followed by its path in angles.
    let quoted = line.split(separator: "\"", omittingEmptySubsequences: false)
    let words = quoted.indices.filter { $0 % 2 == 1 }.map { String(quoted[$0]) }
    let descriptors = line.split(separator: "<").dropFirst().compactMap {
      $0.split(separator: ">").first.map(String.init)
    }
    // A path that is not absolute is below that of the descriptor before it.
    func path(_ index: Int) -> String {
      guard index < words.count else { return "" }
      if words[index].hasPrefix("/") { return words[index] }
      let base = index < descriptors.count ? descriptors[index] : ""
      return "\(base)/\(words[index])"
    }
    switch call {
    case "openat", "creat":
      guard let opened = descriptors.last, line.contains("O_CREAT") || line.contains("O_TRUNC") else {
        return false
      }
      if node(opened) == nil {
        make(.file(isSynced: false), at: opened)
      } else if line.contains("O_TRUNC") {
        write(opened)
      }
    case "write", "pwrite64", "writev", "ftruncate": descriptors.first.map { write($0) }
    case "copy_file_range": if descriptors.count > 1 { write(descriptors[1]) }
    case "sendfile": descriptors.first.map { write($0) }
    case "ioctl":
      guard line.contains("FICLONE") else { return false }
      descriptors.first.map { write($0) }
    case "truncate": write(path(0))
    case "rename", "renameat": rename(path(0), to: path(1))
    case "renameat2":
      if line.contains("RENAME_EXCHANGE") {
        exchange(path(0), with: path(1))
      } else {
        rename(path(0), to: path(1))
      }
    case "link", "linkat": link(path(0), to: path(1))
    case "symlink": make(.link(words.first ?? ""), at: path(1))
    case "symlinkat":
      let base = descriptors.first ?? ""
      make(.link(words[0]), at: words[1].hasPrefix("/") ? words[1] : "\(base)/\(words[1])")
    case "unlink", "unlinkat", "rmdir": remove(path(0))
    case "mkdir", "mkdirat":
      make(.directory, at: path(0))
    case "fsync", "fdatasync": descriptors.first.map { synchronize($0) }
    case "sync", "syncfs": synchronizeAll()
    default: return false
    }
    return true
  }
}
