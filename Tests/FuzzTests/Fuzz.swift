// SPDX-License-Identifier: GPL-2.0-or-later

import Glibc
import Host
import SystemPackage

/// Feeds one reader with what libFuzzer makes up: `fuzz READER [OPTION…] [CORPUS…]`; `fuzz` alone lists the readers.
///
/// Compiled with the sanitizer of that name, and not as a test: `make fuzz`.
@main
enum Fuzz {
  nonisolated(unsafe) static var reader: Reader?

  static func main() throws {
    guard CommandLine.argc > 1 else {
      for reader in Reader.all { print(reader.name) }
      return
    }
    let name = CommandLine.arguments[1]
    guard let reader = Reader.all.first(where: { $0.name == name }) else {
      let names = Reader.all.map(\.name).joined(separator: ", ")
      _ = try? FileDescriptor.standardError.writeAll(
        Array("fuzz: there is no reader '\(name)'; there are \(names)\n".utf8))
      exit(2)
    }
    Fuzz.reader = reader
    // The last argument is the corpus; what it begins with are the seeds.
    if let corpus = CommandLine.arguments.dropFirst(2).last, !corpus.hasPrefix("-") {
      try Files.makeDirectories(FilePath(corpus))
      for (index, seed) in reader.seeds.enumerated() {
        try Files.write(seed, to: FilePath(corpus).appending("seed-\(index)"))
      }
    }
    var count = CommandLine.argc - 1
    var arguments = CommandLine.unsafeArgv + 1
    _ = runDriver(&count, &arguments, read)
  }
}

/// libFuzzer's own loop.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// Reads one input; libFuzzer knows it by this name, too.
@_cdecl("LLVMFuzzerTestOneInput")
func read(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  Fuzz.reader?.read(Array(UnsafeBufferPointer(start: data, count: size)))
  return 0
}
