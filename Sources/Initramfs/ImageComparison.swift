// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import SystemPackage

/// The modules of one kernel in an image, to be compared with files that they may be the same as.
struct ImageComparison {
  /// The modules by their names; a name can be in several places.
  let modules: [String: [ImageModule]]
  /// The release of another kernel that the image is for; nil where it is for this one, as far as it tells.
  let otherRelease: String?
  /// The arguments that dracut noted in the image; nil where it noted none.
  let buildParameters: String?
  private let image: String

  /// Takes what was read from an image.
  init(_ image: InitramfsImage, _ contents: ImageContents) {
    let release = image.kernel.release.description
    self.image = image.path
    buildParameters = contents.buildParameters
    let own = contents.modules.filter { $0.belongs(to: release) }
    modules = Dictionary(grouping: own, by: \.name)
    // Modules of another kernel beside its own do no harm.
    let told = contents.release ?? (own.isEmpty ? contents.modules.first?.release : nil)
    otherRelease = told == release ? nil : told
  }

  /// Whether the file that modprobe would take inside the image has one of these digests.
  ///
  /// Of several it takes the one in the place where the installed module is, below the kernel's directory.
  ///
  /// - Throws: `ImageError` where one cannot be decompressed.
  func holds(_ module: String, asIn place: FilePath, _ digests: [String]) throws(ImageError) -> Bool {
    let files = modules[module] ?? []
    for case let damage? in files.map(\.damage) { throw ImageError(path: image, reason: damage) }
    let ending = "/\(ModuleFileName.withoutCompression(place.string))"
    let preferred = files.filter { ModuleFileName.withoutCompression($0.path).hasSuffix(ending) }
    return (preferred.isEmpty ? files : preferred).contains { $0.digest.map(digests.contains) ?? false }
  }
}
