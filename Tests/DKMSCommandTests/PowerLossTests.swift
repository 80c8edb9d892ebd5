// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import SystemPackage
import TestSupport
import Testing

/// Recordings of calls of `dkms`, cut at every change and reordered between the syncs, as a power loss may leave them.
@Suite(.requiresRoot, .requiresKernelHeaders, .requiresTracing)
struct PowerLossTests {
  private static let kernel = Kernels.first
  private static let target = "quick/1.0 -k \(kernel) --no-depmod"
  private static let trees = ["var": "/var/lib/dkms", "src": "/usr/src", "modules": "/usr/lib/modules"]

  /// A call, and what the machine is before.
  struct Operation: CustomStringConvertible {
    let words: String
    let state: Prepared.State
    /// How often it brings something to the disk, so that none is added unnoticed.
    let syncs: Int
    var hasOriginal = false
    /// Whether the module goes, so that what is declared may be incomplete until the declaration is gone.
    var takesOut = false

    var description: String { "\(words) of \(state)\(hasOriginal ? " with a module in the way" : "")" }
  }

  static let operations = [
    Operation(words: "install \(target)", state: .source, syncs: 17),
    Operation(words: "install \(target)", state: .built, syncs: 9, hasOriginal: true),
    Operation(words: "build --force \(target)", state: .installed, syncs: 7),
    Operation(words: "install --force \(target)", state: .installed, syncs: 3),
    Operation(words: "uninstall \(target)", state: .installed, syncs: 6, hasOriginal: true, takesOut: true),
    Operation(words: "remove \(target)", state: .installed, syncs: 3, takesOut: true),
    Operation(words: "unbuild \(target)", state: .built, syncs: 1),
  ]

  @Test("After a power loss at any moment, what is declared is whole", arguments: operations)
  func everyCut(_ operation: Operation) async throws {
    var (model, calls) = try await recording(of: operation)
    var numbers = SeededNumbers(seed: 14)
    var cuts = 0
    var problems: Set<String> = []
    let touchesTrees = { (call: String) in
      call.hasPrefix("sync") || Self.trees.values.contains(where: call.contains)
    }
    for call in calls where touchesTrees(call) && model.apply(call) {
      let pending = model.pendingCount
      // All of them, none, each alone, each left out, and some mixtures.
      var choices: [(Int) -> Bool] = [{ _ in true }, { _ in false }]
      for index in 0..<pending { choices += [{ $0 == index }, { $0 != index }] }
      for _ in 0..<8 {
        let mask = (0..<pending).map { _ in numbers.below(2) == 0 }
        choices.append { mask[$0] }
      }
      for choice in choices {
        cuts += 1
        for problem in Self.problems(of: operation, model.survivors(choice)) {
          problems.insert("\(problem)\n    after \(call)")
        }
      }
    }
    #expect(cuts > 50)
    #expect(
      problems.isEmpty,
      "\(operation): \(cuts) cuts, \(problems.count) violations\n\(problems.sorted().prefix(12).joined(separator: "\n"))"
    )
    #expect(Self.problems(of: operation, model.survivors { _ in true }).isEmpty, "at the end")
    #expect(model.synchronizations == operation.syncs)
    // docs/reliability.md has the sum.
    print("\(operation): \(cuts) cuts, \(problems.count) violations, \(model.synchronizations) syncs")
  }

  private func recording(of operation: Operation) async throws -> (FileSystemModel, [String]) {
    let machine = try await Prepared.machine(
      operation.hasOriginal && operation.state == .installed ? .built : operation.state)
    if operation.hasOriginal {
      try machine.write("somebody else's", to: "modules/\(Self.kernel)/updates/dkms/quick.ko")
      if operation.state == .installed { try await machine.dkms("install \(Self.target)").expect(0) }
    }
    var model = FileSystemModel()
    for (name, place) in Self.trees {
      var path = ""
      for part in place.split(separator: "/") {
        path += "/\(part)"
        if model.node(path) == nil { model.make(.directory, at: path) }
      }
      Self.enter(machine.path(name), at: place, in: &model)
    }
    model.settle()
    let run = try await machine.shell(
      """
      strace -f -y -qq -s 0 -e trace=\(FileSystemModel.tracedCalls.joined(separator: ",")) -e signal=none -o /mnt/trace \
        /mnt/dkms \(operation.words) >&2
      cat /mnt/trace
      """)
    try #require(run.status == 0, "\(run)")
    return (model, FileSystemModel.calls(in: run.output))
  }

  private static func enter(_ directory: FilePath, at path: String, in model: inout FileSystemModel) {
    for name in Disk.list(directory) {
      let (file, place) = (directory.appending(name), "\(path)/\(name)")
      switch Disk.kind(file) {
      case .directory:
        model.make(.directory, at: place)
        enter(file, at: place, in: &model)
      case .link: model.make(.link(Disk.linkTarget(file)?.string ?? ""), at: place)
      default: model.make(.file(isSynced: true), at: place)
      }
    }
  }

  /// What is declared and not whole.
  private static func problems(of operation: Operation, _ disk: FileSystemModel) -> [String] {
    let tree = "/var/lib/dkms/quick"
    let installed = "/usr/lib/modules/\(kernel)/updates/dkms"
    let product = "\(tree)/1.0/\(kernel)/x86_64"
    let archive = "\(tree)/original_module/\(kernel)/x86_64"
    var problems: [String] = []
    let modules = disk.list("\(product)/module").filter { $0.hasPrefix("quick.ko") }
    if disk.content(product) != nil {
      if modules.isEmpty { problems.append("the product holds no module") }
      for file in modules.map({ "\(product)/module/\($0)" }) + [
        "\(product)/.kernel", "\(product)/log/make.log",
      ]
      where !disk.isWhole(file) {
        problems.append("\(file) is half written or missing")
      }
    }
    for file in disk.list(installed) where !file.hasPrefix(".") {
      if !disk.isWhole("\(installed)/\(file)") { problems.append("the installed \(file) is half written") }
    }
    if case .link(let target)? = disk.content("\(tree)/kernel-\(kernel)-x86_64") {
      if disk.content("\(tree)/\(target)") != .directory {
        problems.append("what is installed has no product")
      }
      if !operation.takesOut, !modules.contains(where: { disk.isWhole("\(installed)/\($0)") }) {
        problems.append("what is declared as installed is not there")
      }
    } else if operation.state == .installed, !operation.takesOut {
      problems.append("the installed module is no longer declared")
    }
    if disk.content("\(tree)/1.0") != nil, disk.content(product) != nil,
      disk.content("\(tree)/1.0/source") == nil
    {
      problems.append("the module has lost its source")
    }
    let isKept = disk.isWhole("\(archive)/quick.ko") && disk.isWhole("\(archive)/quick.ko.origin")
    if operation.hasOriginal, !isKept, !disk.isWhole("\(installed)/quick.ko") {
      problems.append("the module that was in the way is lost")
    }
    return problems
  }
}
