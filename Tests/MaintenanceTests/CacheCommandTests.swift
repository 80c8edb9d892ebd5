// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import JSON
import Journal
import SystemPackage
import SystemSupport
import TestSupport
import Testing

@testable import DKMSEngine
@testable import Hooks
@testable import Maintenance

/// What hooks keep in the cache, and what `alpm-dkms cache` makes of it.
@Suite struct CacheCommandTests {
  private let system: HookedSystem
  private let cache: BuildCache

  init() throws {
    system = try HookedSystem()
    cache = BuildCache(system.layout)
    try system.addKernel("6.1.0")
    let headers = "usr/lib/modules/6.1.0/build"
    try system.directory.write("0x1 printk vmlinux EXPORT_SYMBOL\n", to: "\(headers)/Module.symvers")
    try system.directory.write("CONFIG_X=y\n", to: "\(headers)/include/config/auto.conf")
  }

  /// A source whose compilations are counted.
  private func addSource(_ name: String) throws -> ModuleID {
    try system.addSource(name, "1.0", conf: "MAKE[0]+='; echo >> \(counter)'")
  }

  private var counter: FilePath { system.directory.path.appending("compilations") }

  private var compilations: Int { ((try? Files.contents(counter)) ?? nil)?.count ?? 0 }

  private func install() async throws {
    #expect(try await system.run(InstallHook.self, "usr/lib/modules/6.1.0/vmlinuz") == 0)
  }

  private func run(_ mode: CacheCommand.Mode, printsJSON: Bool = false) async -> Int32 {
    await CacheCommand(mode, printsJSON: printsJSON).run(layout: system.layout, host: system.host)
  }

  @Test func reinstalledModuleComesFromTheCache() async throws {
    let id = try addSource("hello")
    try await install()
    try system.removeSource(id)
    #expect(try await system.run(KeepHook.self, "usr/src/hello-1.0/dkms.conf") == 0)
    #expect(try await system.run(InstallHook.self, "usr/src/hello-1.0/dkms.conf") == 0)
    #expect(system.state[id] == nil && system.installed("hello", "6.1.0") == nil)

    #expect(try addSource("hello") == id)
    #expect(try await system.run(InstallHook.self, "usr/src/hello-1.0/dkms.conf") == 0)
    #expect(compilations == 1)
    #expect(system.installed("hello", "6.1.0") == "text of hello/1.0")
    #expect(system.transcript.output.contains("  -> hello/1.0 for 6.1.0: built, from the cache"))
    let journal = Journal(system.layout)
    let outcomes = try journal.record(journal.numbers.last ?? 0).work.outcomes
    #expect(outcomes?.contains { $0.isCached } == true)
  }

  @Test func buildsAreListedTheLatestFirst() async throws {
    for name in ["first", "second"] {
      _ = try addSource(name)
      try await install()
    }
    let names = try cache.names()
    for (time, name) in zip([2_000_000, 1_000_000], try names.sorted { try name(of: $0) < name(of: $1) }) {
      try Disk.setTime(of: cache.path(name), to: time)
    }
    #expect(await run(.list) == 0)
    let lines = system.transcript.output.suffix(3)
    #expect(lines.map { $0.contains("first/1.0 for 6.1.0") } == [true, false, false])
    #expect(lines.map { $0.contains("second/1.0 for 6.1.0") } == [false, true, false])
    #expect(lines.last?.hasPrefix("==> 2 builds, ") == true && lines.last?.hasSuffix(" of 1.00 GiB") == true)
    #expect(try cache.names() == names)
  }

  private func name(of entry: String) throws -> String { try cache.entry(entry)?.id.name ?? "" }

  @Test(arguments: ["modules/first.ko", "manifest"])
  func damagedBuildsAreDropped(_ file: String) async throws {
    for name in ["first", "second"] { _ = try addSource(name) }
    try await install()
    let damaged = try #require(try cache.names().first { try name(of: $0) == "first" })
    try Files.write([], to: cache.path(damaged).appending(FilePath(file).components))
    #expect(await run(.list) == 0)
    #expect(try cache.names().count == 2, "looking changes nothing")
    #expect(await run(.verify, printsJSON: true) == 0)
    let json = try JSONParser.parse(Array(system.transcript.output.last?.utf8 ?? "".utf8))
    #expect(try JSONSchema("cache").faults(in: json) == [])
    guard case .array(let builds)? = json["builds"] else { throw JournalError.usage("no builds") }
    #expect(
      Set(builds.map { [$0["name"], $0["whole"], $0["removed"]] }) == [
        [.string(damaged), .bool(false), .bool(true)],
        [.string(try #require(cache.names().first)), .bool(true), .bool(false)],
      ])
    #expect(try cache.names().map(name) == ["second"])
  }

  @Test func clearingTakesNothingFromTheKernel() async throws {
    _ = try addSource("hello")
    try await install()
    #expect(await run(.clear) == 0)
    #expect(Disk.list(cache.directory) == [])
    #expect(system.installed("hello", "6.1.0") == "text of hello/1.0")
    #expect(await run(.list) == 0)
    #expect(system.transcript.output.last == "==> 0 builds, 0 B of 1.00 GiB")
    try await install()
    #expect(compilations == 1, "what is installed is not built again")
  }

  @Test func settingsAreFollowed() async throws {
    try system.directory.write("uncached = first\n", to: "etc/alpm-dkms.conf")
    for name in ["first", "second"] { _ = try addSource(name) }
    try await install()
    #expect(try cache.names().map(name) == ["second"])
    try system.directory.write("cache = no\ncache-size = none\n", to: "etc/alpm-dkms.conf")
    #expect(await run(.list) == 0)
    #expect(system.transcript.output.last?.hasSuffix("; the cache is not used") == true)
  }

  @Test func onlyRootLooksIn() async throws {
    var user = system
    user.isRoot = false
    #expect(await CacheCommand().run(layout: user.layout, host: user.host) == 1)
    #expect(system.transcript.error == ["==> ERROR: cannot look into the cache: this needs root"])
  }
}
