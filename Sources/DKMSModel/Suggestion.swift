// SPDX-License-Identifier: GPL-2.0-or-later

/// What a mistyped word may have been meant for.
package enum Suggestion {
  /// The option for a word with its dashes; a value after an equals sign stays.
  package static func option(for word: String, among names: [String]) -> String? {
    let name = word.prefix { $0 != "=" }
    return nearest(to: String(name), among: names.filter { $0.hasPrefix("--") }).map {
      $0 + word.dropFirst(name.count)
    }
  }

  /// The word that is the fewest changes away, if they are few; nil if two words are equally near.
  package static func nearest(to word: String, among words: [String]) -> String? {
    let distances = words.map { (word: $0, distance: distance(Array(word.utf8), Array($0.utf8))) }
    guard let least = distances.map(\.distance).min(), least <= max(1, word.utf8.count / 3) else {
      return nil
    }
    let nearest = distances.filter { $0.distance == least }
    return nearest.count == 1 ? nearest[0].word : nil
  }

  /// How many letters have to be put in, left out, replaced or swapped with their neighbour.
  private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var before: [Int] = []
    var last = Array(0...right.count)
    for i in left.indices {
      var row = [i + 1]
      for j in right.indices {
        var least = min(last[j] + (left[i] == right[j] ? 0 : 1), last[j + 1] + 1, row[j] + 1)
        if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
          least = min(least, before[j - 1] + 1)
        }
        row.append(least)
      }
      (before, last) = (last, row)
    }
    return last[right.count]
  }
}
