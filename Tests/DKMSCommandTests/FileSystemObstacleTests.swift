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

  @Test(arguments: ["add", "build", "remove"])
  func readOnlyFileSystemIsNoLackOfRights(_ action: String) async throws {
    let machine = try await Prepared.machine(action == "remove" ? .added : .source)
    let run = try await machine.shell(
      "mount -o remount,bind,ro /var/lib/dkms && exec dkms \(action) quick/1.0\(action == "add" ? "" : " -k \(Kernels.first)")"
    )
    #expect(run.status == 1, "\(run)")
    #expect(
      run.errorOutput.contains("ERROR: /var/lib/dkms is on a file system that is mounted read-only\n"),
      "\(run)")
    #expect(
      run.errorOutput.contains("     dkms \(action) quick/1.0") && !run.errorOutput.contains("sudo"), "\(run)"
    )
  }

  @Test(arguments: ["add", "build", "mktarball"])
  func sourceThatOnlyRootMayReadIsNotMissing(_ action: String) async throws {
    let machine = try await Prepared.machine(action == "mktarball" ? .added : .source)
    let words = "\(action) quick/1.0 \(action == "mktarball" ? "--source-only" : "-k \(Kernels.first)")"
    let run = try await machine.shell(
      """
      chmod 0700 /usr/src/quick-1.0; chmod -R 0777 /var/lib/dkms
      exec setpriv --reuid=65534 --regid=65534 --clear-groups /mnt/dkms \(words)
      """)
    #expect(run.status != 0 && !run.errorOutput.contains("does not exist"), "\(run)")
    #expect(run.errorOutput.contains("     sudo dkms \(words)\n"), "\(run)")
    if action != "mktarball" {
      #expect(run.errorOutput.contains("/usr/src/quick-1.0/dkms.conf is not readable by you\n"), "\(run)")
    }
  }
}
