// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import SystemPackage
import TestSupport
import Testing

@Suite struct LinesTests {
  private func lines(of bytes: [UInt8]) throws -> [[UInt8]] {
    let directory = try TemporaryDirectory()
    let file = directory.path.appending("input")
    try Files.write(bytes, to: file)
    let descriptor = try FileDescriptor.open(file, .readOnly)
    return try descriptor.closeAfter { try descriptor.lines() }
  }

  @Test func linesOfAStream() throws {
    #expect(try lines(of: Array("one\ntwo\n".utf8)) == [Array("one".utf8), Array("two".utf8)])
  }

  @Test func lastLineNeedsNoEnd() throws {
    #expect(try lines(of: Array("one\ntwo".utf8)) == [Array("one".utf8), Array("two".utf8)])
  }

  @Test func emptyStreamHasNone() throws {
    #expect(try lines(of: []).isEmpty)
  }

  @Test func bytesThatAreNotTextStayAsTheyAre() throws {
    #expect(try lines(of: [0x61, 0xFF, 0x62, 0x0A, 0x63]) == [[0x61, 0xFF, 0x62], [0x63]])
  }

  @Test func manyLines() throws {
    let expected = (0..<100_000).map { "usr/lib/modules/6.1.0/kernel/drivers/module-\($0).ko" }
    #expect(try lines(of: Array(expected.joined(separator: "\n").utf8)) == expected.map { Array($0.utf8) })
  }

  @Test func pipeIsReadToItsEnd() async throws {
    let (readEnd, writeEnd) = try FileDescriptor.pipe()
    let expected = (0..<20_000).map { "line \($0)" }
    async let lines = readEnd.lines()
    try writeEnd.closeAfter { _ = try writeEnd.writeAll(Array(expected.joined(separator: "\n").utf8)) }
    #expect(try await lines == expected.map { Array($0.utf8) })
    try readEnd.close()
  }

  @Test func unreadableStreamIsAnError() throws {
    let descriptor = try FileDescriptor.open("/tmp", .readOnly, options: [.directory])
    #expect(throws: HostError.self) { try descriptor.lines() }
    try descriptor.close()
  }
}
