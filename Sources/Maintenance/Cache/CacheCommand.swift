// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSEngine
internal import DKMSModel
public import Host
internal import Inspection
internal import JSON

/// `alpm-dkms cache`: lists the builds that are kept, drops damaged ones, or all.
public struct CacheCommand: Sendable {
  private let mode: Mode
  private let printsJSON: Bool

  /// What it does.
  public enum Mode: Sendable {
    /// Lists what there is.
    case list
    /// Reads all of it, and drops what is damaged.
    case verify
    /// Drops everything.
    case clear
  }

  /// Describes a call.
  public init(_ mode: Mode = .list, printsJSON: Bool = false) {
    self.mode = mode
    self.printsJSON = printsJSON
  }

  /// Runs it on the machine at hand and ends the process.
  public func main() -> Never {
    Program.run { [self] in await run(layout: Layout(), host: .live().forPeople()) }
  }

  /// Lists or drops builds; 0 unless something cannot be read or dropped.
  public func run(layout: Layout, host: Host) async -> Int32 {
    do throws(DKMSError) {
      guard host.isRoot else {
        throw .system(operation: "look into", subject: "the cache", reason: "this needs root")
      }
      let options = SuiteConfiguration.read(layout.suiteConfiguration).configuration.cache
      let builds = try onFiles { () throws(HostError) in try work(on: BuildCache(layout)) }
      if printsJSON {
        host.console.print(json(builds, options, layout).text)
      } else {
        lines(builds, options, host.style).forEach(host.console.print)
      }
      return 0
    } catch {
      Narrator(host.console).fail(error)
      return 1
    }
  }

  private func work(on cache: BuildCache) throws(HostError) -> [KeptBuild] {
    var builds: [KeptBuild] = []
    for name in try cache.names() {
      var build = KeptBuild(
        name: name, entry: try cache.entry(name), size: try Files.diskUsage(cache.path(name)),
        lastUse: try cache.lastUse(of: name) ?? 0)
      if mode == .verify { build.isWhole = try cache.isWhole(name) }
      if mode == .clear || build.isWhole == false {
        try cache.discard(name)
        build.isRemoved = true
      }
      builds.append(build)
    }
    if mode == .clear { try ScratchDirectory.sweep(cache.directory) }
    return builds.sorted { ($1.lastUse, $0.name) < ($0.lastUse, $1.name) }
  }
}

/// A build in the cache, and what became of it.
private struct KeptBuild {
  let name: String
  /// What it says of itself; nil where that is damaged.
  let entry: CacheEntry?
  let size: Int
  let lastUse: Int
  /// Whether it is what was kept; nil where nobody has looked.
  var isWhole: Bool?
  var isRemoved = false
}

extension CacheCommand {
  /// Members may be added; one that is removed or changes its meaning raises the number.
  private static let schema = 1

  private func lines(_ builds: [KeptBuild], _ options: CacheOptions, _ style: OutputStyle) -> [String] {
    var table = Table([.right])
    for build in builds {
      let subject = build.entry.map { "\($0.id) for \($0.kernel.release)" } ?? build.name
      let damage = build.isWhole == false || build.entry == nil ? "damaged" : ""
      table.append([
        .init("\(ByteCount(build.size))"), .init(subject, .strong),
        .init("last used \(Moment.text(build.lastUse))"),
        .init(build.isRemoved ? "\(damage.isEmpty ? "" : "damaged, ")removed" : damage, .bad),
      ])
    }
    let size = ByteCount(builds.map(\.size).reduce(0, +))
    let limit = options.limit.map { " of \(ByteCount($0))" } ?? ""
    let remark = options.isUsed ? "" : "; the cache is not used"
    return table.lines(style)
      + ["==> \(builds.count.counted("build")), \(size)\(limit)\(remark)"]
  }

  private func json(_ builds: [KeptBuild], _ options: CacheOptions, _ layout: Layout) -> JSON {
    let rows = builds.map { build in
      var members: [JSON.Member] = [.init("name", .string(build.name))]
      if let entry = build.entry {
        members += [
          .init("module", .string("\(entry.id)")),
          .init("kernel", .string(entry.kernel.release.description)),
          .init("architecture", .string(entry.kernel.architecture)), .init("built", .number(entry.time)),
        ]
      }
      members += [.init("size", .number(build.size)), .init("last_used", .number(build.lastUse))]
      if let isWhole = build.isWhole { members.append(.init("whole", .bool(isWhole))) }
      return JSON.object(members + [.init("removed", .bool(build.isRemoved))])
    }
    var members: [JSON.Member] = [
      .init("path", .string("\(layout.cacheDirectory)")), .init("in_use", .bool(options.isUsed)),
      .init("size", .number(builds.map(\.size).reduce(0, +))),
    ]
    if let limit = options.limit { members.append(.init("limit", .number(limit))) }
    return .document(schema: Self.schema, members + [.init("builds", .array(rows))])
  }
}
