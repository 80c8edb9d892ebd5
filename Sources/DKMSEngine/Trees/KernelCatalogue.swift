// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
public import Host
public import SystemPackage

/// The kernels that have a directory in the install tree.
public struct KernelCatalogue: Sendable {
  /// The releases, sorted as bytes.
  public let releases: [KernelRelease]
  /// The kernels whose own modules are there; a directory may also hold headers alone, or leftovers.
  public let kernels: [KernelRelease]
  private let layout: Layout

  /// Looks into the install tree of a layout.
  ///
  /// - Throws: `HostError` where that cannot be looked into: then it is not known which kernels there are.
  public init(_ layout: Layout) throws(HostError) {
    self.layout = layout
    var releases: [KernelRelease] = []
    var kernels: [KernelRelease] = []
    for name in try Files.list(layout.installTree) {
      let directory = layout.installTree.appending(name)
      guard let release = try? KernelRelease(name), try Files.isDirectory(directory) else { continue }
      releases.append(release)
      if try ["modules.order", "kernel"].map(directory.appending).hasAny(Files.exists) {
        kernels.append(release)
      }
    }
    self.releases = releases
    self.kernels = kernels
  }

  /// The package base that a kernel's package left beside it, by Arch's convention.
  ///
  /// - Throws: `HostError` where the look failed.
  public func packageBase(of release: KernelRelease) throws(HostError) -> String? {
    try Files.text(layout.packageBaseFile(release))
  }
}

/// What is in a kernel's directory beside the kernel itself: modules that DKMS put there, and what depmod wrote.
public struct KernelRemains: Sendable {
  /// The module files, and whatever else is there, in the place where DKMS installs.
  public let installed: [FilePath]
  /// Whether there is nothing else in the directory but that, what depmod writes, and empty directories.
  public let isAll: Bool
  private let directory: FilePath
  private let generated: [FilePath]

  /// Looks into a kernel's directory.
  ///
  /// - Throws: `HostError` where the look failed.
  public init(of release: KernelRelease, in layout: Layout) throws(HostError) {
    let directory = layout.kernel(release)
    let place = layout.installed(release)
    let isGenerated = { (file: FilePath) in
      file.removingLastComponent() == directory && Self.isGenerated(file.lastComponent?.string ?? "")
    }
    let files = try Self.files(below: directory)
    self.directory = directory
    installed = files.filter { $0.starts(with: place) }
    generated = files.filter(isGenerated)
    isAll = installed.count + generated.count == files.count
  }

  /// Removes these files, and the directories that are empty then; whatever else has come there stays.
  ///
  /// - Throws: `HostError` where one of them cannot be removed.
  public func remove() throws(HostError) {
    for file in installed + generated { try Files.remove(file) }
    try Self.removeEmptyDirectories(directory)
  }

  private static func removeEmptyDirectories(_ directory: FilePath) throws(HostError) {
    for name in try Files.components(of: directory) {
      let path = directory.appending(name)
      if try Files.kind(path) == .directory { try removeEmptyDirectories(path) }
    }
    Files.removeEmptyDirectories(from: directory, upTo: directory.removingLastComponent())
  }

  /// Everything below a directory but directories; links are not followed.
  private static func files(below directory: FilePath) throws(HostError) -> [FilePath] {
    try Files.components(of: directory).collect { name throws(HostError) in
      let path = directory.appending(name)
      return try Files.kind(path) == .directory ? files(below: path) : [path]
    }
  }

  /// Whether depmod writes a file of this name, or was killed while it did, or we were before we renamed it.
  static func isGenerated(_ name: String) -> Bool {
    isIndex(name) || writer(of: name) != nil || isStaged(name)
  }

  /// Whether depmod writes a file of this name.
  static func isIndex(_ name: String) -> Bool { indexes.contains(name) }

  /// Whether this is what one of depmod's files is called before it is renamed.
  static func isStaged(_ name: String) -> Bool {
    name.hasPrefix(".") && name.hasSuffix(Files.stagingSuffix)
      && indexes.contains { name.contains(".\($0)\(Files.stagingSuffix)") }
  }

  /// The process that is writing, or was writing, a file that gets its final name when it is complete; nil
  /// for other files.
  static func writer(of name: String) -> Int? {
    // depmod adds its number and the time in microseconds and seconds.
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    let numbers = parts.suffix(3).compactMap { Int($0) }
    let goal = parts.dropLast(3).joined(separator: ".")
    return numbers.count == 3 && indexes.contains(goal) ? numbers[0] : nil
  }

  /// What depmod writes.
  private static let indexes: Set<String> = {
    let plain = ["alias", "dep", "devname", "softdep", "symbols", "weakdep"]
    let binary = ["alias", "dep", "symbols", "builtin", "builtin.alias"]
    return Set(plain.map { "modules.\($0)" } + binary.map { "modules.\($0).bin" })
  }()
}

/// The kernels that were removed while they were running.
public struct BootRecords: Sendable {
  private let layout: Layout

  /// Reads the records of a layout.
  public init(_ layout: Layout) { self.layout = layout }

  /// A kernel, and the boot in which it was removed.
  public struct Record: Hashable, Sendable {
    /// The kernel's release.
    public let release: KernelRelease
    /// What the kernel called that boot.
    public let boot: String
  }

  /// All of them, sorted as bytes.
  ///
  /// - Throws: `HostError` where the look failed.
  public func all() throws(HostError) -> [Record] {
    var records: [Record] = []
    for name in try Files.list(layout.stateDirectory.appending("booted")) {
      guard let release = try? KernelRelease(name) else { continue }
      records.append(Record(release: release, boot: try Files.text(layout.bootRecord(release)) ?? ""))
    }
    return records
  }
}
