// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSModel
internal import Initramfs
package import JSON

extension ImageCondition {
  /// The image, what makes it, what is in it and what is wrong with it.
  package var json: JSON {
    .object([
      .init("path", .string(image.path)),
      .init("kernel", .string(image.kernel.release.description)),
      .init("generator", .string(image.generator.rawValue)),
      .init("preset", .string(orNull: image.preset)),
      .init("unified_kernel_image", .bool(image.form == .unifiedKernelImage)),
      .init("fresh", .bool(isFresh)),
      .init("flaws", .array(flaws.map(\.json))),
      .init("modules", .array(modules.map(JSON.string))),
    ])
  }
}

extension ImageFlaw {
  fileprivate var json: JSON {
    let (kind, module): (String, String?) =
      switch self {
      case .missing: ("missing", nil)
      case .unreadable: ("unreadable", nil)
      case .unknown: ("unknown", nil)
      case .differs(let module): ("differs", module)
      case .gone(let module): ("gone", module)
      case .lacks(let module, _): ("lacks", module)
      }
    return .object([
      .init("kind", .string(kind)), .init("module", .string(orNull: module)), .init("reason", .string(words)),
    ])
  }
}
