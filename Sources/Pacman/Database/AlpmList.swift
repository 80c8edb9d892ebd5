// SPDX-License-Identifier: GPL-2.0-or-later

internal import CAlpm

/// The elements of an `alpm_list_t`, so that none leaves the target.
struct AlpmList<Element>: Sequence, IteratorProtocol {
  private var node: UnsafeMutablePointer<alpm_list_t>?
  private let element: (UnsafeMutableRawPointer) -> Element

  init(
    _ head: UnsafeMutablePointer<alpm_list_t>?,
    _ element: @escaping (UnsafeMutableRawPointer) -> Element
  ) {
    self.node = head
    self.element = element
  }

  mutating func next() -> Element? {
    guard let current = node?.pointee, let data = current.data else { return nil }
    node = current.next
    return element(data)
  }
}
