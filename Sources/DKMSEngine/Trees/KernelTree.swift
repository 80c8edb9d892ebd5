// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSModel
internal import Host
package import SystemPackage

/// A kernel's module directory and its headers, as files.
package struct KernelTree: Sendable {
  package let release: KernelRelease
  package let directory: FilePath
  private let packageBase: String?
  /// Where the headers are: `build` in the module directory, unless the caller says otherwise.
  let headers: FilePath
  /// The kernel's configuration: what the build itself reads, else the file that people edit.
  package let configuration: FilePath

  package init(_ release: KernelRelease, in layout: Layout, options: BuildOptions) {
    self.release = release
    directory = layout.kernel(release)
    packageBase = KernelCatalogue(layout).packageBase(of: release)
    headers = options.kernelSourceDirectory ?? directory.appending("build")
    let generated = headers.appending("include/config/auto.conf")
    configuration =
      options.kernelConfiguration
      ?? (Files.kind(generated) != nil ? generated : headers.appending(".config"))
  }

  package var facts: KernelFacts {
    KernelFacts(
      directory: directory.string, exists: Files.isDirectory(directory), headersDirectory: headers.string,
      hasHeaders: Files.isDirectory(headers.appending("include")),
      headersPackage: packageBase.map { "\($0)-headers" },
      hasStaleDependencies: hasStaleDependencies)
  }

  /// What tells this kernel from another of its release; nil where its headers are missing.
  package func fingerprint(owner: String?) -> KernelFingerprint? {
    guard let symbols = Files.digest(headers.appending("Module.symvers")),
      let digest = Files.digest(configuration)
    else { return nil }
    let text = "CONFIG_CC_VERSION_TEXT"
    let compiler = KernelOptions(file: configuration).values(of: [text])[text] ?? "unknown"
    return KernelFingerprint(owner: owner, symbols: symbols, configuration: digest, compiler: compiler)
  }

  /// What depmod writes and modprobe goes by, one after another: where it was killed, the last are the old ones.
  private static let indexes = ["dep", "alias", "symbols"].flatMap { ["modules.\($0)", "modules.\($0).bin"] }

  private var hasStaleDependencies: Bool {
    let installed = directory.appending(Layout.installedLocation.components)
    let isOlder = { (index: String) in Files.isNewer(installed, than: directory.appending(index)) }
    return Files.isWritable(directory) && (Self.indexes.contains(where: isOlder) || namesModulesThatAreGone)
  }

  /// Whether modules.dep has one of ours that is there no longer, as after a removal that was killed.
  private var namesModulesThatAreGone: Bool {
    guard let bytes = try? Files.read(directory.appending("modules.dep")) else { return false }
    let ours = Array("\(Layout.installedLocation)/".utf8)
    let lines = bytes.split(separator: UInt8(ascii: "\n")).lazy.filter { $0.starts(with: ours) }
    return lines.compactMap { $0.split(separator: UInt8(ascii: ":")).first }.contains { name in
      !Files.isFile(directory.appending(FilePath(String(decoding: name, as: UTF8.self)).components))
    }
  }

  /// How the kernel's own modules are compressed, which those beside them follow, however a stray one among them is.
  var compression: Compression {
    let own = moduleFiles(below: directory.appending("kernel"))
    let names = (own.isEmpty ? moduleFiles(below: directory) : own).compactMap(\.lastComponent?.string)
    let used = Compression.allCases.last { compression in
      names.contains { $0.hasSuffix(".ko\(compression.suffix)") }
    }
    return used ?? .none
  }

  /// Module files of this name that the kernel has, outside the place where DKMS installs.
  package func modules(named name: String) -> [FilePath] {
    let installed = directory.appending(Layout.installedLocation.components)
    return moduleFiles(below: directory, named: name).filter { !$0.starts(with: installed) }
  }

  /// Module files of this name that are in the way of one that DKMS installs.
  ///
  /// depmod gives any of them in `updates` the same rank as ours. Those in `extra` come after ours, but the
  /// reference moves them too, and the administrator may have ranked them.
  func competitors(named name: String) -> [FilePath] {
    ["extra", "updates"].flatMap { moduleFiles(below: directory.appending($0), named: name) }
  }

  private func moduleFiles(below directory: FilePath, named name: String? = nil) -> [FilePath] {
    var found: [FilePath] = []
    for entry in Files.list(directory) {
      let path = directory.appending(entry)
      switch Files.kind(path) {
      // Headers hold no modules of the kernel, and many files.
      case .directory where path != self.directory.appending("build") && entry != "source":
        found += moduleFiles(below: path, named: name)
      case .file:
        guard let module = Compression.moduleName(ofFile: entry), name == nil || name == module else {
          continue
        }
        found.append(path)
      default: continue
      }
    }
    return found
  }
}
