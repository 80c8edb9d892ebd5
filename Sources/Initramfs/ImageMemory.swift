// SPDX-License-Identifier: GPL-2.0-or-later

internal import Host
internal import JSON
internal import SystemPackage

/// What was read from images, so that nobody has to decompress them again; losing it loses nothing.
struct ImageMemory: Sendable {
  /// The directory with a file for each image; nil where nothing is remembered.
  let directory: FilePath?

  /// What is remembered of an image.
  private struct Entry: Codable {
    /// As this suite writes it; other versions read images anew.
    var schema: Int
    /// The image.
    var path: String
    /// What it was when it was read.
    var identity: Files.Identity
    /// How it was read.
    var form: InitramfsImage.Form
    /// What was in it.
    var contents: ImageContents
  }

  private static let schema = 1
  private static let suffix = ".json"
  /// The most that a file of it may hold, in bytes.
  private static let sizeLimit = 16 << 20
  /// File systems with coarse times cannot tell two changes within this, in nanoseconds.
  private static let coarsest = 2_000_000_000

  /// What is in an image, if it is known and the image is what it was then; nil also where the memory is damaged.
  func contents(of image: FilePath, form: InitramfsImage.Form) -> ImageContents? {
    guard let file = file(of: image), let entry = Self.entry(in: file) else { return nil }
    guard entry.form == form, entry.path == image.string, let identity = try? Files.identity(image),
      identity == entry.identity, let noted = try? Files.identity(file),
      noted.written - max(identity.written, identity.changed) > Self.doubt(identity)
    else { return nil }
    return entry.contents
  }

  /// How long after its last change an image must have been noted to be believed, in nanoseconds.
  ///
  /// Two changes between two ticks of a file system's clock look like one.
  private static func doubt(_ identity: Files.Identity) -> Int {
    let isCoarse = identity.written.isMultiple(of: 1_000_000_000)
    return isCoarse ? coarsest : 0
  }

  /// Notes what is in an image, unless it has changed since this identity was taken, before it was read.
  func keep(
    _ contents: ImageContents, of image: FilePath, form: InitramfsImage.Form, _ identity: Files.Identity?
  ) {
    guard let file = file(of: image), let directory, let identity, identity == (try? Files.identity(image))
    else { return }
    let entry = Entry(
      schema: Self.schema, path: image.string, identity: identity, form: form, contents: contents)
    // Where it cannot be written, images are read again. What dracut was called with can be a secret.
    try? Files.makeDirectories(directory)
    try? Files.write(Array(JSON(encoding: entry).text.utf8), to: file, permissions: .ownerReadWrite)
  }

  /// Notes for an image what is known of the file that was renamed to it, unless it is another file by now.
  func keep(
    _ contents: ImageContents, of image: FilePath, form: InitramfsImage.Form,
    renamedFrom file: Files.Identity?
  ) {
    guard let identity = try? Files.identity(image), let file, identity.isSame(as: file) else { return }
    keep(contents, of: image, form: form, identity)
  }

  /// Forgets an image.
  func forget(_ image: FilePath) { if let file = file(of: image) { try? Files.remove(file) } }

  /// Forgets images that are gone, and what it does not understand.
  func sweep() {
    guard let directory, let names = try? Files.list(directory) else { return }
    for file in names.filter({ $0.hasSuffix(Self.suffix) }).map({ directory.appending($0) }) {
      let isThere = Self.entry(in: file).map { (try? Files.exists(FilePath($0.path))) != false } ?? false
      if !isThere { try? Files.remove(file) }
    }
  }

  private static func entry(in file: FilePath) -> Entry? {
    guard let bytes = try? Files.contents(file, sizeLimit), let value = try? JSONParser.parse(bytes),
      let entry = try? value.decode() as Entry, entry.schema == schema
    else { return nil }
    return entry
  }

  private func file(of image: FilePath) -> FilePath? {
    directory?.appending("\(image.asOneName)\(Self.suffix)")
  }
}
