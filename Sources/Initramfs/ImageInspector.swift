// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
public import Host
public import SystemPackage

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
    do {
      return try await knownCondition(of: image, modulesDirectory, requested)
    } catch {
      let flaw: ImageFlaw =
        error.isFailedLook ? .unknown(reason: error.reason) : .unreadable(reason: error.reason)
      return ImageCondition(image: image, flaws: [flaw])
    }
  }

  private func knownCondition(
    of image: InitramfsImage, _ modulesDirectory: FilePath, _ requested: [ModuleRequest]
  ) async throws(ImageError) -> ImageCondition {
    let isThere = try look(at: image) { () throws(HostError) in try Files.exists(FilePath(image.path)) }
    guard isThere else { return ImageCondition(image: image, flaws: [.missing]) }
    let installed = try look(at: image) { () throws(HostError) in
      try InstalledModules(in: modulesDirectory)
    }
    let comparison = try ImageComparison(image, ImageReader(limits: limits)) { name throws(HostError) in
      try installed.file(of: name).map { [$0] } ?? []
    }
    let names = comparison.modules.keys.sorted()
    let (gone, differing) = try look(at: image) { () throws(HostError) in
      (
        try names.where { name throws(HostError) in try installed.file(of: name) == nil },
        try Self.differing(names, from: installed, comparison)
      )
    }
    let different = try await withoutStripped(differing, image, installed)
    let lacking = try look(at: image) { () throws(HostError) in
      try requested.where { request throws(HostError) in
        guard comparison.modules[request.module.asKernelModuleName] == nil else { return false }
        return try installed.file(of: request.module) != nil
      }
    }
    return ImageCondition(
      image: image, modules: names,
      flaws: different.map { .differs(module: $0) } + gone.map { .gone(module: $0) }
        + lacking.map { .lacks(module: $0.module, askedForBy: $0.place) })
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
    _ names: [String], _ image: InitramfsImage, _ installed: InstalledModules
  ) async throws(ImageError) -> [String] {
    guard !names.isEmpty, let stripping = image.generator.stripping else { return names }
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
    let comparison = try ImageComparison(image, ImageReader(limits: limits)) { copies[$0] ?? [] }
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
