// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// What boot loaders start kernels with, by their own configuration and where they look by themselves.
struct BootLoaderFiles {
  /// The regular files that may be images, each once.
  private(set) var images: [FilePath] = []
  /// The entries that can be booted, in the order of the configurations.
  private(set) var entries: [BootEntry] = []

  private let system: BootSystem

  /// The most that a configuration may hold, in bytes.
  private static let sizeLimit = 4 << 20

  /// Reads the configurations.
  ///
  /// - Throws: `HostError` where a directory or a configuration cannot be looked at.
  init(_ system: BootSystem) throws(HostError) {
    self.system = system
    let directories = BootSystem.bootDirectories.map(system.place)
    let unified = try directories.collect { directory throws(HostError) in
      try Self.unifiedKernelImages(in: directory)
    }
    var found = unified
    for directory in directories { found += try Self.archives(in: directory) }
    // Two paths can lead to one directory, and so to the same configurations.
    for (file, form) in try distinct(configurations(in: directories)) {
      guard let bytes = try Files.contents(file, Self.sizeLimit) else { continue }
      for entry in BootConfiguration(bytes, form.format).entries {
        for name in entry.allImages { found += try places(of: name, form.directory) }
        entries.append(try self.entry(entry, in: file, form))
      }
    }
    if try hasSystemdBoot(directories) {
      for image in try distinct(unified.map { ($0, ()) }).map(\.0) {
        entries.append(
          BootEntry(
            loader: .systemdBoot, file: image.string, title: nil, kernel: nil, namesKernel: false,
            images: [image.string]))
      }
    }
    images = try distinct(found.map { ($0, ()) }).map(\.0)
  }

  /// Regular files, each once: several directories can be one, and a file be reached by links.
  private func distinct<Form>(_ files: [(FilePath, Form)]) throws(HostError) -> [(FilePath, Form)] {
    var known: Set<FilePath> = []
    return try files.where { file throws(HostError) in
      guard try Files.isFile(file.0), let real = try Files.resolved(file.0) else { return false }
      return known.insert(real).inserted
    }
  }

  // MARK: Where boot loaders look by themselves

  private static func unifiedKernelImages(in directory: FilePath) throws(HostError) -> [FilePath] {
    let place = directory.appending("EFI").appending("Linux")
    return try Files.list(place).filter { $0.lowercased().hasSuffix(".efi") }.map { place.appending($0) }
  }

  /// The images that kernel-install and loaders of its kind put below a machine's directory.
  private static func archives(in directory: FilePath) throws(HostError) -> [FilePath] {
    var found: [FilePath] = []
    for (machine, kind) in try Files.listing(directory) where kind == .directory {
      let inside = directory.appending(machine)
      for (kernel, kind) in try Files.listing(inside) where kind == .directory {
        let place = inside.appending(kernel)
        found += try Files.list(place).filter(isArchiveName).map { place.appending($0) }
      }
    }
    return found
  }

  /// `initrd`, `initrd-fallback`, `initramfs-linux`; no copies that somebody has put aside.
  private static func isArchiveName(_ name: String) -> Bool {
    (name.hasPrefix("initrd") || name.hasPrefix("initramfs"))
      && ![".bak", ".old", ".orig", "~", Files.stagingSuffix].contains(where: name.hasSuffix)
  }

  /// Whether systemd-boot is there, which shows unified kernel images without being told of them.
  private func hasSystemdBoot(_ directories: [FilePath]) throws(HostError) -> Bool {
    try directories.hasAny { directory throws(HostError) in
      if try Files.isFile(directory.appending("loader").appending("loader.conf")) { return true }
      let programs = try Files.list(directory.appending("EFI").appending("systemd"))
      return programs.contains { $0.lowercased().hasPrefix("systemd-boot") }
    }
  }

  // MARK: What they are told

  /// What kind of configuration a file is, and where it belongs.
  private struct Form {
    let loader: BootLoader
    let format: BootConfiguration.Format
    /// The boot directory that it lies in.
    let directory: FilePath
  }

  private func configurations(
    in directories: [FilePath]
  ) throws(HostError) -> [(FilePath, Form)] {
    let usual: [(String, BootLoader, BootConfiguration.Format)] = [
      ("limine.conf", .limine, .limine), ("limine/limine.conf", .limine, .limine),
      ("EFI/limine/limine.conf", .limine, .limine), ("EFI/BOOT/limine.conf", .limine, .limine),
      ("grub/grub.cfg", .grub, .menu), ("refind_linux.conf", .refind, .lines),
      ("EFI/refind/refind.conf", .refind, .menu), ("EFI/BOOT/refind.conf", .refind, .menu),
    ]
    var files: [(FilePath, Form)] = []
    for directory in directories {
      let place = directory.appending("loader").appending("entries")
      for name in try Files.list(place) where name.hasSuffix(".conf") {
        files.append(
          (place.appending(name), Form(loader: .systemdBoot, format: .loaderEntry, directory: directory)))
      }
      for (name, loader, format) in usual {
        files.append(
          (
            directory.appending(FilePath(name).components),
            Form(loader: loader, format: format, directory: directory)
          ))
      }
    }
    return files
  }

  private func entry(
    _ entry: BootConfiguration.Entry, in file: FilePath, _ form: Form
  ) throws(HostError) -> BootEntry {
    let kernel = try entry.kernels.collect { name throws(HostError) in try places(of: name, form.directory) }
      .firstWhere(Files.isFile)
    let images = try entry.allImages.collect { name throws(HostError) -> [FilePath] in
      let there = try places(of: name, form.directory).where(Files.isFile)
      // A pattern stands for all that it fits, a path for what lies where the loader looks first.
      return name.contains(Self.version) ? there : Array(there.prefix(1))
    }
    return BootEntry(
      loader: form.loader, file: file.string, title: entry.title, kernel: kernel?.string,
      namesKernel: !entry.kernels.isEmpty, images: images.map(\.string))
  }

  /// What stands for the version of the kernel in rEFInd's options.
  private static let version = "%v"

  /// Where the file can be that a configuration names, the likeliest place first.
  private func places(of name: String, _ own: FilePath) throws(HostError) -> [FilePath] {
    let others = [system.place("/")] + BootSystem.bootDirectories.map(system.place)
    let places = ([own] + others.filter { $0 != own }).map { place in
      place.appending(FilePath(name).components.filter { $0.kind == .regular })
    }
    guard name.contains(Self.version) else { return places }
    return try places.collect { pattern throws(HostError) -> [FilePath] in
      let directory = pattern.removingLastComponent()
      let parts = (pattern.lastComponent?.string ?? "").parts(between: Self.version)
      return try Files.list(directory).filter { name in
        parts.count == 2 && name.hasPrefix(parts[0]) && name.hasSuffix(parts[1])
      }.map { directory.appending($0) }
    }
  }
}
