// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import Initramfs
internal import Inspection
internal import JSON
internal import SystemPackage

/// An entry of a boot loader that boots a kernel with an image.
struct ImageBoot {
  /// The image.
  let image: ImageCondition
  /// The entry.
  let entry: BootEntry
  /// The release that the kernel of the entry tells itself; nil where it tells none, or none is there.
  let release: String?

  /// All entries that name images, by image.
  ///
  /// - Throws: `HostError` where a look at a kernel failed.
  static func all(of images: KernelImages, on system: BootSystem) throws(HostError) -> [ImageBoot] {
    var releases: [String: String?] = [:]
    var boots: [ImageBoot] = []
    for image in images.conditions {
      for entry in images.entries where try entry.names(image.image.path) {
        if let kernel = entry.kernel, releases[kernel] == nil {
          releases[kernel] = .some(try KernelFiles(system).release(in: FilePath(kernel)))
        }
        boots.append(
          ImageBoot(image: image, entry: entry, release: entry.kernel.flatMap { releases[$0] ?? nil }))
      }
    }
    return boots
  }

  /// Whether the kernel is another one than that whose modules the image has: they cannot boot together.
  var isMismatched: Bool { release.map { $0 != image.image.kernel.release.description } ?? false }

  /// Whether kernel and image are one file.
  private var isUnified: Bool {
    image.image.form == .unifiedKernelImage && (entry.kernel == nil || entry.images == [entry.kernel])
  }

  /// Which entry it is, and which kernel it starts.
  var words: String {
    guard entry.file != image.image.path else {
      return "booted by \(entry.loader.name), which finds it there"
    }
    let title = entry.title.map { "\"\($0)\" in " } ?? ""
    let words = "booted by \(title)\(entry.file) (\(entry.loader.name))"
    if isUnified { return words }
    guard let kernel = entry.kernel else {
      return entry.namesKernel ? "\(words), with a kernel that is not there" : words
    }
    guard let release else { return "\(words), with \(kernel), which does not tell its release" }
    return "\(words), with \(kernel)\(isMismatched ? ", which is another kernel: \(release)" : "")"
  }

  /// The entry for programs.
  var json: JSON {
    .object([
      .init("loader", .string(entry.loader.rawValue)), .init("file", .string(entry.file)),
      .init("title", .string(orNull: entry.title)),
      .init("kernel_file", .string(orNull: isUnified ? image.image.path : entry.kernel)),
      .init("release", .string(orNull: release)),
    ])
  }
}
