// SPDX-License-Identifier: GPL-2.0-or-later

import TestSupport
import Testing

/// What scripts read in make.log.
@Suite(.requiresRoot, .requiresKernelHeaders)
struct MakeLogTests {
  private static let kernel = Kernels.first

  @Test("The commands are named as the reference names them", arguments: [1, 0])
  func commands(_ jobs: Int) async throws {
    let machine = try await Prepared.sources()
    try machine.addHelloWorld("1.0")
    try machine.write(
      try machine.text("src/hello-world-1.0/dkms.conf")
        + "PRE_BUILD='prepare.sh one'\nPOST_BUILD=own.sh\nPATCH[0]=deep/first.patch\nMAKE=\nCLEAN=\n",
      to: "src/hello-world-1.0/dkms.conf")
    try machine.write(
      "--- a/new\n+++ b/new\n@@ -0,0 +1 @@\n+new\n", to: "src/hello-world-1.0/patches/deep/first.patch")
    try machine.addScript("true", at: "src/hello-world-1.0/prepare.sh")
    try machine.addScript("true", at: "etc/hello-world/own.sh")
    try await machine.dkms("build hello-world/1.0 -k \(Self.kernel) -j \(jobs)").expect(0)
    let log = try machine.text("var/hello-world/1.0/\(Self.kernel)/x86_64/log/make.log")
    let commands = log.split(separator: "\n").filter { $0.hasPrefix("# command: ") }
    let directory = "/var/lib/dkms/hello-world/1.0/build"
    let make = "make -j\(jobs == 0 ? "" : "\(jobs)") KERNELRELEASE=\(Self.kernel)"
    #expect(
      commands.map { $0.dropFirst("# command: ".count) } == [
        "patch -p1 < ./patches/deep/first.patch",
        "cd \(directory)/ && \(directory)/prepare.sh one",
        "\(make) -C /usr/lib/modules/\(Self.kernel)/build M=\(directory)",
        "cd /etc/dkms/hello-world/ && /etc/dkms/hello-world/own.sh",
      ], "\(log)")
    #expect(!log.contains("jobserver"), "\(log)")
  }
}
