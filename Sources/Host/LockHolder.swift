// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc
internal import SystemPackage

/// Another process that holds a lock that this one waits for.
public struct LockHolder: Hashable, Sendable, CustomStringConvertible {
  /// Its number.
  public let process: Int
  /// Its command line, without the directory of the program.
  public let command: String

  /// `dkms remove hello/1.0 --all (process 4711)`.
  public var description: String { "\(command) (process \(process))" }

  /// Who holds a lock on an open directory; nil where the kernel does not tell, as for processes of other
  /// containers.
  static func ofLock(on descriptor: FileDescriptor) -> LockHolder? {
    var status = stat()
    guard fstat(descriptor.rawValue, &status) == 0,
      let table = try? Files.read("/proc/locks", upTo: 1 << 20)
    else { return nil }
    let device = Device(status.st_dev)
    var others: [LockHolder] = []
    for line in String(decoding: table, as: UTF8.self).split(separator: "\n") {
      // 1: FLOCK  ADVISORY  WRITE 4711 08:02:1234 0 EOF
      let fields = line.split(separator: " ")
      guard fields.count > 5, fields[1] == "FLOCK", let process = Int(fields[4]), process != Int(getpid()),
        case let place = fields[5].split(separator: ":"), place.count == 3,
        place[2] == "\(status.st_ino)", let holder = LockHolder(process: process)
      else { continue }
      if Device(place) == device { return holder }
      others.append(holder)
    }
    // Some file systems, like btrfs, tell programs another device than they tell the kernel.
    return others.first {
      $0.command.utf8.starts(with: "dkms".utf8) || $0.command.utf8.starts(with: "alpm-dkms".utf8)
    }
  }

  private struct Device: Hashable {
    let major: UInt64
    let minor: UInt64

    init(_ device: dev_t) {
      let number = UInt64(device)
      major = (number >> 8) & 0xFFF | (number >> 32) & ~0xFFF
      minor = number & 0xFF | (number >> 12) & ~0xFF
    }

    init?(_ fields: [Substring]) {
      guard let major = UInt64(fields[0], radix: 16), let minor = UInt64(fields[1], radix: 16) else {
        return nil
      }
      (self.major, self.minor) = (major, minor)
    }
  }

  private init?(process: Int) {
    guard let line = try? Files.read(FilePath("/proc/\(process)/cmdline"), upTo: 200), !line.isEmpty else {
      return nil
    }
    var words = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    words[0] = FilePath(words[0]).lastComponent?.string ?? words[0]
    self.process = process
    // What people and logs are shown must not act on a terminal.
    command = String(
      words.joined(separator: " ").unicodeScalars.map {
        $0.value < 0x20 || $0.value == 0x7F ? "?" : Character($0)
      })
  }
}
