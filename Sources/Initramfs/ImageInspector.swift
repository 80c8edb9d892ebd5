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
    guard Files.kind(FilePath(image.path)) != nil else {
      return ImageCondition(image: image, flaws: [.missing])
    }
    let installed = InstalledModules(in: modulesDirectory)
    do throws(ImageError) {
      let comparison = try ImageComparison(image, ImageReader(limits: limits)) { name in
        installed.file(of: name).map { [$0] } ?? []
      }
      let names = comparison.modules.keys.sorted()
      let gone = names.filter { installed.file(of: $0) == nil }
      let differing = names.filter { name in
        installed.place(of: name).map { !comparison.holds(name, asIn: $0) } ?? false
      }
      let different = try await withoutStripped(differing, image, installed)
      let lacking = requested.filter {
        comparison.modules[$0.module.asKernelModuleName] == nil
          && installed.file(of: $0.module) != nil
      }
      return ImageCondition(
        image: image, modules: names,
        flaws: different.map { .differs(module: $0) } + gone.map { .gone(module: $0) }
          + lacking.map { .lacks(module: $0.module, askedForBy: $0.place) })
    } catch {
      return ImageCondition(image: image, flaws: [.unreadable(reason: error.reason)])
    }
  }

  /// Modules that differ from the installed ones also when these are stripped as the generator does it.
  private func withoutStripped(
    _ names: [String], _ image: InitramfsImage, _ installed: InstalledModules
  ) async throws(ImageError) -> [String] {
    guard !names.isEmpty, let stripping = ModuleStripping(image.generator),
      let scratch = try? ScratchDirectory(in: temporaryDirectory)
    else { return names }
    let files = names.reduce(into: [:]) { files, name in files[name] = installed.file(of: name) }
    let copies = await stripping.copies(of: files, in: scratch.path, limits: limits, host: host)
    guard !copies.isEmpty else { return names }
    let comparison = try ImageComparison(image, ImageReader(limits: limits)) { copies[$0] ?? [] }
    let different = names.filter { name in
      installed.place(of: name).map { !comparison.holds(name, asIn: $0) } ?? true
    }
    scratch.discard()
    return different
  }
}
