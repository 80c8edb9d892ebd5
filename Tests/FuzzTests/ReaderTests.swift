// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import TestSupport
import Testing

/// A short run of what `make fuzz` does for long: every reader gets its seeds, damaged at random.
@Suite(.serialized) struct ReaderTests {
  @Test("No bytes lead a reader to a trap", arguments: Reader.all.map(\.name))
  func damagedSeeds(_ name: String) async throws {
    let reader = try #require(Reader.all.first { $0.name == name })
    // Some readers wait for bash, which needs one of the threads that tests share.
    await onOwnThread {
      var numbers = SeededNumbers(seed: 11)
      for seed in reader.seeds {
        reader.read(seed)
        for _ in 0..<20 { reader.read(Self.damaged(seed, &numbers)) }
      }
    }
  }

  private static func damaged(_ seed: [UInt8], _ numbers: inout SeededNumbers) -> [UInt8] {
    var bytes = seed
    for _ in 0...numbers.below(4) {
      let place = numbers.below(bytes.count + 1)
      switch numbers.below(5) {
      case 0: bytes.insert(UInt8(numbers.below(256)), at: place)
      case 1: bytes.removeSubrange(place...)
      case 2: bytes += seed.prefix(place)
      case 3 where place < bytes.count:
        bytes[place] = [0, 0x7F, 0xFF, UInt8(numbers.below(256))][numbers.below(4)]
      default: if place < bytes.count { bytes.remove(at: place) }
      }
    }
    return bytes
  }
}
