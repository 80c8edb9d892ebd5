// SPDX-License-Identifier: GPL-2.0-or-later

internal import Host
internal import SystemPackage

/// Looks again and again until something holds; false where it still does not after a long while.
public func eventually(_ condition: () -> Bool) async throws -> Bool {
  for _ in 0..<18000 {
    if condition() { return true }
    try await Task.sleep(for: .milliseconds(10))
  }
  return condition()
}

/// Whether a process runs; a dead one that nobody has reaped yet does not.
public func isRunning(_ process: String) -> Bool {
  let status = Disk.text(FilePath("/proc/\(process)/stat"))
  guard let state = status?.split(separator: ")").last?.split(separator: " ").first else { return false }
  return state != "Z" && state != "X"
}

/// The processes that have this text in their arguments, in whatever namespace they are.
public func processes(with argument: String) -> [String] {
  Disk.list("/proc").filter { name in
    Int(name) != nil && Disk.text(FilePath("/proc/\(name)/cmdline"))?.contains(argument) == true
  }
}
