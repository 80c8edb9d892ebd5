// SPDX-License-Identifier: GPL-2.0-or-later

internal import Host
internal import SystemPackage

/// The images that boot loaders start kernels with, by their own configuration and where they look by themselves.
struct BootLoaderFiles {
  private let system: BootSystem

  init(_ system: BootSystem) { self.system = system }

  /// As much as a configuration may hold, in bytes.
  private static let sizeLimit = 4 << 20

  /// The regular files that may be images, each once.
  ///
  /// - Throws: `HostError` where a directory or a configuration cannot be looked at.
  func images() throws(HostError) -> [FilePath] {
    let found = try automatic() + named()
    var known: Set<FilePath> = []
    return try found.where { file throws(HostError) in
      // Several directories can be one, and a file be reached by links.
      guard try Files.isFile(file), let real = try Files.resolved(file) else { return false }
      return known.insert(real).inserted
    }
  }

  // MARK: Where boot loaders look by themselves

  /// Unified kernel images, and the images that kernel-install and loaders of its kind put below a machine's directory.
  private func automatic() throws(HostError) -> [FilePath] {
    var found: [FilePath] = []
    for directory in BootSystem.bootDirectories.map(system.place) {
      let unified = directory.appending("EFI").appending("Linux")
      found += try Files.list(unified).filter { $0.lowercased().hasSuffix(".efi") }
        .map { unified.appending($0) }
      for (machine, kind) in try Files.listing(directory) where kind == .directory {
        let inside = directory.appending(machine)
        for (kernel, kind) in try Files.listing(inside) where kind == .directory {
          let place = inside.appending(kernel)
          found += try Files.list(place).filter(Self.isArchiveName).map { place.appending($0) }
        }
      }
    }
    return found
  }

  /// `initrd`, `initrd-fallback`, `initramfs-linux`; no copies that somebody has put aside.
  private static func isArchiveName(_ name: String) -> Bool {
    (name.hasPrefix("initrd") || name.hasPrefix("initramfs"))
      && ![".bak", ".old", ".orig", "~", Files.stagingSuffix].contains(where: name.hasSuffix)
  }

  // MARK: What they are told

  private func named() throws(HostError) -> [FilePath] {
    let places = [system.place("/")] + BootSystem.bootDirectories.map(system.place)
    var found: [FilePath] = []
    for file in try configurations() {
      guard let bytes = try Files.contents(file, Self.sizeLimit) else { continue }
      for name in Self.images(in: String(decoding: bytes, as: UTF8.self)) {
        found += places.map { $0.appending(FilePath(name).components.filter { $0.kind == .regular }) }
      }
    }
    return found
  }

  /// The configurations of systemd-boot, limine, GRUB and rEFInd.
  private func configurations() throws(HostError) -> [FilePath] {
    var files: [FilePath] = []
    for directory in BootSystem.bootDirectories.map(system.place) {
      let entries = directory.appending("loader").appending("entries")
      files += try Files.list(entries).filter { $0.hasSuffix(".conf") }.map { entries.appending($0) }
      files += [
        "limine.conf", "limine/limine.conf", "EFI/limine/limine.conf", "EFI/BOOT/limine.conf",
        "grub/grub.cfg",
        "refind_linux.conf", "EFI/refind/refind.conf", "EFI/BOOT/refind.conf",
      ].map { directory.appending(FilePath($0).components) }
    }
    return try files.where(Files.isFile)
  }

  /// The paths of archives and unified kernel images in a configuration, whatever kind it is of.
  ///
  /// `initrd /a /b`, `initrd=\\a` among the options, `module_path: boot():/a#hash`, `efi /a.efi`.
  static func images(in configuration: String) -> [String] {
    var names: [String] = []
    for line in configuration.split(whereSeparator: \.isNewline) {
      let words = line.split { $0 == " " || $0 == "\t" || $0 == "\"" }.map(String.init)
      guard let first = words.first, !first.hasPrefix("#") else { continue }
      let keyword = first.lowercased().filter { $0 != ":" }
      if keywords.contains(keyword) { names += words.dropFirst().map(path) }
      names += words.filter { $0.hasPrefix("initrd=") }.map { path(String($0.dropFirst("initrd=".count))) }
    }
    return names.filter { $0.hasPrefix("/") }
  }

  private static let keywords: Set<String> = [
    "initrd", "initrdefi", "module_path", "efi", "uki", "path", "chainloader", "loader", "image_path",
  ]

  /// A path without the device before it and the hash after it, and with the slashes of this system.
  private static func path(_ word: String) -> String {
    var path = word.prefix { $0 != "#" }.map { $0 == "\\" ? "/" : String($0) }.joined()
    if let end = path.range(ofDevice: [":", ")"]) { path = String(path[end...]) }
    return path
  }
}

extension String {
  /// Where a path begins behind `boot():`, `uuid(1234):` or `($root)`; nil where there is nothing before it.
  fileprivate func range(ofDevice ends: Set<Character>) -> Index? {
    guard let slash = firstIndex(of: "/"), slash > startIndex else { return nil }
    return ends.contains(self[index(before: slash)]) ? slash : nil
  }
}
