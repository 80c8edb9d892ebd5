// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// How new images get into their places: where they wait until they are checked, and whether there is room for them.
struct ImagePlacement {
  /// Where the images belong, in their order.
  let goals: [FilePath]
  /// Where they are made.
  let staged: [FilePath]
  /// Where each is kept, once it is checked, until it is in its place; empty where they are made beside that.
  private let ready: [FilePath]
  private let release: KernelRelease

  /// How much room there must be beside the place of an image, in bytes, or it is made elsewhere.
  private static let plenty = 256 << 20
  /// The most that an image may hold, in bytes: it is put into its place as a whole.
  private static let sizeLimit = 4 << 30

  /// Chooses where to make images.
  ///
  /// An image is renamed into its place where the file system has plenty of room. Where it has little, as many boot
  /// partitions, the images are made in another directory.
  ///
  /// - Throws: `GenerationError` where that cannot be told, or where nowhere is room to make them.
  init(_ goals: [FilePath], _ recipe: ImageRecipe, elsewhere directory: FilePath) throws(GenerationError) {
    self.goals = goals
    release = recipe.kernel.release
    let ready = Self.ready(recipe, in: directory)
    let isBeside: Bool
    let needed: Int
    let free: Int
    do throws(HostError) {
      var sizes: [Int] = []
      var rooms: [Int] = []
      for goal in goals {
        sizes.append(try Files.size(goal) ?? 0)
        rooms.append(try Files.room(at: goal.removingLastComponent()).free)
      }
      needed = sizes.reduce(0, +)
      isBeside = rooms.allSatisfy { [needed] in $0 >= max(Self.plenty, 2 * needed) }
      try Files.makeDirectories(directory)
      free = try Files.room(at: directory).free
    } catch {
      throw GenerationError(error)
    }
    staged = isBeside ? goals.map(Files.stagingPath) : ready.map(Files.stagingPath)
    self.ready = isBeside ? [] : ready
    guard isBeside || free >= needed else {
      throw GenerationError.noRoom(needed, free, at: directory, for: goals[0], release)
    }
  }

  /// Where the images of a run are kept between being checked and being in their places.
  private static func ready(_ recipe: ImageRecipe, in directory: FilePath) -> [FilePath] {
    recipe.images.map { directory.appending("\(FilePath($0.path).asOneName).ready") }
  }

  // MARK: Placing

  /// Puts checked images into their places.
  ///
  /// - Throws: `GenerationError` where there is no room for them, or they cannot be written.
  func place(_ recipe: ImageRecipe) throws(GenerationError) {
    do throws(HostError) {
      for path in staged { try Files.synchronize(path) }
      guard !ready.isEmpty else {
        for (path, goal) in zip(staged, goals) { try Files.rename(path, to: goal) }
        for goal in goals { try Files.synchronize(goal.removingLastComponent()) }
        return
      }
    } catch {
      throw GenerationError(recipe.images[0].path, "\(error)")
    }
    try checkRoom()
    do throws(HostError) {
      for (path, goal) in zip(staged, ready) { try Files.rename(path, to: goal) }
      for goal in ready { try Files.synchronize(goal.removingLastComponent()) }
      for (file, goal) in zip(ready, goals) { try Self.put(file, at: goal) }
    } catch {
      throw GenerationError(recipe.images[0].path, "\(error)")
    }
  }

  /// Puts what a killed run had ready into its place, unless somebody else has made a newer image meanwhile.
  ///
  /// - Throws: `HostError` where an image cannot be looked at, or not be put into its place.
  static func resume(_ recipe: ImageRecipe, at goals: [FilePath], in directory: FilePath) throws(HostError) {
    for (file, goal) in zip(ready(recipe, in: directory), goals) {
      guard try Files.isFile(file) else { continue }
      if try Files.isNewer(goal, than: file) {
        try Files.remove(file)
      } else {
        try put(file, at: goal)
      }
    }
  }

  /// The new image is safe elsewhere, and is put there again if this is interrupted.
  private static func put(_ file: FilePath, at goal: FilePath) throws(HostError) {
    let image = try Files.read(file, limit: Self.sizeLimit)
    if try Files.room(at: goal.removingLastComponent()).free < image.count { try Files.remove(goal) }
    try Files.write(image, to: goal, permissions: .ownerReadWrite)
    try Files.synchronize(goal.removingLastComponent())
    try Files.remove(file)
  }

  /// Where there is no room for the old and the new one, the old one gives way.
  private func checkRoom() throws(GenerationError) {
    var rooms: [UInt: (needed: Int, free: Int, goal: FilePath)] = [:]
    do throws(HostError) {
      for (path, goal) in zip(staged, goals) {
        let room = try Files.room(at: goal.removingLastComponent())
        var sum = rooms[room.fileSystem] ?? (0, room.free, goal)
        sum.needed += try Files.size(path) ?? 0
        sum.free += try Files.size(goal) ?? 0
        rooms[room.fileSystem] = sum
      }
    } catch {
      throw GenerationError(error)
    }
    guard let tight = rooms.values.first(where: { $0.needed > $0.free }) else { return }
    throw GenerationError.noRoom(
      tight.needed, tight.free, at: tight.goal.removingLastComponent(), for: tight.goal, release)
  }
}

extension GenerationError {
  /// That a file system is too small.
  static func noRoom(
    _ needed: Int, _ free: Int, at directory: FilePath, for goal: FilePath, _ release: KernelRelease
  ) -> GenerationError {
    let mebibyte = 1 << 20
    return GenerationError(
      goal.string,
      "no room: \((needed + mebibyte - 1) / mebibyte) MiB needed, \(free / mebibyte) free on \(directory)",
      remedy: "remove what is not needed from \(directory), then: alpm-dkms initramfs \(release)")
  }
}
