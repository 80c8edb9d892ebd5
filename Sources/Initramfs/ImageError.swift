// SPDX-License-Identifier: GPL-2.0-or-later

internal import Archives
internal import DKMSModel
internal import Host
internal import SystemPackage

/// Why an image could not be read.
public struct ImageError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The image.
  public let path: String
  /// What is wrong with it.
  public let reason: String
  /// Whether a look failed, so that nothing is known about the image; otherwise it is damaged.
  public let isFailedLook: Bool

  /// Names an image and what is wrong with it.
  public init(path: String, reason: String, isFailedLook: Bool = false) {
    self.path = path
    self.reason = reason
    self.isFailedLook = isFailedLook
  }

  init(_ error: ArchiveError) {
    self.init(
      path: error.archive.string, reason: "\(error.reason)", isFailedLook: error.reason.isFailedLook)
  }

  init(_ image: InitramfsImage, _ failedLook: HostError) {
    self.init(path: image.path, reason: "\(failedLook)", isFailedLook: true)
  }

  /// The image and what is wrong with it.
  public var description: String { "\(path) cannot be read as an initramfs image: \(reason)" }
}

extension ArchiveError.Reason {
  /// Whether it says nothing about the bytes: the system could not read them, or unpack them.
  var isFailedLook: Bool {
    switch self {
    case .noLibrary, .system: true
    case .library(let code, _): code.rawValue == Errno.noMemory.rawValue
    case .damaged, .refused: false
    }
  }
}
