// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Glibc
import Host
import SystemPackage
import TestSupport
import Testing

@testable import DKMSEngine

/// Builds that are taken from the cache, and those that are not; the "compiler" is a copy that is counted.
@Suite(.timeLimit(.minutes(60))) struct BuildCacheTests {
  private let bench: CacheBench

  init() throws { bench = try CacheBench() }

  @Test func theSameIsBuiltOnce() async throws {
    let first = try await bench.build()
    #expect(first.outcomes.map(\.isCached) == [false, false])
    let product = try bench.keepProduct()
    let again = try await bench.rebuild()
    #expect(again.outcomes.map(\.isCached) == [true])
    #expect(bench.compilations == 1)
    #expect(try bench.productIs(product))
    #expect(bench.machine.dkmsListing.filter { $0.contains(".tmp_") }.isEmpty)
    let log = try #require(bench.machine.makeLog(bench.id, bench.kernel))
    #expect(log.hasPrefix("DKMS (dkms-3.4.3) make.log for hello/1.0 for kernel 6.1.0 (x86_64)\n"))
    #expect(log.contains("come from the cache") && log.contains("# command: cp text hello.ko"))
  }

  /// What of a build is changed alone.
  enum Change: CaseIterable {
    case file, newFile, emptyDirectory, executableBit, link, command, strip, override, directive, overlay
    case administratorsScript, symbols, configuration, compilerOfTheKernel, generatedHeader, compiler
    case variable, dependency, sourceOfTheDependency, newLink
  }

  @Test(arguments: Change.allCases)
  func whateverChangesIsBuiltAnew(_ change: Change) async throws {
    var bench = bench
    try await bench.addDependency()
    #expect(try await bench.build().failures.isEmpty)
    #expect(try await bench.rebuild().outcomes.last?.isCached == true)
    try await bench.make(change)
    let report = try await bench.rebuild()
    #expect(report.failures.isEmpty && report.outcomes.last?.isCached == false, "\(report)")
    #expect(bench.compilations == 2)
    #expect(try await bench.rebuild().outcomes.last?.isCached == true, "this is kept, too")
  }

  @Test func timesAndOwnersDoNotMatter() async throws {
    #expect(try await bench.build().failures.isEmpty)
    let file = bench.machine.layout.source(bench.id).appending("text")
    try Disk.setTime(of: file, to: 1_000_000)
    #expect(try await bench.rebuild().outcomes.last?.isCached == true)
  }

  @Test func variablesOfTheTerminalDoNotMatter() async throws {
    var bench = bench
    #expect(try await bench.build().failures.isEmpty)
    for name in ["TERM", "SSH_TTY", "LC_ALL", "SHLVL"] { bench.machine.environment[name] = "other" }
    #expect(try await bench.rebuild().outcomes.last?.isCached == true)
  }

  // MARK: Damage

  enum Damage: CaseIterable { case changed, truncated, missing, directory }

  @Test(
    arguments: ["manifest", "make.log", "Module.symvers", "modules/hello.ko"], Damage.allCases)
  func damagedEntryIsBuiltAnew(_ file: String, _ damage: Damage) async throws {
    #expect(try await bench.build().failures.isEmpty)
    let product = try bench.keepProduct()
    let path = bench.cache.path(try #require(bench.entries.first)).appending(FilePath(file).components)
    let bytes = try Files.read(path)
    try Files.remove(path)
    switch damage {
    case .changed: try Files.write(bytes.dropLast() + [bytes[bytes.count - 1] ^ 1], to: path)
    case .truncated: try Files.write(Array(bytes.dropLast(2)), to: path)
    case .missing: break
    case .directory: try Files.makeDirectories(path)
    }
    #expect(try await bench.rebuild().outcomes.last?.isCached == false)
    #expect(bench.compilations == 2)
    #expect(try bench.productIs(product))
    #expect(try bench.entries.allSatisfy(bench.cache.isWhole))
    #expect(try await bench.rebuild().outcomes.last?.isCached == true)
  }

  /// What an entry says of itself may be wrong though every digest is right.
  enum Lie: CaseIterable {
    case vermagic, module, kernel, owner, additionalModule, otherModule

    var modules: [String] {
      switch self {
      case .additionalModule: ["modules/hello.ko", "modules/more.ko"]
      case .otherModule: ["modules/more.ko"]
      default: ["modules/hello.ko"]
      }
    }
  }

  @Test(arguments: Lie.allCases)
  func entryThatDoesNotFitIsBuiltAnew(_ lie: Lie) async throws {
    #expect(try await bench.build().failures.isEmpty)
    #expect(try await bench.rebuild().outcomes.last?.isCached == true)
    try bench.rewriteEntry(lie)
    #expect(try await bench.rebuild(owner: "linux 2").outcomes.last?.isCached == false)
    #expect(bench.compilations == 2)
  }

  @Test func theCacheIsNotUsedWhereOthersCanWriteToIt() async throws {
    #expect(try await bench.build().failures.isEmpty)
    chmod(bench.cache.directory.string, 0o777)
    #expect(try await bench.rebuild().outcomes.last?.isCached == false)
    chmod(bench.cache.directory.string, 0o700)
    #expect(try await bench.rebuild().outcomes.last?.isCached == true)
  }

  @Test func aCacheThatCannotBeMadeIsNoFailure() async throws {
    try Files.write([], to: bench.cache.directory)
    for _ in 0..<2 {
      let report = try await bench.rebuild()
      #expect(report.failures.isEmpty && report.warnings.isEmpty)
      #expect(report.outcomes.allSatisfy { !$0.isCached })
    }
    #expect(bench.compilations == 2)
  }

  @Test func clearingLosesNoModule() async throws {
    #expect(try await bench.machine.install(bench.id, bench.kernel).failures.isEmpty)
    for name in bench.entries { try bench.cache.discard(name) }
    #expect(bench.entries.isEmpty && Disk.list(bench.cache.directory).isEmpty)
    #expect(bench.machine.installed("hello.ko", bench.kernel) == "text")
    #expect(bench.machine.state[bench.id]?.build(for: bench.kernel)?.isInstalled == true)
    #expect(try await bench.rebuild().outcomes.last?.isCached == false)
  }

  @Test func whatAKilledRunLeftIsSwept() async throws {
    let left = bench.cache.directory.appending("alpm-dkms-call.abcdef/entry/modules")
    try Files.makePrivateDirectory(bench.cache.directory)
    try Files.makePrivateDirectory(left.removingLastComponent().removingLastComponent())
    try Files.makeDirectories(left)
    #expect(try await bench.build().failures.isEmpty)
    #expect(Disk.list(bench.cache.directory) == bench.entries)
  }

  // MARK: What is kept, and how much

  @Test func theLeastRecentlyUsedGoesFirst() async throws {
    var bench = bench
    var names: [String] = []
    for number in 1...3 {
      try bench.setText(number)
      #expect(try await bench.rebuild(at: 1000 + number).outcomes.last?.isCached == false)
      names += bench.entries.filter { !names.contains($0) }
    }
    // The first is used again, so the second is the oldest; a fourth fits only without it.
    try bench.setText(1)
    #expect(try await bench.rebuild(at: 2000).outcomes.last?.isCached == true)
    let sizes = try bench.entries.map { try Files.diskUsage(bench.cache.path($0)) }
    bench.machine.options.cache?.limit = sizes.reduce(0, +) + sizes[0] / 2
    try bench.setText(4)
    #expect(try await bench.rebuild(at: 2001).outcomes.last?.isCached == false)
    #expect(bench.entries.count == 3 && !bench.entries.contains(names[1]))
  }

  @Test func whatIsLargerThanTheCacheIsNotKept() async throws {
    var bench = bench
    bench.machine.options.cache?.limit = 100
    #expect(try await bench.build().failures.isEmpty)
    #expect(bench.entries.isEmpty)
  }

  @Test(arguments: ["hello", "hel*", "renamed-module"])
  func excludedModulesAreBuiltEachTime(_ pattern: String) async throws {
    var bench = bench
    try bench.addModule(conf: "DEST_MODULE_NAME[0]=renamed_module\n")
    bench.machine.options.cache?.excluded = [NamePattern("other"), NamePattern(pattern)]
    for _ in 0..<2 { #expect(try await bench.rebuild().outcomes.last?.isCached == false) }
    #expect(bench.entries.isEmpty && bench.compilations == 2)
  }

  @Test func nothingIsKeptWhereTheCacheIsOff() async throws {
    var bench = bench
    bench.machine.options.cache?.isUsed = false
    for _ in 0..<2 { #expect(try await bench.rebuild().outcomes.last?.isCached == false) }
    #expect(bench.entries.isEmpty && bench.compilations == 2)
  }

  enum Outside: CaseIterable { case linkOut, pipe, buildsInSource, noSymbols }

  @Test(arguments: Outside.allCases)
  func whatReachesOutsideIsBuiltEachTime(_ outside: Outside) async throws {
    let source = bench.machine.layout.source(bench.id)
    switch outside {
    case .linkOut: try Files.link(source.appending("more"), to: "../other-1.0/more.h")
    case .pipe: mkfifo(source.appending("pipe").string, 0o600)
    case .buildsInSource: try bench.addModule(conf: "MAKE[0]+='; : \(source)'\n")
    case .noSymbols: try Files.remove(bench.headers.appending("Module.symvers"))
    }
    for _ in 0..<2 {
      let report = try await bench.rebuild()
      #expect(report.failures.isEmpty && report.outcomes.last?.isCached == false)
    }
    #expect(bench.entries.isEmpty && bench.compilations == 2)
  }

  @Test func failedBuildIsNotKept() async throws {
    try bench.addModule(conf: "MAKE[0]+='; false'\n")
    #expect(try await !bench.build().failures.isEmpty)
    #expect(bench.entries.isEmpty)
  }

  @Test func aSourceThatChangesDuringItsBuildIsNotKept() async throws {
    let text = bench.machine.layout.source(bench.id).appending("text")
    // The name of the source in the command would already keep it out.
    let link = bench.machine.directory.path.appending("elsewhere")
    try Files.link(link, to: text)
    try bench.addModule(conf: "MAKE[0]+='; echo more >> \(link)'\n")
    #expect(try await bench.build().failures.isEmpty)
    #expect(bench.entries.isEmpty)
  }

  @Test func forcedBuildIsDoneAndKept() async throws {
    #expect(try await bench.build().failures.isEmpty)
    let entry = bench.cache.path(try #require(bench.entries.first)).appending("modules/hello.ko")
    let before = try Files.identity(entry)
    _ = try await bench.machine.unbuild(bench.id, bench.kernel)
    let report = try await bench.machine.forced.build(bench.id, bench.kernel)
    #expect(report.failures.isEmpty && report.outcomes.last?.isCached == false)
    #expect(bench.compilations == 2)
    #expect(try Files.identity(entry)?.inode != before?.inode, "the new build is kept")
    #expect(try await bench.rebuild().outcomes.last?.isCached == true)
  }

  // MARK: Scripts

  @Test func preBuildRunsOnlyWhereSomethingIsCompiled() async throws {
    let ran = bench.machine.directory.path.appending("ran")
    try bench.addModule(
      conf: "PRE_BUILD=pre.sh\n", files: ["pre.sh": "#!/bin/sh\necho pre >> \(ran)\necho made > text\n"])
    #expect(try await bench.build().failures.isEmpty)
    let product = try bench.keepProduct()
    #expect(try await bench.rebuild().outcomes.last?.isCached == true)
    #expect(Disk.text(ran) == "pre")
    #expect(Disk.text(bench.machine.product("hello.ko", bench.id, bench.kernel)) == "made")
    #expect(try bench.productIs(product))
  }

  @Test func postBuildRunsEachTimeAndFindsWhatTheBuildLeft() async throws {
    let ran = bench.machine.directory.path.appending("ran")
    let post = """
      #!/bin/sh
      cat object deep/text $module.ko >> \(ran) || exit 1
      [ ! -e spoiled ] || exit 1
      echo > spoiled
      rm object
      """
    try bench.addModule(
      conf: "POST_BUILD=post.sh\nMAKE[0]+='; echo made > object; mkdir deep; ln -s ../text deep/text'\n",
      files: ["post.sh": post])
    for count in 1...3 {
      let report = try await bench.rebuild()
      #expect(report.failures.isEmpty, "\(report.failures)")
      #expect(report.outcomes.last?.isCached == (count > 1))
      #expect(Disk.text(ran) == Array(repeating: "made\ntexttext", count: count).joined())
      let log = try #require(bench.machine.makeLog(bench.id, bench.kernel))
      #expect(log.contains("post.sh\n\n# exit code: 0"), "\(log)")
    }
    #expect(bench.compilations == 1)
  }

  @Test func aDamagedDirectoryForPostBuildIsBuiltAnew() async throws {
    try bench.addModule(
      conf: "POST_BUILD=post.sh\nMAKE[0]+='; echo made > object'\n",
      files: ["post.sh": "#!/bin/sh\ncat object\n"])
    #expect(try await bench.build().failures.isEmpty)
    let entry = try #require(bench.entries.first)
    #expect(try bench.cache.isWhole(entry))
    try Files.write([], to: bench.cache.path(entry).appending("tree/object"))
    #expect(try !bench.cache.isWhole(entry))
    let report = try await bench.rebuild()
    #expect(report.failures.isEmpty && report.outcomes.last?.isCached == false)
  }

  @Test func failingPostBuildLeavesNoProductAlsoFromTheCache() async throws {
    let flag = bench.machine.directory.path.appending("flag")
    try bench.addModule(
      conf: "POST_BUILD=post.sh\n", files: ["post.sh": "#!/bin/sh\n[ ! -e \(flag) ]\n"])
    #expect(try await bench.build().failures.isEmpty)
    try Files.write([], to: flag)
    let report = try await bench.rebuild()
    guard case .scriptFailed? = report.failures.first else { throw Unexpected(report: report) }
    #expect(bench.machine.state[bench.id]?.build(for: bench.kernel) == nil)
  }

  private struct Unexpected: Error { let report: Report }

  // MARK: At the same time

  @Test func runsThatUseTheCacheAtTheSameTimeFindAllOrNothing() async throws {
    let name = String(repeating: "a", count: 64)
    let bytes = [UInt8](repeating: 7, count: 100_000)
    let (cache, bench) = (bench.cache, bench)
    try await withThrowingTaskGroup { group in
      for worker in 0..<4 {
        group.addTask {
          for _ in 0..<40 {
            guard let draft = try cache.draft(size: 1000) else { continue }
            let entry = CacheEntry(
              id: bench.id, kernel: bench.kernel, time: worker, fingerprint: CacheBench.fingerprint,
              files: ["make.log": try draft.add(bytes, as: "make.log")], tree: nil)
            // Two that come at the same time may be in each other's way; one of them is kept.
            try? cache.keep(draft, as: name, entry, at: worker)
          }
        }
        group.addTask {
          for _ in 0..<40 {
            guard let entry = try cache.entry(name) else { continue }
            let found = try cache.contents("make.log", of: entry, name)
            #expect(found == nil || found == bytes)
            if worker == 0 { try cache.discard(name) }
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(Disk.list(cache.directory).allSatisfy { $0 == name })
    for name in try cache.names() { #expect(try cache.isWhole(name)) }
  }

  @Test func severalBuildsShareOneCache() async throws {
    let other = try bench.addKernel("6.2.0")
    let ids = try ["hello", "second", "third"].map { try module($0, "1.0") }
    for id in ids { try bench.addModule(id) }
    for isCached in [false, true] {
      let reports = try await withThrowingTaskGroup { group in
        for id in ids {
          group.addTask { [bench] in
            _ = try await bench.machine.unbuild(id, bench.kernel, other)
            return try await bench.machine.build(id, bench.kernel, other)
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(reports.flatMap(\.failures).isEmpty)
      let builds = reports.flatMap { report in
        zip(report.plan.steps, report.outcomes).filter {
          if case .build = $0.0.step { true } else { false }
        }
      }
      #expect(builds.map(\.1.isCached) == Array(repeating: isCached, count: 6))
    }
    #expect(bench.entries.count == 6 && bench.compilations == 6)
  }
}
