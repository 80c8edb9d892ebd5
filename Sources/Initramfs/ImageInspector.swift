// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
public import Host
public import SystemPackage

/// What a look into an image has shown.
struct ImageInspection: Sendable {
  /// Its modules and flaws.
  var condition: ImageCondition
  /// The arguments that dracut noted in it; nil where it noted none.
  var buildParameters: String?
}

/// Compares images with what is installed.
public struct ImageInspector: Sendable {
  private let host: Host
  private let limits: ImageLimits
  private let temporaryDirectory: FilePath

  /// Makes an inspector; the temporary directory is for copies of modules that a generator may have stripped.
  public init(host: Host, limits: ImageLimits = ImageLimits(), temporaryDirectory: FilePath = "/tmp") {
    self.host = host
    self.limits = limits
    self.temporaryDirectory = temporaryDirectory
  }

  /// What there is of an image.
  ///
  /// - Parameters:
  ///   - image: The image.
  ///   - modulesDirectory: The module directory of its kernel.
  ///   - requested: The modules that the generator's configuration names for it.
  /// - Returns: Its modules and flaws.
  public func condition(
    of image: InitramfsImage, modulesDirectory: FilePath, requested: [ModuleRequest] = []
  ) async -> ImageCondition {
    await inspection(of: image, modulesDirectory: modulesDirectory) { _ in requested }.condition
  }

  /// What there is of an image, of which the requests may depend on what its generator noted in it.
  func inspection(
    of image: InitramfsImage, modulesDirectory: FilePath, requests: (String?) -> [ModuleRequest]
  ) async -> ImageInspection {
    do {
      return try await knownInspection(of: image, modulesDirectory, requests)
    } catch {
      let flaw: ImageFlaw =
        error.isFailedLook ? .unknown(reason: error.reason) : .unreadable(reason: error.reason)
      return ImageInspection(condition: ImageCondition(image: image, flaws: [flaw]))
    }
  }

  private func knownInspection(
    of image: InitramfsImage, _ modulesDirectory: FilePath, _ requests: (String?) -> [ModuleRequest]
  ) async throws(ImageError) -> ImageInspection {
    let isThere = try look(at: image) { () throws(HostError) in try Files.exists(FilePath(image.path)) }
    guard isThere else {
      return ImageInspection(condition: ImageCondition(image: image, flaws: [.missing]))
    }
    let installed = try look(at: image) { () throws(HostError) in
      try InstalledModules(in: modulesDirectory)
    }
    var reader = ImageReader(limits: limits)
    do {
      return try await inspection(of: image, installed, reader, requests)
    } catch {
      guard error.nested != nil else { throw error }
      let scratch = try scratchDirectory(for: image)
      reader.trees = try await NestedFileSystem.unpack(image, with: reader, into: scratch.path, on: host)
      let inspection = try await inspection(of: image, installed, reader, requests)
      scratch.discard()
      return inspection
    }
  }

  private func inspection(
    of image: InitramfsImage, _ installed: InstalledModules, _ reader: ImageReader,
    _ requests: (String?) -> [ModuleRequest]
  ) async throws(ImageError) -> ImageInspection {
    let comparison = try ImageComparison(image, reader) { name throws(HostError) in
      try installed.file(of: name).map { [$0] } ?? []
    }
    let names = comparison.modules.keys.sorted()
    let (gone, differing) = try look(at: image) { () throws(HostError) in
      (
        try names.where { name throws(HostError) in try installed.file(of: name) == nil },
        try Self.differing(names, from: installed, comparison)
      )
    }
    let different = try await withoutStripped(differing, image, installed, reader)
    let lacking = try look(at: image) { () throws(HostError) in
      try requests(comparison.buildParameters).where { request throws(HostError) in
        guard comparison.modules[request.module.asKernelModuleName] == nil else { return false }
        return try installed.file(of: request.module) != nil
      }
    }
    let condition = ImageCondition(
      image: image, modules: names,
      flaws: (comparison.otherRelease.map { [.otherKernel(release: $0)] } ?? [])
        + different.map { .differs(kernelModule: $0) } + gone.map { .gone(kernelModule: $0) }
        + lacking.map { .lacks(kernelModule: $0.module, askedForBy: $0.place) })
    return ImageInspection(condition: condition, buildParameters: comparison.buildParameters)
  }

  /// The modules that an image holds otherwise than they are installed.
  private static func differing(
    _ names: [String], from installed: InstalledModules, _ comparison: ImageComparison
  ) throws(HostError) -> [String] {
    try names.where { name throws(HostError) in
      guard let place = try installed.place(of: name) else { return false }
      return !comparison.holds(name, asIn: place)
    }
  }

  /// Modules that differ from the installed ones also when these are stripped as the generator does it.
  private func withoutStripped(
    _ names: [String], _ image: InitramfsImage, _ installed: InstalledModules,
    _ reader: ImageReader
  ) async throws(ImageError) -> [String] {
    guard !names.isEmpty, let stripping = image.generator?.stripping else { return names }
    let scratch = try scratchDirectory(for: image)
    let copies: [String: [FilePath]]
    do {
      var files: [String: FilePath] = [:]
      for name in names { files[name] = try installed.file(of: name) }
      copies = try await stripping.copies(of: files, in: scratch.path, limits: limits, host: host)
    } catch {
      throw ImageError(image, error)
    }
    guard !copies.isEmpty else { return names }
    let comparison = try ImageComparison(image, reader) { copies[$0] ?? [] }
    let different = try look(at: image) { () throws(HostError) in
      try Self.differing(names, from: installed, comparison)
    }
    scratch.discard()
    return different
  }

  private func scratchDirectory(for image: InitramfsImage) throws(ImageError) -> ScratchDirectory {
    do { return try ScratchDirectory(in: temporaryDirectory) } catch { throw ImageError(image, error) }
  }

  private func look<Value>(
    at image: InitramfsImage, _ question: () throws(HostError) -> Value
  ) throws(ImageError) -> Value {
    do { return try question() } catch { throw ImageError(image, error) }
  }
}
