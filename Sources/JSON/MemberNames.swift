// SPDX-License-Identifier: GPL-2.0-or-later

/// A type that gives its values a name where they have none of their own, as in a case of an enumeration.
package protocol SelfNamed {
  /// The name, as it stands in JSON.
  static var memberName: String { get }
}

extension Array: SelfNamed where Element: SelfNamed {
  /// The name of several.
  package static var memberName: String { Element.memberName + "s" }
}

/// Dictionaries: the names of their members are values, and stay as they are.
protocol FreelyNamed {}

extension Dictionary: FreelyNamed {}

extension CodingKey {
  /// The first value of a case that gives it no name.
  static var loneValue: String { "_0" }

  /// What a member is called: in snake_case, and after its type where it has no other name than `id`.
  func memberName(of type: Any.Type) -> String {
    let hasName = stringValue != "id" && !stringValue.hasPrefix("_")
    return hasName ? stringValue.inSnakeCase : (type as? any SelfNamed.Type)?.memberName ?? stringValue
  }
}

extension String {
  /// `isBroken` as `is_broken`.
  var inSnakeCase: String {
    reduce(into: "") { name, letter in name += letter.isUppercase ? "_" + letter.lowercased() : String(letter)
    }
  }

  /// `is_broken` as `isBroken`.
  var inCamelCase: String {
    let words = split(separator: "_", omittingEmptySubsequences: false)
    return words.dropFirst().reduce(into: String(words[0])) { name, word in
      name += word.prefix(1).uppercased() + word.dropFirst()
    }
  }
}
