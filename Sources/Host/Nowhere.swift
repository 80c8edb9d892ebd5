// SPDX-License-Identifier: GPL-2.0-or-later

internal import CLinux
internal import Glibc
internal import SystemPackage

/// What children read when there is nothing to read, and write to when nobody listens: /dev/null or, where an image
/// builder has no such device, an empty file in memory.
struct Nowhere: ~Copyable {
  let descriptor: FileDescriptor

  init() throws(HostError) {
    let raw =
      VirtualFiles.hasNullDevice
      ? open("/dev/null", O_RDWR | O_CLOEXEC) : memfd_create("nothing", CUnsignedInt(LINUX_MFD_CLOEXEC))
    guard raw >= 0 else { throw HostError("open", "/dev/null", .current) }
    descriptor = FileDescriptor(rawValue: raw)
  }

  deinit { try? descriptor.close() }
}
