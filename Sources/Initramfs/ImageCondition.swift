// SPDX-License-Identifier: GPL-2.0-or-later

internal import JSON

/// The state of an image compared with its kernel's modules: the facts that decide whether it is rebuilt.
public struct ImageCondition: Codable, Hashable, Sendable {
  /// The image.
  public var image: InitramfsImage
  /// The kernel modules in it, sorted by name.
  public var modules: [String]
  /// What makes it stale, the most important first, or why that is not known.
  public var flaws: [ImageFlaw]

  /// Makes a description; an image without flaws is fresh.
  public init(image: InitramfsImage, modules: [String] = [], flaws: [ImageFlaw] = []) {
    self.image = image
    self.modules = modules
    self.flaws = flaws
  }

  /// Whether it holds exactly what is installed.
  public var isFresh: Bool { flaws.isEmpty }

  /// Whether a look failed, so that it is neither fresh nor stale.
  public var isUnknown: Bool { flaws.contains(where: \.isUnknown) }
}

/// Why an image is not what its generator would make now.
public enum ImageFlaw: Codable, Hashable, Sendable {
  /// There is no such file.
  case missing
  /// It was read, and what is in it makes no sense.
  case unreadable(reason: String)
  /// It is for a kernel of this release, of which it has the modules, or which is in it itself.
  case otherKernel(release: String)
  /// A look at it, or at what it is compared with, failed: it may be as it should be.
  case unknown(reason: String)
  /// A module in it has other contents than the one that modprobe would load.
  case differs(kernelModule: String)
  /// A module in it is no longer installed.
  case gone(kernelModule: String)
  /// An installed module is not in it though the generator's configuration asks for it, in this place.
  case lacks(kernelModule: String, askedForBy: String)
  /// It has no signature though it should, or though the firmware refuses it without; the remedy signs it.
  case unsigned(isRefused: Bool, remedy: String)

  /// Whether it is only about the signature.
  public var isUnsigned: Bool { if case .unsigned = self { true } else { false } }

  /// Whether it says that nothing is known about the image.
  public var isUnknown: Bool { if case .unknown = self { true } else { false } }
}

extension ImageFlaw: SelfNamed {
  package static var memberName: String { "flaw" }
}
