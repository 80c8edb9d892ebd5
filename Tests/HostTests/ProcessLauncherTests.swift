// SPDX-License-Identifier: GPL-2.0-or-later

import Glibc
import Host
import SystemPackage
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(60))) struct ProcessLauncherTests {
  private let launcher = ProcessLauncher()
  private static let path = ["PATH": "/usr/local/bin:/usr/bin:/bin"]

  private func shell(_ script: String) -> Command {
    Command("sh", ["-c", script], environment: Self.path)
  }

  @Test func whatPrintsWithoutEndIsStopped() async throws {
    for stream in [1, 2] {
      let command = Command(
        "sh", ["-c", "exec cat /dev/zero >&\(stream)"], environment: ["PATH": "/usr/bin:/bin"],
        outputLimit: 1 << 20)
      let result = try await ProcessLauncher().run(command)
      #expect(result.termination == .tooLoud(limit: 1 << 20))
      #expect(result.output.count + result.errorOutput.count == 1 << 20)
    }
  }

  @Test func aChildThatLiesAboutItsOutputIsStopped() async throws {
    let command = Command(
      "sh", ["-c", "truncate -s 9223372036854775807 /dev/stdout /dev/stderr; sleep 300"],
      environment: ["PATH": "/usr/bin:/bin"])
    let result = try await ProcessLauncher().run(command)
    #expect(result.termination == .tooLoud(limit: Command.usualOutputLimit))
  }

  @Test(arguments: [0, 1, 77, 255] as [Int32])
  func statusIsTheChilds(_ status: Int32) async throws {
    let result = try await launcher.run(shell("exit \(status)"))
    #expect(result.termination == .exited(status))
    #expect(result.status == status)
    #expect(result.isSuccess == (status == 0))
  }

  @Test(arguments: [SIGTERM, SIGKILL, SIGINT])
  func signalIsTold(_ signal: Int32) async throws {
    let result = try await launcher.run(shell("kill -\(signal) $$; sleep 60"))
    #expect(result.termination == .signalled(signal))
    #expect(result.status == 128 + signal)
    #expect(!result.isSuccess)
  }

  @Test func streamsAreCapturedApart() async throws {
    let result = try await launcher.run(shell("echo one; echo two >&2; echo three; printf four >&2"))
    #expect(result.text == "one\nthree\n")
    #expect(result.errorText == "two\nfour")
  }

  @Test func bytesAreKeptAsTheyAre() async throws {
    let result = try await launcher.run(shell(#"printf 'a\0b\377\n'"#))
    #expect(result.output == [0x61, 0, 0x62, 0xFF, 0x0A])
    #expect(result.text == "a\0b\u{FFFD}\n")
  }

  @Test func muchOutputOnBothStreams() async throws {
    let result = try await launcher.run(
      shell("head -c 1048576 /dev/zero & head -c 2097152 /dev/zero >&2; wait"))
    #expect(result.isSuccess)
    #expect(result.output.count == 1 << 20)
    #expect(result.errorOutput.count == 2 << 20)
  }

  @Test func outputIsAppendedToAFile() async throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write("before\n", to: "log")
    let descriptor = try FileDescriptor.open(file, .writeOnly, options: [.append, .closeOnExec])
    var command = shell("echo one; echo two >&2")
    command.output = .appended(descriptor)
    let result = try await launcher.run(command)
    try descriptor.close()
    #expect(result.output.isEmpty && result.errorOutput.isEmpty)
    #expect(Disk.text(file) == "before\none\ntwo")
  }

  @Test(arguments: ["alpm-dkms-no-such-program", "/nonexistent/program", "/etc/passwd"])
  func programThatCannotBeStartedIsAnError(_ program: String) async throws {
    let error = try await #require(throws: HostError.self) {
      try await launcher.run(Command(program, environment: Self.path))
    }
    #expect(error.operation == "start")
    #expect(error.path == FilePath(program))
    #expect(error.errno == (program == "/etc/passwd" ? .permissionDenied : .noSuchFileOrDirectory))
  }

  @Test func programIsFoundInThePathOfTheCommand() async throws {
    let directory = try TemporaryDirectory()
    for (name, text) in [("first", "one"), ("second", "two")] {
      try Files.makeDirectories(directory.path.appending(name))
      // Written by a process of its own: children of other tests may hold what this one has open, and then it is busy.
      let tool = directory.path.appending("\(name)/alpm-dkms-tool")
      let made = try await launcher.run(
        shell("printf '#!/bin/sh\\necho \(text)\\n' > '\(tool)' && chmod 755 '\(tool)'"))
      #expect(made.status == 0)
    }
    let search = ["missing", "second", "first"].map { "\(directory.path)/\($0)" }.joined(separator: ":")
    let result = try await launcher.run(Command("alpm-dkms-tool", environment: ["PATH": search]))
    #expect(result.text == "two\n")
  }

  @Test func directoryIsTheOneAskedFor() async throws {
    let directory = try TemporaryDirectory()
    var command = Command("pwd", ["-P"], environment: Self.path)
    #expect(try await launcher.run(command).text == "/\n")
    command.directory = directory.path
    #expect(try await launcher.run(command).text == "\(directory.path)\n")
  }

  @Test func environmentIsExactlyTheOneGiven() async throws {
    let environment = ["ONE": "1", "TWO": "a=b c", "EMPTY": ""]
    let result = try await launcher.run(Command("/usr/bin/env", environment: environment))
    #expect(result.text.split(separator: "\n").sorted() == ["EMPTY=", "ONE=1", "TWO=a=b c"])
  }

  @Test func argumentsArriveWhole() async throws {
    let arguments = ["", "a b", "$HOME", "'quoted'", "line\nbreak", "ü"]
    let result = try await launcher.run(
      Command("/usr/bin/printf", ["%s|"] + arguments, environment: Self.path))
    #expect(result.text == arguments.map { "\($0)|" }.joined())
  }

  @Test func standardInputIsEmpty() async throws {
    let result = try await launcher.run(shell("readlink /proc/self/fd/0; cat"))
    #expect(result.text == "/dev/null\n")
  }

  @Test func signalsAreNotInheritedAsBlockedOrIgnored() async throws {
    let result = try await launcher.run(
      Command("grep", ["-E", "^Sig(Blk|Ign):", "/proc/self/status"], environment: Self.path))
    let masks = result.text.split(separator: "\n").compactMap { $0.split(separator: "\t").last }
      .compactMap { UInt64($0, radix: 16) }
    // The two above bit 31 are glibc's own.
    #expect(masks.map { $0 & 0x7FFF_FFFF } == [0, 0])
  }

  @Test func descriptorsAreHandedOver() async throws {
    let directory = try TemporaryDirectory()
    let one = try open(directory.write("one", to: "one"))
    let two = try open(directory.write("two", to: "two"))
    defer { for descriptor in [one, two] { try? descriptor.close() } }
    var command = shell("cat /proc/self/fd/50; echo; cat /proc/self/fd/51")
    command.descriptors = [50: one, 51: two]
    #expect(try await launcher.run(command).text == "one\ntwo")
  }

  @Test func descriptorsMayChangeTheirNumbersAmongThemselves() async throws {
    let directory = try TemporaryDirectory()
    let one = try open(directory.write("one", to: "one"))
    let two = try open(directory.write("two", to: "two"))
    defer { for descriptor in [one, two] { try? descriptor.close() } }
    var command = shell("cat /proc/self/fd/\(one.rawValue); echo; cat /proc/self/fd/\(two.rawValue)")
    command.descriptors = [one.rawValue: two, two.rawValue: one]
    #expect(try await launcher.run(command).text == "two\none")
  }

  @Test func descriptorMayKeepItsNumber() async throws {
    let directory = try TemporaryDirectory()
    let one = try open(directory.write("one", to: "one"))
    defer { try? one.close() }
    var command = shell("cat /proc/self/fd/\(one.rawValue)")
    command.descriptors = [one.rawValue: one]
    #expect(try await launcher.run(command).text == "one")
  }

  @Test func nothingElseIsHandedOver() async throws {
    let directory = try TemporaryDirectory()
    let one = try open(directory.write("one", to: "one"))
    defer { try? one.close() }
    let result = try await launcher.run(shell("ls -l /proc/self/fd"))
    #expect(!result.text.contains(directory.path.string))
  }

  @Test func whatThisProcessWasGivenIsNotHandedOver() async throws {
    let directory = try TemporaryDirectory()
    let one = try FileDescriptor.open(directory.write("one", to: "one"), .readOnly)
    defer { try? one.close() }
    var command = shell("ls -l /proc/self/fd; cat <&3")
    #expect(try await !launcher.run(command).text.contains(directory.path.string))
    let two = try open(directory.write("two", to: "two"))
    defer { try? two.close() }
    command.descriptors = [3: two]
    let text = try await launcher.run(command).text
    #expect(text.contains("\(directory.path)/two") && text.hasSuffix("\ntwo"))
    #expect(!text.contains("\(directory.path)/one"))
  }

  private func open(_ path: FilePath) throws -> FileDescriptor {
    try FileDescriptor.open(path, .readOnly, options: [.closeOnExec])
  }
}
