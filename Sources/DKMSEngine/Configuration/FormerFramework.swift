// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
public import Host
public import SystemPackage

/// The framework.conf that an administrator wrote for the package that this suite has replaced.
///
/// pacman keeps a changed file of settings under another name when its package goes, even if the next package has a file
/// for its place.
public struct FormerFramework: Hashable, Sendable {
  /// Where pacman has put it.
  public let kept: FilePath
  /// Where it belongs.
  public let place: FilePath
  /// When pacman has done that, in seconds since 1970.
  public let time: Int

  /// The one on a system; nil where there is none, or where the file in its place sets anything.
  ///
  /// - Throws: `HostError` where one of them cannot be read.
  public init?(_ layout: Layout) throws(HostError) {
    place = layout.configurationDirectory.appending("framework.conf")
    kept = layout.configurationDirectory.appending("framework.conf.pacsave")
    guard let time = try Files.changeTime(kept), try Self.setsNothing(place) else { return nil }
    self.time = time
  }

  /// Puts it in its place.
  ///
  /// - Throws: `DKMSError`; both files are then as they were.
  public func takeOver() throws(DKMSError) {
    try onFiles { () throws(HostError) in try Files.rename(kept, to: place) }
  }

  private static func setsNothing(_ file: FilePath) throws(HostError) -> Bool {
    guard let text = try Files.text(file) else { return true }
    return text.split(separator: "\n").allSatisfy { line in
      let line = line.drop(while: \.isWhitespace)
      return line.isEmpty || line.hasPrefix("#")
    }
  }
}
