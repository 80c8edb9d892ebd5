// SPDX-License-Identifier: GPL-2.0-or-later

/// The standard library's questions to sequences, for questions that fail with an error of a known type.
extension Sequence {
  /// The elements of which it is true, in their order.
  ///
  /// - Throws: What `isIncluded` throws.
  package func `where`<Failure: Error>(
    _ isIncluded: (Element) throws(Failure) -> Bool
  ) throws(Failure) -> [Element] {
    var elements: [Element] = []
    for element in self where try isIncluded(element) { elements.append(element) }
    return elements
  }

  /// The first element of which it is true.
  ///
  /// - Throws: What `isWanted` throws.
  package func firstWhere<Failure: Error>(
    _ isWanted: (Element) throws(Failure) -> Bool
  ) throws(Failure) -> Element? {
    for element in self where try isWanted(element) { return element }
    return nil
  }

  /// Whether it is true of any element.
  ///
  /// - Throws: What `isWanted` throws.
  package func hasAny<Failure: Error>(
    _ isWanted: (Element) throws(Failure) -> Bool
  ) throws(Failure) -> Bool {
    try firstWhere(isWanted) != nil
  }

  /// What becomes of the elements, one list after another.
  ///
  /// - Throws: What `transform` throws.
  package func collect<Value, Failure: Error>(
    _ transform: (Element) throws(Failure) -> [Value]
  ) throws(Failure) -> [Value] {
    var values: [Value] = []
    for element in self { values += try transform(element) }
    return values
  }
}
