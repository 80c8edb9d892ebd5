// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// What is built of a module version for a kernel, on its way into the tree.
///
/// It is only changed under its lock.
struct Product: Sendable {
  private let product: FilePath
  /// Where a new product is collected, and where the previous one is kept until that is done.
  let staged: FilePath
  private let doomed: FilePath

  init(_ id: ModuleID, _ kernel: Kernel, in layout: Layout) {
    product = layout.product(id, kernel)
    staged = layout.staging(id, kernel, "product")
    doomed = layout.staging(id, kernel, "removed")
  }

  private static let mark: FilePath.Component = ".unfinished"

  /// Whether the product in the tree still has to be finished; if that is interrupted, the product must not
  /// be used.
  func isUnfinished() throws(HostError) -> Bool { try Files.exists(product.appending(Self.mark)) }

  /// Notes, before it is published, that it still has to be finished.
  func markUnfinished() throws(HostError) { try Files.write([], to: staged.appending(Self.mark)) }

  /// Notes that the product is finished.
  func finish() throws(HostError) {
    try Files.remove(product.appending(Self.mark))
    try Files.synchronize(product)
  }

  /// Swaps what is staged into the tree in one step; what it replaces ends up in the staging place.
  func publish() throws(HostError) {
    if try Files.exists(product) {
      try Files.exchange(staged, with: product)
    } else {
      try Files.rename(staged, to: product)
    }
    try Files.synchronize(product.removingLastComponent())
  }

  /// Undoes `publish`.
  func withdraw() throws(HostError) {
    if try Files.exists(staged) {
      try Files.exchange(staged, with: product)
      try Files.synchronize(product.removingLastComponent())
    } else {
      try discard()
    }
  }

  /// Moves the product out of sight in one step, then deletes it.
  ///
  /// Where it cannot be moved, it counts as unfinished from the first step of its deletion to the last.
  func discard() throws(HostError) {
    try Files.discard(product, as: doomed, last: Self.mark) { () throws(HostError) in
      try Files.write([], to: product.appending(Self.mark))
      try Files.synchronize(product)
    }
  }
}
