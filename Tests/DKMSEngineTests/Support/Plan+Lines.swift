// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel

extension Plan {
  /// The steps, a line each, without what they wait for.
  var lines: [String] { steps.map(\.step.line) }

  /// The steps with their reasons.
  var reasons: [String] { steps.map { "\($0.step.line): \($0.reason)" } }

  /// Whether the first of two steps is only taken once the second has succeeded.
  func requires(_ line: String, _ other: String) -> Bool {
    reaches(line, other) { $0.required }
  }

  /// Whether the first of two steps is only taken once the second has ended, well or not.
  func follows(_ line: String, _ other: String) -> Bool {
    reaches(line, other) { $0.required + $0.earlier }
  }

  private func reaches(_ line: String, _ other: String, _ conditions: (PlannedStep) -> [Int]) -> Bool {
    guard let start = lines.firstIndex(of: line), let goal = lines.firstIndex(of: other) else { return false }
    var open = conditions(steps[start])
    while let index = open.popLast() {
      if index == goal { return true }
      open += conditions(steps[index])
    }
    return false
  }
}

extension Step {
  fileprivate var line: String {
    switch self {
    case .add(let id, let source): "add \(id) from \(source)"
    case .relink(let id, let source): "relink \(id) to \(source)"
    case .copySource(let id, let directory, let replaces):
      "\(replaces ? "replace" : "copy") the source of \(id) from \(directory)"
    case .addWithoutSource(let id, let file): "add \(id) without a source by \(file)"
    case .loadBuild(let id, let kernel, let directory): "load \(id) for \(kernel.release) from \(directory)"
    case .makeTarball(let id, let kernels, let contents, let file):
      "write \(contents) of \(id) for \(kernels.map(\.release.description)) to \(file)"
    case .makeKeys(let pair): "make \(pair.key)"
    case .build(let id, let kernel): "build \(id) for \(kernel.release)"
    case .adopt(let id, let kernel): "adopt \(id) for \(kernel.release)"
    case .install(let id, let kernel): "install \(id) for \(kernel.release)"
    case .uninstall(let id, let kernel): "uninstall \(id) for \(kernel.release)"
    case .unbuild(let id, let kernel): "unbuild \(id) for \(kernel.release)"
    case .unregister(let id): "unregister \(id)"
    case .discardKeptSource(let id): "discard the kept source of \(id)"
    case .depmod(let release): "depmod \(release)"
    case .keep(let release): "keep \(release)"
    case .load(let release): "load for \(release)"
    case .follow(let command): "follow with \(command)"
    }
  }
}
