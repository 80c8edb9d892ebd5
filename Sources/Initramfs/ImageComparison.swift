// SPDX-License-Identifier: GPL-2.0-or-later

internal import Archives
internal import DKMSModel
internal import Host
internal import SystemPackage

/// The modules of one kernel in an image, each compared with files it may be the same as.
struct ImageComparison {
  /// The modules by their names; a name can be in several places.
  let modules: [String: [ImageModule]]
  /// The release of another kernel that the image is for; nil where it is for this one, as far as it tells.
  let otherRelease: String?
  /// The arguments that dracut noted in the image; nil where it noted none.
  let buildParameters: String?
  /// The paths in the image of those that are the same as one of their files.
  private let equal: Set<String>

  /// Reads an image once; the files are those that a module of this name is compared with.
  ///
  /// - Throws: `ImageError`, also where a look at one of these files failed.
  init(
    _ image: InitramfsImage, _ reader: ImageReader, _ files: (String) throws(HostError) -> [FilePath]
  ) throws(ImageError) {
    let release = image.kernel.release.description
    let path = FilePath(image.path)
    let limits = reader.limits
    var unpacked: Int64 = 0
    var equal: Set<String> = []
    let contents = try reader.read(path, form: image.form) { names, contents throws(ArchiveError) in
      let own = names.filter { $0.belongs(to: release) }
      var comparisons: [[ModuleComparison]] = []
      for module in own { comparisons.append(try Self.comparisons(of: module, with: files, limits, path)) }
      guard !comparisons.allSatisfy(\.isEmpty) else { return }
      let plain = try Decompressor.plainBytes(of: contents, in: path, limit: limits.moduleBytes)
      while case let chunk = try plain.nextChunk(), !chunk.isEmpty {
        unpacked += Int64(chunk.count)
        guard unpacked <= limits.allModuleBytes else {
          throw ArchiveError(
            .read, path, .damaged("its modules unpack to more than \(limits.allModuleBytes) bytes"))
        }
        for comparison in comparisons.joined() { try comparison.add(chunk) }
      }
      // What a later archive brings takes the place of what was there before.
      for (module, comparisons) in zip(own, comparisons) {
        if try comparisons.hasAny({ comparison throws(ArchiveError) in try comparison.finish() }) {
          equal.insert(module.path)
        } else {
          equal.remove(module.path)
        }
      }
    }
    self.equal = equal
    buildParameters = contents.buildParameters
    let own = contents.modules.filter { $0.belongs(to: release) }
    modules = Dictionary(grouping: own, by: \.name)
    // Modules of another kernel beside its own do no harm.
    let told = contents.release ?? (own.isEmpty ? contents.modules.first?.release : nil)
    otherRelease = told == release ? nil : told
  }

  private static func comparisons(
    of module: ImageModule, with files: (String) throws(HostError) -> [FilePath], _ limits: ImageLimits,
    _ image: FilePath
  ) throws(ArchiveError) -> [ModuleComparison] {
    let paths: [FilePath]
    do { paths = try files(module.name) } catch { throw ArchiveError(.read, image, error) }
    var comparisons: [ModuleComparison] = []
    for path in paths { comparisons.append(try ModuleComparison(with: path, limit: limits.moduleBytes)) }
    return comparisons
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
