// SPDX-License-Identifier: GPL-2.0-or-later

import TestSupport
import Testing

/// What a file system does not allow is named as that.
@Suite(.requiresRoot, .requiresKernelHeaders)
struct FileSystemObstacleTests {
  @Test func scriptOnAFileSystemThatAllowsNoneIsNotCalledMissing() async throws {
    let machine = try await Prepared.sources()
    try machine.addQuick(conf: "PRE_BUILD=pre.sh\nMAKE[0]=false")
    try machine.addScript("true", at: "src/quick-1.0/pre.sh")
    let run = try await machine.shell(
      "mount -o remount,bind,noexec /var/lib/dkms && exec dkms build quick/1.0 -k \(Kernels.first)")
    #expect(run.status == 10)
    let remark = """
      ==> WARNING: quick/1.0 for \(Kernels.first): its PRE_BUILD script pre.sh was not run, because it lies on a file \
      system that is mounted noexec
      """
    #expect(run.errorOutput.contains(remark), "\(run)")
  }
}
