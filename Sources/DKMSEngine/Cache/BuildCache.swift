// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSModel
package import Host
package import SystemPackage

/// Built modules, kept for the next time that the same source is built for the same kernel.
///
/// Deleting any of it loses no module. An entry appears and goes in one step, and whatever is read is compared with its
/// digest; so runs need no lock to use the cache at the same time, and a killed one leaves nothing that counts.
package struct BuildCache: Sendable {
  /// Where it is; only root may look into it.
  package let directory: FilePath
  private let limit: Int?

  /// Takes the cache of a layout, which may take this much room, in bytes; nil for no limit.
  package init(_ layout: Layout, limit: Int? = nil) {
    directory = layout.cacheDirectory
    self.limit = limit
  }

  /// Whether it may be used: others than root could put modules into one that they can write to.
  ///
  /// - Throws: `DKMSError.system` where a look failed.
  package static func isTrusted(in layout: Layout) throws(DKMSError) -> Bool {
    try !layout.exposes(layout.cacheDirectory)
  }

  // MARK: Entries

  /// Where an entry is.
  package func path(_ name: String) -> FilePath { directory.appending(name) }

  /// The names of all entries, whole or not.
  ///
  /// - Throws: `HostError` where the look failed.
  package func names() throws(HostError) -> [String] {
    try Files.list(directory).filter(CacheKey.isName)
  }

  /// What an entry says of itself; nil where there is none, or no whole manifest.
  ///
  /// - Throws: `HostError` where the look failed.
  package func entry(_ name: String) throws(HostError) -> CacheEntry? {
    try Files.contents(path(name).appending(CacheEntry.Name.manifest), Self.manifestLimit)
      .flatMap(CacheEntry.init)
  }

  /// More than any manifest takes, in bytes.
  private static let manifestLimit = 1 << 20

  /// When an entry was last used, in seconds since 1970; nil where there is none.
  ///
  /// - Throws: `HostError` where the look failed.
  package func lastUse(of name: String) throws(HostError) -> Int? { try Files.modificationTime(path(name)) }

  /// Notes that an entry is used, at a time in seconds since 1970.
  func use(_ name: String, at time: Int) throws(HostError) { try Files.touch(path(name), at: time) }

  /// A file of an entry; nil where it is not what was kept.
  ///
  /// - Throws: `HostError` where it cannot be read.
  func contents(_ file: String, of entry: CacheEntry, _ name: String) throws(HostError) -> [UInt8]? {
    let bytes = try Files.contents(path(name).appending(FilePath(file).components))
    guard let bytes, let digest = entry.files[file], SHA256.digest(of: bytes) == digest else { return nil }
    return bytes
  }

  /// Whether an entry holds what was kept.
  ///
  /// - Throws: `HostError` where it cannot be read.
  package func isWhole(_ name: String) throws(HostError) -> Bool {
    guard let entry = try entry(name) else { return false }
    for file in entry.files.keys where try contents(file, of: entry, name) == nil { return false }
    guard let tree = entry.tree else { return true }
    return try TreeDigest.digest(of: path(name).appending(CacheEntry.Name.tree)) == tree
  }

  // MARK: Changes

  /// Begins an entry of this size, in bytes; nil where it would take too much room.
  ///
  /// What stays free must be three times as much, since the modules are still to be installed.
  ///
  /// - Throws: `HostError` where the look failed, or nothing can be written.
  func draft(size: Int) throws(HostError) -> CacheDraft? {
    if let limit, size > limit { return nil }
    try Files.makePrivateDirectory(directory)
    try ScratchDirectory.sweep(directory)
    guard try Files.room(at: directory).free / 4 > size else { return nil }
    let draft = try CacheDraft(in: directory)
    try Files.makeDirectories(draft.path)
    return draft
  }

  /// Puts an entry in its place; one of the same name goes.
  ///
  /// - Throws: `HostError`; what was there before then is there still.
  func keep(
    _ draft: consuming CacheDraft, as name: String, _ entry: CacheEntry, at time: Int
  ) throws(HostError) {
    try draft.conclude(entry, at: time)
    let path = path(name)
    if try Files.exists(path) {
      try Files.exchange(draft.path, with: path)
    } else {
      try Files.rename(draft.path, to: path)
    }
    try Files.synchronize(directory)
    draft.discard()
    try evict(keeping: name)
  }

  /// Takes an entry out in one step; it is no error if it is gone already.
  ///
  /// - Throws: `HostError` where it cannot be moved or deleted.
  package func discard(_ name: String) throws(HostError) {
    guard try Files.exists(path(name)) else { return }
    let draft = try CacheDraft(in: directory)
    let goal = draft.path
    var failure: HostError?
    do throws(HostError) {
      try Files.rename(path(name), to: goal)
    } catch {
      failure = error
    }
    draft.discard()
    // Where it is no longer there, another run has been faster.
    if let failure, failure.errno != .noSuchFileOrDirectory { throw failure }
  }

  /// Removes what was not used for the longest time, until the rest fits.
  private func evict(keeping newest: String) throws(HostError) {
    guard let limit else { return }
    while try Files.diskUsage(directory) > limit {
      var oldest: (name: String, time: Int)?
      for name in try names() where name != newest {
        // One that has just gone is no longer in the way.
        guard let time = try lastUse(of: name), time < oldest?.time ?? .max else { continue }
        oldest = (name, time)
      }
      guard let oldest else { return }
      try discard(oldest.name)
    }
  }
}

/// An entry that is being made; what a killed run leaves of it is swept by the next.
struct CacheDraft: ~Copyable {
  private let scratch: ScratchDirectory
  /// The directory that becomes the entry.
  let path: FilePath

  fileprivate init(in directory: FilePath) throws(HostError) {
    let scratch = try ScratchDirectory(in: directory)
    path = scratch.path.appending("entry")
    self.scratch = scratch
  }

  /// Puts a file in; its digest.
  ///
  /// - Throws: `HostError` where it cannot be read or written.
  func add(_ bytes: [UInt8], as name: String) throws(HostError) -> String {
    let file = path.appending(FilePath(name).components)
    try Files.makeDirectories(file.removingLastComponent())
    try Files.write(bytes, to: file)
    return SHA256.digest(of: bytes)
  }

  fileprivate func conclude(_ entry: CacheEntry, at time: Int) throws(HostError) {
    try Files.write(Array(entry.text.utf8), to: path.appending(CacheEntry.Name.manifest))
    let modules = path.appending("modules")
    for directory in [modules, path] { try Files.synchronize(directory) }
    try Files.touch(path, at: time)
  }

  consuming func discard() {}
}
