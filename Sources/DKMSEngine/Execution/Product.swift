// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// What is built of a module version for a kernel, on its way into the tree. It is only changed under its lock.
struct Product: Sendable {
  private let product: FilePath
  /// Where a new one is put together, and where the one before is until that is finished.
  let staged: FilePath
  private let doomed: FilePath

  init(_ id: ModuleID, _ kernel: Kernel, in layout: Layout) {
    product = layout.product(id, kernel)
    staged = layout.staging(id, kernel, "product")
    doomed = layout.staging(id, kernel, "removed")
  }

  private static let mark: FilePath.Component = ".unfinished"

  /// Whether something has yet to be done with what is in the tree; if that is killed it is not to be used.
  func isUnfinished() throws(HostError) -> Bool { try Files.exists(product.appending(Self.mark)) }

  /// Notes, before it is published, that there will be something to do with it.
  func markUnfinished() throws(HostError) { try Files.write([], to: staged.appending(Self.mark)) }

  /// Notes that this is done.
  func finish() throws(HostError) {
    try Files.remove(product.appending(Self.mark))
    try Files.synchronize(product)
  }

  /// Makes what is staged the tree's, in one step; what it replaces is where it was staged.
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
    } else {
      try discard()
    }
  }

  /// Moves it out of sight in one step, then deletes it.
  func discard() throws(HostError) {
    try Files.remove(doomed)
    try Files.rename(product, to: doomed)
    try Files.remove(doomed)
  }
}
