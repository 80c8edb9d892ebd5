// SPDX-License-Identifier: GPL-2.0-or-later

internal import Archives
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
  private let memory: ImageMemory
  private let limits: ImageLimits
  private let temporaryDirectory: FilePath

  /// Makes an inspector; the temporary directory is for copies of modules that a generator may have stripped.
  public init(host: Host, limits: ImageLimits = ImageLimits(), temporaryDirectory: FilePath = "/tmp") {
    self.init(
      host: host, limits: limits, temporaryDirectory: temporaryDirectory, memory: ImageMemory(directory: nil))
  }

  /// Makes an inspector that does not read again what is remembered.
  init(host: Host, limits: ImageLimits = ImageLimits(), temporaryDirectory: FilePath, memory: ImageMemory) {
    self.host = host
    self.memory = memory
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
    let contents = try await contents(of: FilePath(image.path), form: image.form)
    return try await inspection(of: image, contents, installed, requests)
  }

  /// What is in an image: what is remembered of it, or else what is read.
  ///
  /// - Throws: `ImageError` where it cannot be read, or is no image.
  func contents(of image: FilePath, form: InitramfsImage.Form) async throws(ImageError) -> ImageContents {
    if let known = memory.contents(of: image, form: form) { return known }
    let identity = try? Files.identity(image)
    let contents = try await read(image, form)
    memory.keep(contents, of: image, form: form, identity)
    return contents
  }

  private func read(
    _ image: FilePath, _ form: InitramfsImage.Form
  ) async throws(ImageError) -> ImageContents {
    var reader = ImageReader(limits: limits)
    do { return try reader.contents(of: image, form: form) } catch {
      guard error.nested != nil else { throw error }
    }
    let scratch = try scratchDirectory(for: image)
    reader.trees = try await NestedFileSystem.unpack(image, form, with: reader, into: scratch.path, on: host)
    let contents = try reader.contents(of: image, form: form)
    scratch.discard()
    return contents
  }

  private func inspection(
    of image: InitramfsImage, _ contents: ImageContents, _ installed: InstalledModules,
    _ requests: (String?) -> [ModuleRequest]
  ) async throws(ImageError) -> ImageInspection {
    let comparison = ImageComparison(image, contents)
    let names = comparison.modules.keys.sorted()
    let gone = try look(at: image) { () throws(HostError) in
      try names.where { name throws(HostError) in try installed.file(of: name) == nil }
    }
    let differing = try differing(names, from: installed, comparison, image) { file, _ in [file] }
    let different = try await withoutStripped(differing, image, installed, comparison)
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

  /// The modules that an image holds otherwise than they are installed, or than files in their stead.
  private func differing(
    _ names: [String], from installed: InstalledModules, _ comparison: ImageComparison,
    _ image: InitramfsImage,
    _ files: (_ installed: FilePath, _ name: String) -> [FilePath]
  ) throws(ImageError) -> [String] {
    try names.where { name throws(ImageError) in
      let (file, place) = try look(at: image) { () throws(HostError) in
        (try installed.file(of: name), try installed.place(of: name))
      }
      guard let file, let place else { return false }
      var digests: [String] = []
      for file in files(file, name) { digests += try self.digests(of: file) }
      return try !comparison.holds(name, asIn: place, digests)
    }
  }

  private func digests(of file: FilePath) throws(ImageError) -> [String] {
    do throws(ArchiveError) {
      return try ModuleDigest.digest(of: file, limit: limits.moduleBytes).map { [$0] } ?? []
    } catch {
      throw ImageError(error)
    }
  }

  /// Modules that differ from the installed ones also when these are stripped as the generator does it.
  private func withoutStripped(
    _ names: [String], _ image: InitramfsImage, _ installed: InstalledModules, _ comparison: ImageComparison
  ) async throws(ImageError) -> [String] {
    guard !names.isEmpty, let stripping = image.generator?.stripping else { return names }
    let scratch = try scratchDirectory(for: FilePath(image.path))
    let copies: [String: [FilePath]]
    do {
      var files: [String: FilePath] = [:]
      for name in names { files[name] = try installed.file(of: name) }
      copies = try await stripping.copies(of: files, in: scratch.path, limits: limits, host: host)
    } catch {
      throw ImageError(image, error)
    }
    guard !copies.isEmpty else { return names }
    let different = try differing(names, from: installed, comparison, image) { _, name in copies[name] ?? [] }
    scratch.discard()
    return different
  }

  private func scratchDirectory(for image: FilePath) throws(ImageError) -> ScratchDirectory {
    do { return try ScratchDirectory(in: temporaryDirectory) } catch {
      throw ImageError(path: image.string, reason: "\(error)", isFailedLook: true)
    }
  }

  private func look<Value>(
    at image: InitramfsImage, _ question: () throws(HostError) -> Value
  ) throws(ImageError) -> Value {
    do { return try question() } catch { throw ImageError(image, error) }
  }
}
