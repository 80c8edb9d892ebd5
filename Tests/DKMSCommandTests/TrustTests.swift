// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import SystemPackage
import TestSupport
import Testing

/// What `dkms` does about what others than root can change, and about the environment of its caller.
@Suite(.requiresRoot, .requiresKernelHeaders) struct TrustTests {
  private static let install = "install quick/1.0 -k \(Kernels.first)"
  private static let module = "modules/\(Kernels.first)/updates/dkms/quick.ko"

  @Test("A person is warned once of each thing, with the command that ends it, and the work is done")
  func warned() async throws {
    let machine = try await Prepared.machine(.source)
    try await machine.shell("chown -R 1234 /usr/src/quick-1.0; chmod g+w /etc/dkms").expectSuccess()
    let outcome = try await machine.dkms(Self.install).expect(
      0,
      says: [
        "==> WARNING: /usr/src/quick-1.0 belongs to user 1234", "chown -R root: /usr/src/quick-1.0",
        "==> WARNING: the group of /etc/dkms can change it", "chmod go-w /etc/dkms",
      ])
    #expect(machine.exists(Self.module))
    #expect(outcome.run.errorOutput.parts(between: "belongs to").count == 2)
    try await machine.shell("chown -R root: /usr/src/quick-1.0 && chmod go-w /etc/dkms").expectSuccess()
    let again = try await machine.dkms("install --force quick/1.0 -k \(Kernels.first)").expect(0)
    #expect(!again.run.errorOutput.contains("WARNING"), "\(again)")
  }

  @Test("With trust = strict it is refused, and what was there stays")
  func refused() async throws {
    let machine = try await Prepared.machine(.installed)
    let script = #"""
      mkdir /mnt/etc; cp -a /etc/. /mnt/etc; echo "trust = strict" > /mnt/etc/alpm-dkms.conf
      mount --bind /mnt/etc /etc; chown -R 1234 /usr/src/quick-1.0
      dkms install --force quick/1.0 -k "$1"
      """#
    let run = try await machine.shell(script, [Kernels.first])
    #expect(run.status == 1 && run.errorOutput.contains("==> ERROR: quick/1.0 is not trusted: "), "\(run)")
    #expect(machine.exists(Self.module))
  }

  @Test("The copy of a source that a person adds keeps its owner, which is worth a warning")
  func added() async throws {
    let machine = try await Prepared.machine(.source)
    let run = try await machine.shell(
      "mv /usr/src/quick-1.0 /mnt/home; chown -R 1234 /mnt/home; dkms add /mnt/home")
    #expect(run.status == 0 && machine.exists("src/quick-1.0/dkms.conf"), "\(run)")
    #expect(run.errorOutput.contains("/usr/src/quick-1.0 belongs to user 1234"), "\(run)")
    #expect(run.errorOutput.contains("chown -R root: /usr/src/quick-1.0"), "\(run)")
  }

  @Test(
    "Nothing that is run is taken from the caller's environment",
    arguments: [
      "BASH_ENV", "ENV", "post_transaction", "build_environment", "BASH_FUNC_cp%%", "PERL5OPT", "SHELLOPTS",
    ])
  func environment(name: String) async throws {
    let machine = try await Prepared.machine(.source)
    try machine.write("touch /etc/dkms/ran\n", to: "etc/foreign")
    let value =
      switch name {
      case "post_transaction": "touch /etc/dkms/ran"
      case "BASH_FUNC_cp%%": "() { touch /etc/dkms/ran; command cp \"$@\"; }"
      case "SHELLOPTS": "noexec"
      default: "/etc/dkms/foreign"
      }
    // The first line has bash read it; what the build sees is what shells see that it starts.
    try machine.write(
      "x=$(true)\nMAKE[0]=\"env > /etc/dkms/seen; cp /usr/src/prebuilt/$kernelver.ko quick.ko\"\n",
      to: "etc/quick.conf")
    let run = try await machine.shell(
      #"exec env "$1" /mnt/dkms install quick/1.0 -k "$2""#, ["\(name)=\(value)", Kernels.first])
    #expect(run.status == 0 && machine.exists(Self.module) && !machine.exists("etc/ran"), "\(run)")
    let isSetting = name.first?.isLowercase == true
    #expect(try isSetting || !machine.text("etc/seen").contains("\(name)="))
  }
}

extension Run {
  fileprivate func expectSuccess() { #expect(status == 0, "\(self)") }
}
