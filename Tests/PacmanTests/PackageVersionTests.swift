// SPDX-License-Identifier: GPL-2.0-or-later

import Testing

@testable import Pacman

@Suite("Versions in pacman's order")
struct PackageVersionTests {
  @Test("Each is older than all that follow it")
  func ascending() {
    let versions: [PackageVersion] = [
      "", "1.0a-1", "1.0b-1", "1.0beta-1", "1.0p-1", "1.0pre-1", "1.0rc-1", "1.0rc1-1", "1.0", "1.0-1",
      "1.0-2", "1.0-10",
      "1.0.a-1", "1.0.1-1", "1.1-1", "1.10-1", "2-1", "20250101-1", "1:0.1-1", "2:0-1", "10:0-1",
    ]
    #expect(versions.shuffled().sorted() == versions)
    for (index, older) in versions.enumerated() {
      #expect(older == older && !(older < older))
      for newer in versions[(index + 1)...] {
        #expect(older < newer && !(newer < older) && older != newer, "\(older) < \(newer)")
      }
    }
  }

  @Test(
    "Spellings without a difference are equal",
    arguments: [
      ("1.0-1", "1.00-1"), ("0:1-1", "1-1"), (":1-1", "0:1-1"), ("1_0-1", "1.0-1"), ("1.-1", "1+-1"),
    ])
  func equal(_ left: PackageVersion, _ right: PackageVersion) {
    #expect(left == right && !(left < right) && !(right < left))
    #expect(Set([left, right]).count == 1)
  }

  @Test("A missing release matches any, in libalpm's sense")
  func missingRelease() {
    let version: PackageVersion = "1.0"
    #expect(version.order(comparedTo: "1.0-1") == .same)
    #expect(version.order(comparedTo: "1.0-99") == .same)
    #expect(version < "1.0-1")
  }

  @Test("Every order is libalpm's", .requiresLibalpm)
  func generated() throws {
    let library = try AlpmLibrary()
    var generator = SplitMix64(state: 20_250_101)
    var versions = [
      "", "-", "--", ":", "0:", ":-", "1-", "-1", "1:2:3", "1:2-3:4-5", "a:1", "é1", "1é", "1.é.2",
    ]
    while versions.count < 250 {
      let length = Int.random(in: 1...9, using: &generator)
      versions.append(
        String((0..<length).compactMap { _ in "00112..--:_+abcZ~é".randomElement(using: &generator) }))
    }
    var differences: [String] = []
    for left in versions {
      for right in versions {
        let order = PackageVersion(left).order(comparedTo: PackageVersion(right)).rawValue
        if order != Int(library.compareVersions(left, right).signum()) {
          differences.append("\(left) against \(right): \(order)")
        }
      }
    }
    #expect(differences == [])
  }

  @Test("The operators are an order of their own rank", .requiresLibalpm)
  func operators() throws {
    let library = try AlpmLibrary()
    var generator = SplitMix64(state: 7)
    let pool = (0..<100).map { _ in
      let parts = (0..<3).compactMap { _ in
        ["1", "01", "1.0", "1.a", "1a", "2", "1."].randomElement(using: &generator)
      }
      return "\(parts[0].prefix(1)):\(parts[1])-\(parts[2])"
    }
    var differences: [String] = []
    for left in pool {
      for right in pool {
        let (a, b) = (PackageVersion(left), PackageVersion(right))
        let order = library.compareVersions(left, right)
        let agree = (a < b) == (order < 0) && (a == b) == (order == 0)
        if !agree || a == b && a.hashValue != b.hashValue { differences.append("\(a) against \(b)") }
      }
    }
    #expect(differences == [])
  }
}

/// A small generator, so that a failure can be repeated.
private struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
