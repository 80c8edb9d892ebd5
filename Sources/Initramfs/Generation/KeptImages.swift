// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// Copies of images that a program is about to replace by itself, to be put back where it makes none or worse ones.
struct KeptImages {
  /// Where each image belongs, and its copy, which has its times.
  private let copies: [(goal: FilePath, copy: FilePath)]

  /// Copies images into a directory; those that are not there leave nothing to keep.
  ///
  /// - Throws: `GenerationError`, also where there is no room for the copies.
  init(_ goals: [FilePath], _ release: KernelRelease, in directory: FilePath) throws(GenerationError) {
    let there: [FilePath]
    let (needed, free): (Int, Int)
    do throws(HostError) {
      try Files.makeDirectories(directory)
      there = try goals.where(Files.isFile)
      needed = try there.collect { goal throws(HostError) in [try Files.size(goal) ?? 0] }.reduce(0, +)
      free = try Files.room(at: directory).free
    } catch {
      throw GenerationError(error)
    }
    guard free >= needed else {
      throw GenerationError.noRoom(needed, free, at: directory, for: goals[0], release)
    }
    copies = there.map { ($0, Self.copy(of: $0, in: directory)) }
    do throws(HostError) {
      for (goal, copy) in copies {
        // The copy counts only with the path of what it is a copy of.
        try Files.write(Array(goal.string.utf8), to: Self.place(of: copy))
        try Files.duplicate(goal, to: copy)
      }
    } catch {
      throw GenerationError(error)
    }
  }

  /// The copy of an image; the image itself where there is none.
  func file(of goal: FilePath) -> FilePath { copies.first { $0.goal == goal }?.copy ?? goal }

  /// Puts the images back into their places.
  ///
  /// - Throws: `GenerationError`; the copies stay then.
  func putBack() throws(GenerationError) {
    do throws(HostError) {
      for (goal, copy) in copies { try Self.putBack(copy, to: goal) }
    } catch {
      throw GenerationError(error)
    }
  }

  /// Removes the copies.
  func discard() { for (_, copy) in copies { Self.discard(copy) } }

  /// Puts back what a killed run has left, unless there is an image in its place that can be read.
  ///
  /// - Throws: `HostError` where a copy cannot be looked at, or not be put back.
  static func resume(in directory: FilePath) throws(HostError) {
    for name in try Files.list(directory) where name.hasSuffix(suffix) {
      let copy = directory.appending(name)
      guard let goal = try Files.text(place(of: copy)).map({ FilePath($0) }) else { continue }
      if try isReadable(goal) { discard(copy) } else { try putBack(copy, to: goal) }
    }
  }

  private static func isReadable(_ image: FilePath) throws(HostError) -> Bool {
    guard try Files.isFile(image) else { return false }
    let form: InitramfsImage.Form =
      image.string.lowercased().hasSuffix(".efi") ? .unifiedKernelImage : .archive
    do throws(ImageError) { _ = try ImageReader().contents(of: image, form: form) } catch {
      // Where nothing is known, nothing is replaced.
      return error.isFailedLook
    }
    return true
  }

  private static func putBack(_ copy: FilePath, to goal: FilePath) throws(HostError) {
    let size = try Files.size(copy) ?? 0
    if try Files.room(at: goal.removingLastComponent()).free < size { try Files.remove(goal) }
    try Files.duplicate(copy, to: goal)
    discard(copy)
  }

  private static func discard(_ copy: FilePath) {
    try? Files.remove(copy)
    try? Files.remove(place(of: copy))
  }

  private static let suffix = ".kept"

  private static func copy(of goal: FilePath, in directory: FilePath) -> FilePath {
    directory.appending("\(goal.asOneName)\(suffix)")
  }

  private static func place(of copy: FilePath) -> FilePath { FilePath("\(copy.string).place") }
}
