// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSModel
internal import Host
internal import SystemPackage

/// What the cache holds of one build, as the manifest beside it says.
package struct CacheEntry: Sendable {
  /// The module version.
  package let id: ModuleID
  /// The kernel it was built for.
  package let kernel: Kernel
  /// When it was built, in seconds since 1970.
  package let time: Int
  /// Identifies the kernel among others of the same release.
  let fingerprint: KernelFingerprint
  /// A digest of each file, by its path in the entry.
  let files: [String: String]
  /// A digest of the whole build directory, which is only kept for a script that runs in there afterwards.
  let tree: String?

  /// The names of files and directories in an entry.
  enum Name {
    static let manifest = "manifest"
    static let log = "make.log"
    static let symbols = "Module.symvers"
    static let tree = "tree"

    /// A built module, stripped and not signed.
    static func module(_ module: ModuleFile) -> String { "modules/\(module.destinationName).ko" }
  }
}

// MARK: The manifest

extension CacheEntry {
  /// Raised whenever builds that are kept could not serve a later version.
  static let format = "alpm-dkms cache 1"

  /// One line for each thing, and a digest of these lines.
  var text: String {
    let subject = ["module \(id)", "kernel \(kernel.release) \(kernel.architecture)"]
    var lines = [Self.format] + subject + ["time \(time)"]
    lines += fingerprint.text.split(separator: "\n").map(String.init)
    lines += files.map { "file \($0.value) \($0.key)" }.sorted()
    if let tree { lines.append("tree \(tree)") }
    let body = lines.map { "\($0)\n" }.joined()
    return "\(body)\(Self.end)\(SHA256.digest(of: Array(body.utf8)))\n"
  }

  private static let end = "end "

  /// Reads what `text` has written; nil for anything else, also where a byte of it is missing or changed.
  init?(_ bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    let lines = text.split(separator: "\n").map(String.init)
    guard lines.first == Self.format, let last = lines.last, last.hasPrefix(Self.end) else { return nil }
    let body = bytes.prefix(max(0, bytes.count - last.utf8.count - 1))
    guard last == "\(Self.end)\(SHA256.digest(of: Array(body)))",
      let fingerprint = KernelFingerprint(text: text)
    else { return nil }
    let values = { (name: String) in
      lines.filter { $0.hasPrefix("\(name) ") }.map { String($0.dropFirst(name.utf8.count + 1)) }
    }
    let module = values("module").first?.split(separator: "/", maxSplits: 1).map(String.init) ?? []
    let names = values("kernel").first?.split(separator: " ").map(String.init) ?? []
    guard module.count == 2, names.count == 2,
      let id = try? ModuleID(name: module[0], version: module[1]), let release = try? KernelRelease(names[0]),
      let kernel = try? Kernel(release: release, architecture: names[1]),
      let time = values("time").first.flatMap({ Int($0) })
    else { return nil }
    self.id = id
    self.kernel = kernel
    self.time = time
    self.fingerprint = fingerprint
    tree = values("tree").first
    files = values("file").reduce(into: [:]) { files, line in
      let words = line.split(separator: " ", maxSplits: 1)
      if words.count == 2 { files[String(words[1])] = String(words[0]) }
    }
  }
}
