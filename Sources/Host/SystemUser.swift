// SPDX-License-Identifier: GPL-2.0-or-later

public import SystemPackage

/// A user of this machine.
public struct SystemUser: Hashable, Sendable {
  /// The login name.
  public let name: String
  /// The number of the user.
  public let identifier: UInt32
  /// The number of the user's own group.
  public let group: UInt32

  /// Describes a user.
  public init(name: String, identifier: UInt32, group: UInt32) {
    self.name = name
    self.identifier = identifier
    self.group = group
  }

  /// The user of this name in the machine's own file of users, as passwd(5) describes it; nil where there is none.
  ///
  /// Users of services are there, also where those of people come from a directory service.
  ///
  /// - Throws: `HostError` where the file cannot be read.
  public static func named(_ name: String, in file: FilePath = "/etc/passwd") throws(HostError) -> SystemUser?
  {
    let lines = try Files.text(file)?.split(separator: "\n") ?? []
    for line in lines {
      let fields = line.split(separator: ":", omittingEmptySubsequences: false)
      guard fields.count == 7, fields[0] == name, let identifier = UInt32(fields[2]),
        let group = UInt32(fields[3])
      else { continue }
      return SystemUser(name: name, identifier: identifier, group: group)
    }
    return nil
  }
}
