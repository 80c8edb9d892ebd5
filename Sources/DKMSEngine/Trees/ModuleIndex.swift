// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSModel
package import Host
package import SystemPackage

/// What depmod wrote for a kernel, by which modprobe finds modules; each file is read once, to its end.
package struct ModuleIndex: Sendable {
  private let directory: FilePath
  /// The module files that modules.dep names, relative to the kernel's directory.
  private let listed: Set<String>
  /// Whether they come in the order of modules.order.
  private let isOrdered: Bool
  /// What is wrong with the files themselves; nil where each is whole and says the same as its counterpart.
  private let damage: IndexFlaw?

  /// Reads the files of a kernel's directory, or of another where they are made; each of 64 MiB at most.
  ///
  /// - Parameters:
  ///   - directory: Where the files are.
  ///   - kernel: The kernel's directory; by default the same.
  /// - Throws: `HostError` where a look failed.
  package init(of directory: FilePath, for kernel: FilePath? = nil) throws(HostError) {
    self.directory = kernel ?? directory
    var texts: [String: [UInt8]] = [:]
    var damage: IndexFlaw?
    for file in Self.files {
      let flaw: IndexFlaw?
      if let bytes = try Files.contents(directory.appending(file.name), 64 << 20) {
        flaw = try file.flaw(bytes, texts, in: self.directory)
        texts[file.name] = bytes
      } else {
        flaw = file.isOptional ? nil : .missing(file: file.name)
      }
      damage = damage ?? flaw
    }
    self.damage = damage
    let files = (texts["modules.dep"] ?? []).split(separator: newline)
      .map { line in String(decoding: line.prefix { $0 != UInt8(ascii: ":") }, as: UTF8.self) }
    listed = Set(files)
    isOrdered = try ModuleOrder(of: self.directory).holds(for: files)
  }

  /// Whether it names a module file of the kernel.
  package func lists(_ file: FilePath) -> Bool {
    var name = file
    return name.removePrefix(directory) && listed.contains(name.string) || listed.contains(file.string)
  }

  /// The name of the module in a file, as kmod has it: what comes before the first dot, with underscores.
  static func moduleName(of path: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    let start = path.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? path.startIndex
    return path[start...].prefix { $0 != UInt8(ascii: ".") }
      .map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0 }[...]
  }

  private static func moduleName(of path: String) -> String {
    String(decoding: moduleName(of: Array(path.utf8)[...]), as: UTF8.self)
  }
}

// MARK: Flaws

extension ModuleIndex {
  /// What is wrong with it; nil where it is as depmod would write it now, as far as that can be told.
  ///
  /// - Parameters:
  ///   - modules: The module files of the kernel.
  ///   - now: The time, in seconds since 1970: a change that lies ahead was made by a wrong clock, and says nothing.
  /// - Returns: The first thing that is wrong.
  /// - Throws: `HostError` where a look failed.
  package func flaw(modules: [FilePath], now: Int) throws(HostError) -> IndexFlaw? {
    if let flaw = try contentFlaw(modules: modules) { return flaw }
    return try outdated(modules, now)
  }

  /// What is wrong with the contents of the files, whenever they were written.
  ///
  /// - Throws: `HostError` where a look failed.
  package func contentFlaw(modules: [FilePath]) throws(HostError) -> IndexFlaw? {
    if let damage { return damage }
    if let flaw = try gone(modules) { return flaw }
    if let flaw = try unlisted(modules) { return flaw }
    return isOrdered ? nil : .unordered
  }

  /// A module that it names and that is not there, as after a removal that was killed.
  private func gone(_ modules: [FilePath]) throws(HostError) -> IndexFlaw? {
    let present = Set(modules.map { $0.string })
    // Links to other directories are not among the modules.
    let missing = try listed.sorted().firstWhere { name throws(HostError) in
      let file = directory.appending(FilePath(name).components)
      return present.contains(file.string) ? false : try !Files.isFile(file)
    }
    return missing.map { .gone(moduleFile: $0) }
  }

  /// A module that it does not name, under any path: of several files for one module, depmod takes one.
  private func unlisted(_ modules: [FilePath]) throws(HostError) -> IndexFlaw? {
    let names = Set(listed.map(Self.moduleName))
    var suspects: [FilePath] = []
    for module in modules where !names.contains(Self.moduleName(of: module.string)) {
      var path = module
      _ = path.removePrefix(directory)
      suspects.append(path)
    }
    guard !suspects.isEmpty else { return nil }
    // Not every depmod can read every compression.
    let readable = Set(listed.compactMap { Compression.module(ofFile: $0)?.compression } + [.none])
    let excluded = try DepmodSettings.excludedDirectories().union(["build", "source"])
    let missing = suspects.first { path in
      Compression.module(ofFile: path.string).map { readable.contains($0.compression) } == true
        && !path.components.dropLast().contains { excluded.contains($0.string) }
    }
    return missing.map { .unlisted(moduleFile: $0.string) }
  }

  /// A file that is older than a change where this suite installs.
  ///
  /// The names may be the same though the modules are others.
  private func outdated(_ modules: [FilePath], _ now: Int) throws(HostError) -> IndexFlaw? {
    let place = directory.appending(Layout.installedLocation.components)
    let witnesses = [place] + modules.filter { $0.starts(with: place) }
    var latest: FilePath?
    for witness in witnesses {
      guard let time = try Files.modificationTime(witness), time <= now else { continue }
      if try latest.map({ other throws(HostError) in try Files.isNewer(witness, than: other) }) ?? true {
        latest = witness
      }
    }
    guard let latest else { return nil }
    let outdated = try Self.files.filter { !$0.isOptional }.firstWhere { file throws(HostError) in
      try Files.isNewer(latest, than: directory.appending(file.name))
    }
    return outdated.map { .old(file: $0.name) }
  }
}

// MARK: depmod's files

extension ModuleIndex {
  /// One of the files that depmod writes, and what a whole one is like.
  private struct File {
    let name: String
    let format: Format
    /// Whether some depmod in use does not write it.
    var isOptional = false

    enum Format {
      /// Lines; with a header, the first is a comment even if there is nothing to say.
      case lines(hasHeader: Bool)
      /// What this text file says.
      case binary(of: String)
      /// What this file of the kernel's own says; empty where there is none.
      case binaryOfKernels(String)
    }

    /// What is wrong with it, given the files that come before it.
    func flaw(_ bytes: [UInt8], _ texts: [String: [UInt8]], in kernel: FilePath) throws(HostError)
      -> IndexFlaw?
    {
      switch format {
      case .lines(let hasHeader):
        let isWhole = (bytes.last ?? newline) == newline && !bytes.contains(0)
        return isWhole && (!hasHeader || bytes.first == UInt8(ascii: "#")) ? nil : .damaged(file: name)
      case .binary(let counterpart):
        guard let index = BinaryIndex(bytes) else { return .damaged(file: name) }
        guard let text = texts[counterpart] else { return nil }
        let entries =
          counterpart == "modules.dep" ? IndexEntries(dependencies: text) : IndexEntries(aliases: text)
        return index.entries == entries ? nil : .contradictory(file: name, counterpart: counterpart)
      case .binaryOfKernels(let source):
        if let index = BinaryIndex(bytes) {
          guard index.entries == IndexEntries(), source == "modules.builtin" else { return nil }
          // depmod takes a read that fails for the end.
          let isEmpty = try Files.contents(kernel.appending(source))?.isEmpty ?? true
          return isEmpty ? nil : .contradictory(file: name, counterpart: source)
        }
        if bytes.isEmpty, try !Files.exists(kernel.appending(source)) { return nil }
        return .damaged(file: name)
      }
    }
  }

  /// The files that depmod writes, in its order: after a kill, the last ones are old.
  ///
  /// The one about weak dependencies came with kmod 33, the others are in every kmod since 27.
  private static let files = [
    File(name: "modules.dep", format: .lines(hasHeader: false)),
    File(name: "modules.dep.bin", format: .binary(of: "modules.dep")),
    File(name: "modules.alias", format: .lines(hasHeader: true)),
    File(name: "modules.alias.bin", format: .binary(of: "modules.alias")),
    File(name: "modules.softdep", format: .lines(hasHeader: true)),
    File(name: "modules.weakdep", format: .lines(hasHeader: true), isOptional: true),
    File(name: "modules.symbols", format: .lines(hasHeader: true)),
    File(name: "modules.symbols.bin", format: .binary(of: "modules.symbols")),
    File(name: "modules.builtin.bin", format: .binaryOfKernels("modules.builtin")),
    File(name: "modules.builtin.alias.bin", format: .binaryOfKernels("modules.builtin.modinfo")),
    File(name: "modules.devname", format: .lines(hasHeader: false)),
  ]
}

private let newline = UInt8(ascii: "\n")

/// The order in which a kernel names its own modules, and in which depmod lists them.
///
/// It decides which of several modules modprobe loads for one device.
private struct ModuleOrder {
  /// The place of each module file, without the suffix of its compression; the last of several counts.
  private var places: [Substring: Int] = [:]

  /// Reads modules.order; where there is none there is no order.
  ///
  /// - Throws: `HostError` where it cannot be read.
  init(of kernel: FilePath) throws(HostError) {
    let bytes = try Files.contents(kernel.appending("modules.order"), 64 << 20) ?? []
    // depmod makes nothing of a file whose last line does not end.
    guard bytes.last == newline else { return }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    for (place, line) in lines.enumerated() { places[line] = place }
  }

  /// Whether files of modules.dep are in this order, with those that it does not name after all others.
  func holds(for files: [String]) -> Bool {
    let found = files.map { places[Compression.plainName(ofFile: $0)] ?? .max }
    return zip(found, found.dropFirst()).allSatisfy(<=)
  }
}

/// What the administrator has set for depmod.
private enum DepmodSettings {
  private static let directories: [FilePath] = [
    "/etc/depmod.d", "/run/depmod.d", "/usr/local/lib/depmod.d", "/usr/lib/depmod.d",
  ]

  /// Names of directories that depmod passes by; see depmod.d(5).
  static func excludedDirectories() throws(HostError) -> Set<String> {
    var names: Set<String> = []
    for directory in directories {
      for file in try Files.list(directory) where file.hasSuffix(".conf") {
        for line in (try Files.text(directory.appending(file)) ?? "").split(separator: "\n") {
          let words = line.split(whereSeparator: \.isWhitespace)
          if words.first == "exclude" { names.formUnion(words.dropFirst().map(String.init)) }
        }
      }
    }
    return names
  }
}
