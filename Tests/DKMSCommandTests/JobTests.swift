// SPDX-License-Identifier: GPL-2.0-or-later

import SystemPackage
import TestSupport
import Testing

/// How many compilers run at once in real builds of several modules.
@Suite(.requiresRoot, .requiresKernelHeaders)
struct JobTests {
  private static let modules = ["acpi-call", "dm-writeboost", "v4l2loopback"]

  /// A machine with modules to build, whose compiler notes when it begins and ends.
  private func machine() async throws -> MountedMachine {
    let machine = try await Prepared.sources()
    for module in Self.modules {
      try await machine.dkms("add \(try await machine.addRealModule(module))").expect(0)
    }
    let compiler = try compiler(of: Kernels.first)
    // Only compilations of files count: kbuild also asks the compiler what it can do.
    try machine.addScript(
      """
      run() { (PATH=${PATH#/etc/dkms/bin:}; exec "${0##*/}" "$@"); }
      [[ $* == *' -c '* && $* != *'/dev/null'* ]] || { run "$@"; exit; }
      echo begin >> /etc/dkms/compilations
      sleep 0.3
      run "$@"
      status=$?
      echo end >> /etc/dkms/compilations
      exit $status
      """, at: "etc/bin/\(compiler)")
    return machine
  }

  /// The compiler that a kernel was built with.
  private func compiler(of kernel: String) throws -> String {
    let configuration = try #require(
      Disk.text(TestParts.headers(of: kernel).appending(FilePath("include/config/auto.conf").components)))
    let line = try #require(
      configuration.split(separator: "\n").first { $0.hasPrefix("CONFIG_CC_VERSION_TEXT=") })
    let name = line.split(separator: "=")[1].split { $0 == " " || $0 == "\"" }.first
    return String(try #require(name))
  }

  private static let environment = ["PATH": "/etc/dkms/bin:/usr/local/sbin:/usr/sbin:/usr/bin"]

  /// The most that have run at once of what a machine has noted.
  private func most(on machine: MountedMachine) throws -> (most: Int, total: Int) {
    var (now, most, total) = (0, 0, 0)
    for line in try machine.text("etc/compilations").split(separator: "\n") {
      now += line == "begin" ? 1 : -1
      total += line == "begin" ? 1 : 0
      most = max(most, now)
    }
    #expect(now == 0)
    return (most, total)
  }

  private func expectAllBuilt(on machine: MountedMachine) async throws {
    let status = try await machine.dkms("status").expect(0).lines
    #expect(status.count { $0.hasSuffix("\(Kernels.first), x86_64: installed") } == 3, "\(status)")
  }

  @Test("No more than there are jobs", arguments: [1, 2, 3])
  func limit(_ jobs: Int) async throws {
    let machine = try await machine()
    let words = "autoinstall -j \(jobs) -k \(Kernels.first)"
    try await machine.dkms(words, environment: Self.environment).expect(0)
    try await expectAllBuilt(on: machine)
    let (most, total) = try most(on: machine)
    #expect(most <= jobs && total >= 6, "\(most) of \(total)")
    #expect(most > 1 || jobs == 1, "builds run beside each other")
  }

  @Test("In a recipe of another make, its jobs are taken, and all are given back")
  func joined() async throws {
    let machine = try await machine()
    // The recipes beside it take jobs, too.
    try machine.write(
      """
      all: modules a b c d e f
      modules:
      \t+/mnt/dkms autoinstall -k \(Kernels.first)
      a b c d e f:
      \t@echo begin >> /etc/dkms/compilations; sleep 0.5; echo end >> /etc/dkms/compilations
      """, to: "etc/Makefile")
    let run = try await machine.shell("make -j3 -C /etc/dkms", environment: Self.environment)
    #expect(
      run.status == 0 && !run.errorOutput.contains("jobserver") && !run.errorOutput.contains("INTERNAL"),
      "\(run)")
    try await expectAllBuilt(on: machine)
    let (most, total) = try most(on: machine)
    #expect((2...3).contains(most) && total >= 12, "\(most) of \(total)")
  }

  @Test("A number that is typed is stronger than another make's")
  func typed() async throws {
    let machine = try await machine()
    try machine.write(
      "all:\n\t+/mnt/dkms autoinstall -j 1 -k \(Kernels.first)\n", to: "etc/Makefile")
    let run = try await machine.shell("make -j3 -C /etc/dkms", environment: Self.environment)
    #expect(run.status == 0, "\(run)")
    try await expectAllBuilt(on: machine)
    #expect(try most(on: machine).most == 1)
  }
}
