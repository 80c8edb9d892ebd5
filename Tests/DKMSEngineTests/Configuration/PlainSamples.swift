// SPDX-License-Identifier: GPL-2.0-or-later

import TestSupport

/// Texts of configuration files, the same ones for the same seed.
struct PlainSamples {
  private var numbers: SeededNumbers

  init(seed: UInt64) { numbers = SeededNumbers(seed: seed) }

  static let variables = ["A", "B", "C_1", "PACKAGE_NAME", "MAKE", "kernelver", "module"]

  // MARK: Files

  /// A file that only assigns values, as authors write them.
  mutating func plainFile() -> String {
    let lineEnd = chance(5) ? "\r\n" : "\n"
    var file = ""
    for _ in 0..<number(12) {
      file += pick(["", "", "  ", "\t", "\\\n"])
      switch number(8) {
      case 0: file += "# " + pick(["a comment", "it's $(no) `command` \"", "\\"]) + lineEnd
      case 1: file += lineEnd
      default:
        file += assignment() + pick(["", "", " ", "  # said so", ";", " ; ", "\t;# so", " \\\n"]) + lineEnd
      }
    }
    return chance(4) ? file + assignment() : file
  }

  /// Pieces of bash in no order, most of them of no use.
  mutating func noise() -> String {
    let pieces = [
      "A=", "B=", "C_1=", "MAKE=", "A[0]=", "B[1]=", "MAKE[12]=", "A+=", "B[2]+=", "A=(", "B+=(", ")", "$A",
      "${A}",
      "\"${B[0]}\"", "${B[1]}", "$", "\"", "\"", "'", "'", "\\", "\\\\", "\\\"", "\\$", "\n", "\n", "\n",
      "\r\n", "\r",
      " ", " ", "\t", ";", "# ", "#", "x", "y z", "-O2", "a=b", "1.0", "^6\\.", "[0-9]+", ".*", "$'", "`",
      "$(", "{",
      "}", "~", "!", "*", "?", "[", "]", "|", "&", "(", "/", ":", "é", "\u{1}", "\u{7F}", "$kernelver",
      "\"$module\"", "$nobody", "if", "unset A", "export ", "\\\n",
    ]
    return (0..<number(24)).reduce("") { text, _ in text + pick(pieces) } + (chance(3) ? "\n" : "")
  }

  // MARK: Parts

  private mutating func assignment() -> String {
    let name = pick(Self.variables)
    if chance(7) {
      let elements = (0..<number(4)).map { _ in word(["plain", "two.c", "-x", "a=b", "x+y"], isElement: true)
      }
      return "\(name)\(pick(["=", "=", "+="]))(" + elements.joined(separator: pick([" ", "\n  ", " # so\n"]))
        + ")"
    }
    let index = chance(2) ? "" : "[\(pick(["0", "0", "1", "2", "7", "41"]))]"
    let bare = [
      "", "yes", "hello-1.0", "^6\\.1", "/kernel/drivers", "a*b?[x]", "x:y", "\\ \\\"", "=", "x\\\ny", "#x",
      "é",
    ]
    return "\(name)\(index)\(pick(["=", "=", "=", "+="]))" + word(bare, isElement: false)
  }

  private mutating func word(_ bare: [String], isElement: Bool) -> String {
    var word = ""
    for _ in 0...number(3) {
      switch number(5) {
      case 0: word += bare.isEmpty ? "" : pick(bare)
      case 1:
        word +=
          "'" + inside(["\\", "\"", "$", "\\\"", "$A x", "${kernelver}", "a'\\''b", "^6$ ", "\n"]) + "'"
      case 2 where !isElement: word += pick(["$A", "${B}", "${A[0]}", "$kernelver", "${B[1]}x", "$module"])
      default:
        word +=
          "\""
          + inside([
            "\\\"", "\\$A", "\\\\", "\\x", "$A", "${B}", "${B[7]}", "$kernelver/", "^6\\.[0-9]+$ ", "'",
            "\\\n",
          ]) + "\""
      }
    }
    // What begins as a comment would swallow what ends the array, and an array has no empty words.
    return isElement && (word.isEmpty || word.hasPrefix("#")) ? "''" + word : word
  }

  private mutating func inside(_ special: [String]) -> String {
    let common = [
      "make", " ", "  ", "\t", "-C", "M=x", "(a|b)", ";", "&&", "#", "~", "{x,y}", "*", "é", "\r", "!",
    ]
    return (0..<number(6)).reduce("") { text, _ in text + (chance(2) ? pick(special) : pick(common)) }
  }

  // MARK: Chance

  private mutating func number(_ limit: Int) -> Int { numbers.below(limit) }

  private mutating func chance(_ one: Int) -> Bool { number(one) == 0 }

  private mutating func pick(_ list: [String]) -> String { list[number(list.count)] }
}
