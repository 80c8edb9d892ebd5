// SPDX-License-Identifier: GPL-2.0-or-later

internal import Archives
public import DKMSModel
internal import Host
public import SystemPackage

/// Finds out what module a directory or a tarball holds.
public struct ModuleImporter: Sendable {
  private let layout: Layout
  private let snapshot: Snapshot
  private let limits: UnpackLimits

  /// Makes an importer.
  public init(_ snapshot: Snapshot) { self.init(snapshot, limits: UnpackLimits()) }

  init(_ snapshot: Snapshot, limits: UnpackLimits) {
    layout = snapshot.layout
    self.limits = limits
    // Another dkms.conf does not change whose source this is.
    var options = snapshot.options
    options.configurationFile = nil
    let isTheOwn = snapshot.options.configurationFile == nil
    self.snapshot =
      isTheOwn ? snapshot : Snapshot(host: snapshot.host, layout: snapshot.layout, options: options)
  }

  /// Reads a directory with a dkms.conf, such a dkms.conf itself, or a tarball, which it unpacks aside.
  ///
  /// - Parameters:
  ///   - path: What was named.
  ///   - kernel: The kernel that the dkms.conf is read for.
  /// - Returns: The module; what is unpacked from a tarball is deleted with the value.
  /// - Throws: `DKMSError`; nothing is left behind then.
  public func module(at path: FilePath, for kernel: Kernel) async throws(DKMSError) -> ImportedModule {
    let (isThere, isFile, isDirectory) = try onFiles { () throws(HostError) in
      (try Files.exists(path), try Files.isFile(path), try Files.isDirectory(path))
    }
    guard isThere else { throw .tarballMissing(path: path.string) }
    if path.lastComponent == "dkms.conf", isFile {
      return try await module(inDirectory: path.removingLastComponent(), for: kernel)
    }
    if isDirectory { return try await module(inDirectory: path, for: kernel) }
    return try await module(inTarball: path, for: kernel)
  }

  // MARK: Directories

  private func module(inDirectory path: FilePath, for kernel: Kernel) async throws(DKMSError)
    -> ImportedModule
  {
    let directory = try onFiles { () throws(HostError) -> FilePath? in
      guard let directory = try Files.resolved(path) else { return nil }
      return try Files.isFile(directory.appending("dkms.conf")) ? directory : nil
    }
    guard let directory else { throw .sourceWithoutConfiguration(directory: path.string) }
    // The reference brings a source that names a module twice in before it refuses it.
    let id = try await snapshot.identity(of: directory, for: kernel, allowsRepetition: true)
    let places = [layout.source(id), layout.sourceLink(id), layout.build(id)]
    let isInPlace = try onFiles { () throws(HostError) in
      if try places.hasAny({ place throws(HostError) in try Files.resolved(place) == directory }) {
        return true
      }
      guard try Files.isDirectory(layout.sourceLink(id)) else { return false }
      return try Files.haveEqualTrees(layout.sourceLink(id), directory)
    }
    return ImportedModule(id, isInPlace ? nil : ModuleOrigin(id, directory: directory.string))
  }

  // MARK: Tarballs

  private func module(inTarball path: FilePath, for kernel: Kernel) async throws(DKMSError) -> ImportedModule
  {
    let unpacker = ArchiveUnpacker(limits: limits)
    _ = try parts(of: path) { () throws(ArchiveError) in try unpacker.contents(of: path) }
    let scratch: ScratchDirectory
    do throws(HostError) { scratch = try ScratchDirectory(in: layout.temporaryDirectory) } catch {
      throw DKMSError(error)
    }
    let temporary = scratch.path
    do throws(DKMSError) {
      // The parts are looked for again: only what was actually unpacked counts.
      let parts = try parts(of: path) { () throws(ArchiveError) in try unpacker.unpack(path, into: temporary)
      }
      let directory = temporary.appending(parts.directory.components)
      let id = try await snapshot.identity(of: directory, for: kernel)
      let builds = parts.builds.mapValues { temporary.appending($0.components).string }
      let origin = ModuleOrigin(
        id, directory: directory.string, holdsOnlyBuilds: parts.directory == TarballLayout.description,
        builds: builds, isTarball: parts.isOurs)
      return ImportedModule(id, origin, unpackedIn: scratch)
    } catch {
      throw error.namingFiles(below: temporary, as: path)
    }
  }

  private func parts(
    of path: FilePath, in contents: () throws(ArchiveError) -> ArchiveContents
  ) throws(DKMSError) -> TarballParts {
    do {
      return try TarballParts(of: path, try contents())
    } catch let error as ArchiveError {
      throw .tarball(error) { .tarballUnusable(path: path.string, reason: $0) }
    } catch {
      throw error as? DKMSError ?? .tarballUnusable(path: path.string, reason: "\(error)")
    }
  }
}

extension DKMSError {
  /// The same error, with unpacked files that no longer exist named after the tarball they came from.
  fileprivate func namingFiles(below temporary: FilePath, as tarball: FilePath) -> DKMSError {
    let renamed = { (path: String) in path.replacing("\(temporary)/", with: "\(tarball): ") }
    return switch self {
    case .configurationMissing(let path): .configurationMissing(path: renamed(path))
    case .configurationUnreadable(let path, let detail):
      .configurationUnreadable(path: renamed(path), detail: renamed(detail))
    case .configurationForbidden(let path, let user):
      .configurationForbidden(path: renamed(path), user: user)
    case .configurationMalformed(let path, let detail):
      .configurationMalformed(path: renamed(path), detail: renamed(detail))
    case .configurationInvalid(let path, let problems):
      .configurationInvalid(path: renamed(path), problems: problems)
    default: self
    }
  }
}

/// A module that was named by a directory or a tarball, read and ready to be planned with.
///
/// What a tarball held is unpacked as long as this value lives.
public struct ImportedModule: ~Copyable, Sendable {
  /// The module version, as its dkms.conf calls it.
  public let id: ModuleID
  /// Where it comes from; nil where its source is in its place already.
  public let origin: ModuleOrigin?
  private let scratch: ScratchDirectory?

  init(_ id: ModuleID, _ origin: ModuleOrigin?, unpackedIn scratch: consuming ScratchDirectory? = nil) {
    self.id = id
    self.origin = origin
    self.scratch = scratch
  }

  /// Removes what was unpacked.
  public consuming func discard() {}
}
