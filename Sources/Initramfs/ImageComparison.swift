// SPDX-License-Identifier: GPL-2.0-or-later

internal import Archives
internal import DKMSModel
internal import SystemPackage

/// The modules of one kernel in an image, each compared with files it may be the same as.
struct ImageComparison {
  /// The modules by their names; a name can be in several places.
  let modules: [String: [ImageModule]]
  /// The paths in the image of those that are the same as one of their files.
  private let equal: Set<String>

  /// Reads an image once; the files are those that a module of this name is compared with.
  init(
    _ image: InitramfsImage, _ reader: ImageReader, _ files: (String) -> [FilePath]
  ) throws(ImageError) {
    let release = image.kernel.release.description
    let path = FilePath(image.path)
    let limit = reader.limits.moduleBytes
    var equal: Set<String> = []
    let contents = try reader.read(path, form: image.form) { names, contents throws(ArchiveError) in
      let own = names.filter { $0.belongs(to: release) }
      let comparisons = own.map { module in
        files(module.name).map { ModuleComparison(with: $0, limit: limit) }
      }
      guard !comparisons.allSatisfy(\.isEmpty) else { return }
      let plain = try Decompressor.plainBytes(of: contents, in: path, limit: limit)
      while case let chunk = try plain.nextChunk(), !chunk.isEmpty {
        for comparison in comparisons.joined() { comparison.add(chunk) }
      }
      // What a later archive brings takes the place of what was there before.
      for (module, comparisons) in zip(own, comparisons) {
        if comparisons.contains(where: { $0.finish() }) {
          equal.insert(module.path)
        } else {
          equal.remove(module.path)
        }
      }
    }
    self.equal = equal
    modules = Dictionary(grouping: contents.modules.filter { $0.belongs(to: release) }, by: \.name)
  }

  /// Whether the file that modprobe would take inside the image is the same as one of those it was compared with.
  ///
  /// Of several it takes the one in the place where the installed module is, below the kernel's directory.
  func holds(_ module: String, asIn place: FilePath) -> Bool {
    let files = modules[module] ?? []
    let ending = "/\(ModuleFileName.withoutCompression(place.string))"
    let preferred = files.filter { ModuleFileName.withoutCompression($0.path).hasSuffix(ending) }
    return (preferred.isEmpty ? files : preferred).contains { equal.contains($0.path) }
  }
}
