// SPDX-License-Identifier: GPL-2.0-or-later

/// The name of a member of an object, or the place of a value in an array.
package struct MemberName: CodingKey {
  /// The name; for a place in an array its digits.
  package let stringValue: String
  /// The place in an array, counted from 0.
  package let intValue: Int?

  /// Names a member.
  package init(_ name: String) {
    stringValue = name
    intValue = nil
  }

  /// Names a member.
  package init(stringValue: String) { self.init(stringValue) }

  /// Names a place in an array.
  package init(intValue: Int) {
    stringValue = "\(intValue)"
    self.intValue = intValue
  }
}

extension [any CodingKey] {
  /// `kernels["6.1.0/x86_64"].signing[2]`: the way to a value, as people write it.
  var place: String {
    reduce(into: "") { text, key in
      if let index = key.intValue {
        text += "[\(index)]"
      } else if key.stringValue.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" }) {
        text += text.isEmpty ? key.stringValue : ".\(key.stringValue)"
      } else {
        text += "[\"\(key.stringValue)\"]"
      }
    }
  }
}
