// SPDX-License-Identifier: GPL-2.0-or-later

import Glibc
import Host
import SystemPackage
import TestSupport
import Testing

@Suite struct LinesTests {
  private func lines(of bytes: [UInt8]) async throws -> [[UInt8]] {
    let directory = try TemporaryDirectory()
    let file = directory.path.appending("input")
    try Files.write(bytes, to: file)
    let descriptor = try FileDescriptor.open(file, .readOnly)
    defer { try? descriptor.close() }
    return try await descriptor.lines()
  }

  @Test func linesOfAStream() async throws {
    #expect(try await lines(of: Array("one\ntwo\n".utf8)) == [Array("one".utf8), Array("two".utf8)])
  }

  @Test func lastLineNeedsNoEnd() async throws {
    #expect(try await lines(of: Array("one\ntwo".utf8)) == [Array("one".utf8), Array("two".utf8)])
  }

  @Test func emptyStreamHasNone() async throws {
    #expect(try await lines(of: []).isEmpty)
  }

  @Test func bytesThatAreNotTextStayAsTheyAre() async throws {
    #expect(try await lines(of: [0x61, 0xFF, 0x62, 0x0A, 0x63]) == [[0x61, 0xFF, 0x62], [0x63]])
  }

  @Test func manyLines() async throws {
    let expected = (0..<100_000).map { "usr/lib/modules/6.1.0/kernel/drivers/module-\($0).ko" }
    #expect(
      try await lines(of: Array(expected.joined(separator: "\n").utf8)) == expected.map { Array($0.utf8) })
  }

  @Test func pipeIsReadToItsEnd() async throws {
    let (readEnd, writeEnd) = try FileDescriptor.pipe()
    let expected = (0..<20_000).map { "line \($0)" }
    async let lines = readEnd.lines()
    // Writing waits for the reader, which needs one of the threads that tests share.
    await onOwnThread {
      try? writeEnd.closeAfter { _ = try writeEnd.writeAll(Array(expected.joined(separator: "\n").utf8)) }
    }
    #expect(try await lines == expected.map { Array($0.utf8) })
    try readEnd.close()
  }

  @Test func unreadableStreamIsAnError() async throws {
    let descriptor = try FileDescriptor.open("/tmp", .readOnly, options: [.directory])
    await #expect(throws: HostError.self) { try await descriptor.lines() }
    try descriptor.close()
  }

  @Test func nobodyWaitsForAWriterAnyLongerThanTheTask() async throws {
    let (readEnd, writeEnd) = try FileDescriptor.pipe()
    let reading = Task { try await readEnd.lines() }
    _ = try writeEnd.writeAll(Array("half a li".utf8))
    reading.cancel()
    let error = await #expect(throws: HostError.self) { try await reading.value }
    #expect(error == HostError("read", "standard input", .interrupted))
    for end in [readEnd, writeEnd] { try end.close() }
  }

  @Test func streamWithoutEndIsTooLarge() async throws {
    let zeros = try FileDescriptor.open("/dev/zero", .readOnly)
    let error = await #expect(throws: HostError.self) { try await zeros.lines() }
    #expect(error?.description == "cannot read standard input: it is too large: more than 65536 KiB")
    try zeros.close()
  }

  @Test func pipeIsNoFileToReadLineByLine() throws {
    let directory = try TemporaryDirectory()
    let pipe = directory.path.appending("pipe")
    try #require(mkfifo(pipe.string, 0o600) == 0)
    let error = #expect(throws: HostError.self) { _ = try LineReader(pipe) }
    #expect(error == HostError("read", pipe, .notAFile(.other)))
  }
}
