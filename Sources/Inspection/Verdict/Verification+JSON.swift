// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSEngine
package import DKMSModel
internal import Initramfs
package import JSON

extension Verification {
  /// Members may be added; one that is removed or changes its meaning raises the number.
  private static let schema = 3

  /// What `alpm-dkms verify --json` prints.
  package var json: JSON {
    .document(
      schema: Self.schema,
      [
        .init("standing", .string(standing.rawValue)),
        .init("kernels", .array(verdicts.map(\.json))),
        .init("configuration_problems", .array(problems.map(\.json))),
      ])
  }
}

extension JSON {
  /// What a program prints for others: the number of its schema, the version of the suite, and members of its own.
  package static func document(schema: Int, _ members: [Member]) -> JSON {
    .object(
      [.init("schema", .number(schema)), .init("version", .string(Version.current))] + members)
  }
}

extension KernelVerdict {
  fileprivate var json: JSON {
    .object([
      .init("kernel", .string(kernel.release.description)),
      .init("architecture", .string(kernel.architecture)),
      .init("running", .bool(isRunning)),
      .init("standing", .string(standing.rawValue)),
      .init("modules_in_place", .number(modulesInPlace)),
      .init("findings", .array(findings.map(\.json))),
      .init("skips", .array(skips.map(\.json))),
      .init("images", .array(images.map(\.json))),
    ])
  }
}

extension Finding {
  fileprivate var json: JSON {
    .object([
      .init("subject", .string(subject)),
      .init("weight", .string(weight.rawValue)),
      .init("effect", .string(effect.rawValue)),
      .init("reason", .string(reason)),
      .init("log", .string(orNull: log)),
      .init("remedy", Remedy.json(remedy)),
    ])
  }
}

extension Remedy {
  /// A remedy for programs; null where there is none.
  package static func json(_ words: String?) -> JSON {
    let remedy = words.map(Remedy.init)
    return remedy == nil
      ? .null
      : .object([
        .init("command", .string(orNull: remedy?.command)), .init("advice", .string(orNull: remedy?.advice)),
      ])
  }
}

extension KernelVerdict.Skip {
  fileprivate var json: JSON {
    .object([.init("module", .string("\(module)")), .init("reason", .string(reason))])
  }
}

extension ConfigurationProblem {
  fileprivate var json: JSON {
    .object([
      .init("file", .string(file)),
      .init("line", line.map(JSON.number) ?? .null),
      .init("is_error", .bool(isError)),
      .init("text", .string(text)),
      .init("remedy", Remedy.json(remedy)),
    ])
  }
}

extension ImageCondition {
  /// The image, what makes it, what is in it and what is wrong with it.
  package var json: JSON {
    .object([
      .init("path", .string(image.path)),
      .init("kernel", .string(image.kernel.release.description)),
      .init("generator", .string(orNull: image.generator?.rawValue)),
      .init("preset", .string(orNull: image.preset)),
      .init("unified_kernel_image", .bool(image.form == .unifiedKernelImage)),
      .init("fresh", .bool(isFresh)),
      .init("flaws", .array(flaws.map(\.json))),
      .init("kernel_modules", .array(modules.map(JSON.string))),
    ])
  }
}

extension ImageFlaw {
  fileprivate var json: JSON {
    let (kind, module): (String, String?) =
      switch self {
      case .missing: ("missing", nil)
      case .unreadable: ("unreadable", nil)
      case .otherKernel: ("other_kernel", nil)
      case .unknown: ("unknown", nil)
      case .differs(let module): ("differs", module)
      case .gone(let module): ("gone", module)
      case .lacks(let module, _): ("lacks", module)
      case .unsigned: ("unsigned", nil)
      }
    return .object([
      .init("kind", .string(kind)), .init("kernel_module", .string(orNull: module)),
      .init("reason", .string(words)),
    ])
  }
}
