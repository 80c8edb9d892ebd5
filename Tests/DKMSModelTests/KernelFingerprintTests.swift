// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Testing

@Suite struct KernelFingerprintTests {
  private let known = KernelFingerprint(
    owner: "linux 6.1-1 1700000000, linux-headers 6.1-1 1700000000", symbols: "a-1", configuration: "b-2",
    compiler: "gcc (GCC) 14.2.1 20240805")

  @Test func textIsReadBack() {
    #expect(KernelFingerprint(text: known.text) == known)
    var unowned = known
    unowned.owner = nil
    #expect(KernelFingerprint(text: unowned.text) == unowned)
  }

  @Test(arguments: [
    "", "junk", "symbols a", "symbols a\nconfiguration b", "symbols\nconfiguration\ncompiler",
  ])
  func anythingElseIsNone(_ text: String) {
    #expect(KernelFingerprint(text: text) == nil)
  }

  @Test func everyPartCounts() {
    #expect(known.matches(known))
    for part in [\KernelFingerprint.symbols, \.configuration, \.compiler] {
      var other = known
      other[keyPath: part] = "other"
      #expect(!known.matches(other) && !other.matches(known))
    }
    var other = known
    other.owner = "linux 6.1-2 1700000001"
    #expect(!known.matches(other))
  }

  @Test func anOwnerThatOnlyOneKnowsTellsNothing() {
    var other = known
    other.owner = nil
    #expect(known.matches(other) && other.matches(known))
  }
}
