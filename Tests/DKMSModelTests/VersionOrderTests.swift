// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Testing

@Suite struct VersionOrderTests {
  @Test(arguments: [
    ("", "0"),
    ("1", "1.0"),
    ("1.0", "1.1"),
    ("1.9", "1.10"),
    ("1.9a", "1.10"),
    ("1.999", "1.1000"),
    ("1.0", "1.0a"),
    ("1.0a", "1.0b"),
    ("1.0", "1.a"),
    ("6.1.9", "6.1.10"),
    ("6.1.9-arch1-1", "6.1.10-arch1-1"),
    ("6.1.0-18-amd64", "6.1.0-21-amd64"),
    ("6.9", "6.10"),
    ("5.19.17", "6.0"),
    ("2.6.9-1cvs200409091247", "2.6.9-1cvs200409091248"),
    ("2.6.9-1cvs200409091247", "2.6.9-2"),
    ("2.6.9-1cvs200409091247", "2.6.10-1cvs1"),
    ("4.0", "4.0-rc1"),
    ("4.0-rc1", "4.0-rc2"),
    ("4.0-rc9", "4.0-rc10"),
    ("4.0-rc1", "4.0.1"),
    ("4.0-rc1", "4.1-rc1"),
    ("1.18446744073709551615", "1.18446744073709551616"),
    ("1.99999999999999999999", "1.100000000000000000000"),
  ])
  func leftIsOlder(_ left: String, _ right: String) {
    #expect(VersionOrder(left) < VersionOrder(right))
    #expect(!(VersionOrder(right) < VersionOrder(left)))
    #expect(VersionOrder(left) != VersionOrder(right))
  }

  @Test(arguments: [
    ("", ""),
    ("6.1.10-arch1-1", "6.1.10-arch1-1"),
    ("6.01", "6.1"),
    ("007", "7"),
    ("1.00", "1.0"),
    ("1.000", "1.0"),
    ("4.0-rc01", "4.0-rc1"),
  ])
  func bothAreEqual(_ left: String, _ right: String) {
    #expect(VersionOrder(left) == VersionOrder(right))
    #expect(!(VersionOrder(left) < VersionOrder(right)))
    #expect(!(VersionOrder(right) < VersionOrder(left)))
  }

  @Test func aMillionDigitsAreComparedInOneGo() {
    let digits = String(repeating: "9", count: 1_000_000)
    #expect(VersionOrder("1.\(digits)") < VersionOrder("1.1\(digits)"))
    #expect(VersionOrder("000\(digits)") == VersionOrder(digits))
  }
}
