// SPDX-License-Identifier: GPL-2.0-or-later

package import Host
package import SystemPackage

/// What depmod wrote for a kernel, by which modprobe finds modules.
package struct ModuleIndex: Sendable {
  private let directory: FilePath
  /// The module files that modules.dep names, relative to the kernel's directory.
  private let listed: Set<String>

  /// Reads modules.dep, of 64 MiB at most; a missing file counts as empty.
  package init(of directory: FilePath) throws(HostError) {
    self.directory = directory
    let lines = try Files.contents(directory.appending("modules.dep"), 64 << 20)?.split(
      separator: UInt8(ascii: "\n"))
    listed = Set(
      (lines ?? []).map { line in String(decoding: line.prefix { $0 != UInt8(ascii: ":") }, as: UTF8.self) })
  }

  /// Whether it names a module file of the kernel.
  package func lists(_ file: FilePath) -> Bool {
    var name = file
    return name.removePrefix(directory) && listed.contains(name.string) || listed.contains(file.string)
  }

  /// The files that depmod writes, in order: after a kill, the last ones are old.
  private static let files = ["dep", "alias", "symbols"].flatMap { ["modules.\($0)", "modules.\($0).bin"] }

  /// Whether modules came or went after it was written.
  package func isStale() throws(HostError) -> Bool {
    let installed = directory.appending(Layout.installedLocation.components)
    for file in Self.files where try Files.isNewer(installed, than: directory.appending(file)) { return true }
    return try namesModulesThatAreGone()
  }

  /// Whether it lists a module of ours that no longer exists, as after a removal that was killed.
  private func namesModulesThatAreGone() throws(HostError) -> Bool {
    let ours = "\(Layout.installedLocation)/"
    for name in listed where name.hasPrefix(ours) {
      if try !Files.isFile(directory.appending(FilePath(name).components)) { return true }
    }
    return false
  }
}
