// SPDX-License-Identifier: GPL-2.0-or-later

internal import Host
internal import SystemPackage

/// Why an image could not be made, or a generator's configuration not be read.
public struct GenerationError: Error, Codable, Hashable, Sendable, CustomStringConvertible {
  /// The image, or the file of the configuration.
  public let subject: String
  /// What went wrong.
  public let reason: String
  /// What is to be done.
  public let remedy: String?
  /// Whether it is only that this user may not look.
  public let isDenied: Bool

  /// Describes a failure.
  public init(_ subject: String, _ reason: String, remedy: String? = nil, isDenied: Bool = false) {
    self.subject = subject
    self.reason = reason
    self.remedy = remedy
    self.isDenied = isDenied
  }

  /// A look at a file or directory that failed.
  init(_ error: HostError) {
    let remedy =
      switch error.reason {
      case .system: "make it readable, then: alpm-dkms initramfs"
      case .notAFile, .tooLarge: "put the right file there or remove it, then: alpm-dkms initramfs"
      }
    self.init(
      error.path.string, "cannot \(error.operation) it: \(error.reason)", remedy: remedy,
      isDenied: error.errno == .permissionDenied)
  }

  /// What went wrong with what.
  public var description: String { "\(subject): \(reason)" }
}
