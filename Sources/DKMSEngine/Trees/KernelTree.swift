// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSModel
package import Host
package import SystemPackage

/// A kernel's module directory and its headers, as files; each is read at most once.
package final class KernelTree: Sendable {
  /// The kernel's release.
  package let release: KernelRelease
  /// Its module directory.
  package let directory: FilePath
  /// Where the headers are: `build` in the module directory, unless the caller says otherwise.
  package let headers: FilePath
  private let packageBaseFile: FilePath
  private let namedConfiguration: FilePath?
  private let now: @Sendable () -> Int

  private let readOptions = Once<KernelOptions>()
  private let readFingerprint = Once<KernelFingerprint?>()
  private let readIndex = Once<ModuleIndex>()
  private let readIndexFlaw = Once<IndexFlaw?>()
  private let readModules = Once<[FoundModule]>()

  /// Looks at a kernel of a layout; nothing is read yet.
  ///
  /// - Parameters:
  ///   - release: The kernel's release.
  ///   - layout: Where it is.
  ///   - options: What the caller says of its headers and configuration.
  ///   - now: Tells the time, in seconds since 1970; by default, no time lies ahead.
  package init(
    _ release: KernelRelease, in layout: Layout, options: BuildOptions,
    now: @escaping @Sendable () -> Int = { .max }
  ) {
    self.release = release
    self.now = now
    directory = layout.kernel(release)
    packageBaseFile = layout.packageBaseFile(release)
    headers = options.kernelSourceDirectory ?? directory.appending("build")
    namedConfiguration = options.kernelConfiguration
  }

  /// What plans are made from, as far as it costs little to know.
  ///
  /// - Throws: `HostError` where a look failed.
  package func facts() throws(HostError) -> KernelFacts {
    let indexFlaw = try indexFlaw()
    var facts = KernelFacts(
      directory: directory.string, exists: try Files.isDirectory(directory),
      headersDirectory: headers.string,
      hasHeaders: try Files.isDirectory(headers.appending("include")),
      headersPackage: try headersPackage(),
      hasStaleDependencies: indexFlaw == nil ? false : try Files.isWritable(directory), indexFlaw: indexFlaw)
    if !facts.hasHeaders, facts.headersPackage != nil { facts.strayHeaders = try strayHeaders() }
    return facts
  }

  /// The package that holds the headers, by Arch's convention; nil where the kernel does not say its own.
  func headersPackage() throws(HostError) -> String? {
    try Files.text(packageBaseFile).map { "\($0)-headers" }
  }

  // MARK: Headers

  /// Kernels of this one's kind that are not there, but whose headers are: the headers' package and the kernel's were
  /// not upgraded together.
  private func strayHeaders() throws(HostError) -> [KernelRelease]? {
    let kind = { (name: String) in name.filter { !$0.isNumber && $0 != "." } }
    let tree = directory.removingLastComponent()
    let names = try Files.list(tree).where { name throws(HostError) in
      let place = tree.appending(name)
      guard kind(name) == kind(release.description) else { return false }
      let isKernel = try Self.signs.map(place.appending).hasAny(Files.exists)
      return isKernel ? false : try Files.isDirectory(place.appending("build/include"))
    }
    let releases = names.compactMap { try? KernelRelease($0) }
    return releases.isEmpty ? nil : releases
  }

  /// What is wrong with headers that are there, found out after a build has failed; nil where nothing is known.
  func headersProblem(on host: Host) async throws(HostError) -> String? {
    let isWhole = try Files.isFile(headers.appending("include/generated/autoconf.h"))
    // Other things than headers may serve as such for modules that need none.
    guard try Files.isFile(headers.appending("Makefile")) else { return nil }
    if !isWhole { return "\(headers)/include/generated/autoconf.h is missing" }
    let program = headers.appending("scripts/basic/fixdep")
    guard try Files.isFile(program) else { return "\(program) is missing" }
    do {
      // Without arguments it only says how it is used.
      _ = try await host.launcher.run(Command(program.string, [], environment: host.environment))
      return nil
    } catch {
      return "\(program) cannot be run: \(error.reason)"
    }
  }

  /// The file of the kernel's configuration: what the build itself reads, else the one that people edit.
  ///
  /// - Throws: `HostError` where the look failed.
  package func configurationFile() throws(HostError) -> FilePath {
    if let namedConfiguration { return namedConfiguration }
    let generated = headers.appending("include/config/auto.conf")
    return try Files.exists(generated) ? generated : headers.appending(".config")
  }

  /// The kernel's configuration, of 16 MiB at most.
  ///
  /// - Throws: `HostError` where it cannot be read, or is larger.
  package func options() throws(HostError) -> KernelOptions {
    try readOptions.value { () throws(HostError) in
      KernelOptions(try Files.contents(try configurationFile(), 16 << 20))
    }
  }

  /// Identifies this kernel among others of the same release; nil if its headers are missing.
  ///
  /// - Throws: `HostError` where a look failed.
  package func fingerprint() throws(HostError) -> KernelFingerprint? {
    try readFingerprint.value { () throws(HostError) in
      guard let symbols = try Files.digest(headers.appending("Module.symvers")),
        let configuration = try options().digest
      else { return nil }
      let text = "CONFIG_CC_VERSION_TEXT"
      let compiler = try options().values(of: [text])[text] ?? "unknown"
      return KernelFingerprint(
        owner: nil, symbols: symbols, configuration: configuration, compiler: compiler)
    }
  }

  // MARK: Index

  /// What depmod has written for it.
  ///
  /// - Throws: `HostError` where a look failed.
  package func index() throws(HostError) -> ModuleIndex {
    try readIndex.value { () throws(HostError) in try ModuleIndex(of: directory) }
  }

  /// What is wrong with what depmod has written; nil also where there is no kernel that needs it.
  ///
  /// - Throws: `HostError` where a look failed.
  package func indexFlaw() throws(HostError) -> IndexFlaw? {
    try readIndexFlaw.value { () throws(HostError) in
      guard try Self.signs.map(directory.appending).hasAny(Files.exists) else { return nil }
      return try index().flaw(modules: moduleFiles(), now: now())
    }
  }

  /// What shows that a directory holds a kernel, and not only headers or what is left of one.
  static let signs = ["modules.order", "kernel", "modules.dep"]

  // MARK: Modules

  /// A module file in the kernel's directory.
  private struct FoundModule: Sendable {
    let name: String
    let path: FilePath
    let compression: Compression
    /// Whether it is a link to a file.
    let isLink: Bool
  }

  /// How the kernel's own modules are compressed.
  ///
  /// Modules built here are compressed in the same way, even if some other module beside them is not.
  ///
  /// - Throws: `HostError` where its directory cannot be looked into.
  package func compression() throws(HostError) -> Compression {
    let all = try modules()
    let own = all.filter { $0.path.starts(with: directory.appending("kernel")) }
    let used = Set((own.isEmpty ? all : own).map(\.compression))
    return Compression.allCases.last(where: used.contains) ?? .none
  }

  /// Module files of this name that the kernel has, outside the place where DKMS installs.
  ///
  /// - Throws: `HostError` where its directory cannot be looked into.
  package func modules(named name: String) throws(HostError) -> [FilePath] {
    let installed = directory.appending(Layout.installedLocation.components)
    return try modules().filter { $0.name == name && !$0.path.starts(with: installed) }.map(\.path)
  }

  /// Module files of this name in the place where DKMS installs.
  ///
  /// - Throws: `HostError` where its directory cannot be looked into.
  package func installedModules(named name: String) throws(HostError) -> [FilePath] {
    let installed = directory.appending(Layout.installedLocation.components)
    return try modules().filter { $0.name == name && $0.path.starts(with: installed) }.map(\.path)
  }

  /// Module files of this name that are in the way of one that DKMS installs.
  ///
  /// depmod gives any of them in `updates` the same rank as ours. Those in `extra` come after ours, but the
  /// reference moves them too, and the administrator may have ranked them.
  ///
  /// - Throws: `HostError` where its directory cannot be looked into.
  package func competitors(named name: String) throws(HostError) -> [FilePath] {
    let places = ["extra", "updates"].map { directory.appending($0) }
    let found = try modules().filter { $0.name == name }.map(\.path)
    return places.flatMap { place in found.filter { $0.starts(with: place) } }
  }

  /// The module files that depmod finds.
  ///
  /// - Throws: `HostError` where a look failed.
  package func moduleFiles() throws(HostError) -> [FilePath] {
    try filesAndLinks().where { module throws(HostError) in
      module.isLink ? try Files.isFile(module.path) : true
    }
    .map(\.path)
  }

  private func modules() throws(HostError) -> [FoundModule] { try filesAndLinks().filter { !$0.isLink } }

  private func filesAndLinks() throws(HostError) -> [FoundModule] {
    try readModules.value { () throws(HostError) in try modules(below: directory) }
  }

  private func modules(below place: FilePath) throws(HostError) -> [FoundModule] {
    var found: [FoundModule] = []
    for (entry, kind) in try Files.listing(place) {
      let path = place.appending(entry)
      switch kind {
      // The headers contain many files and no modules of the kernel.
      case .directory where path != directory.appending("build") && entry != "source":
        found += try modules(below: path)
      case .file, .link:
        guard let (name, compression) = Compression.module(ofFile: entry) else { continue }
        found.append(
          FoundModule(name: name, path: path, compression: compression, isLink: kind == .link))
      default: continue
      }
    }
    return found
  }
}

/// How module files are compressed.
package enum Compression: Hashable, Sendable, CaseIterable {
  /// Not at all.
  case none
  /// By gzip.
  case gzip
  /// By xz, with the check that the kernel can verify.
  case xz
  /// By zstd.
  case zstd

  /// What follows `.ko` in the name of such a file.
  package var suffix: String {
    switch self {
    case .none: ""
    case .gzip: ".gz"
    case .xz: ".xz"
    case .zstd: ".zst"
    }
  }

  /// The name or path of a module file as it is without compression.
  static func plainName(ofFile name: String) -> Substring {
    module(ofFile: name).map { name.dropLast($0.compression.suffix.count) } ?? name[...]
  }

  /// The name of the module in a file of this name; nil for a file that is not a module.
  package static func moduleName(ofFile name: String) -> String? { module(ofFile: name)?.name }

  /// The name of the module in a file of this name, and how it is compressed; nil for a file that is not a module.
  static func module(ofFile name: String) -> (name: String, compression: Compression)? {
    for compression in allCases where name.hasSuffix(".ko\(compression.suffix)") {
      return (String(name.dropLast(3 + compression.suffix.count)), compression)
    }
    return nil
  }
}
