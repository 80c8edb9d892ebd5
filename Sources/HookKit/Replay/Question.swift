// SPDX-License-Identifier: GPL-2.0-or-later

internal import Host
internal import SystemPackage

/// A question that only a yes answers.
enum Question {
  static func ask(_ text: String, _ console: Console, _ input: FileDescriptor) -> Bool {
    console.print("\(text) [y/N]")
    var answer: [UInt8] = []
    var byte: [UInt8] = [0]
    while answer.count < 16, let count = try? byte.withUnsafeMutableBytes({ try input.read(into: $0) }),
      count == 1, byte[0] != UInt8(ascii: "\n")
    {
      answer += byte
    }
    return ["y", "yes"].contains(String(decoding: answer, as: UTF8.self).lowercased())
  }
}
