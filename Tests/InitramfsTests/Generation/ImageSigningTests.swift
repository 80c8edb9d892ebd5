// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import SystemPackage
import TestSupport
import Testing

@testable import Initramfs

/// Signatures of unified kernel images, made and checked by sbsign and sbverify.
///
/// sbctl is a stand-in that calls sbsign, and takes `sign`, `-s` and one file only.
@Suite(.requiresSigningTools) struct ImageSigningTests {
  private let machine: BootMachine
  private let kernel: BootableKernel
  private static let image = "boot/EFI/Linux/arch-linux.efi"

  init() async throws {
    machine = try BootMachine()
    kernel = try machine.kernel()
    try machine.run("cp \(UnifiedKernelImageTests.stub) stub.efi && mkdir -p boot/EFI/Linux")
    try machine.directory.write(
      "PRESETS=(default)\nALL_kver=\(BootMachine.release)\ndefault_uki=/\(Self.image)\n",
      to: "etc/mkinitcpio.d/linux.preset")
    try machine.run(
      "openssl req -new -x509 -newkey rsa:2048 -nodes -subj /CN=owner -keyout key -out cert -days 9")
    try machine.install("hello", "old")
    try await machine.settle(machine.recipes(.mkinitcpio, kernel))
    try machine.run("rm calls")
    try #require(!isSigned)
  }

  /// Whether a program that knows signatures accepts the one of the image.
  private var isSigned: Bool {
    ShellWords.run("cd '\(machine.path)' && sbverify --cert cert \(Self.image) > verified 2>&1") == 0
  }

  private var path: String { machine.path.appending(FilePath(Self.image).components).string }

  private func settle() async throws { try await machine.settle(machine.recipes(.mkinitcpio, kernel)) }

  private var plan: ImagePlan {
    get async throws { await machine.plan(try await machine.recipes(.mkinitcpio, kernel)) }
  }

  private func sign() throws {
    try machine.run("sbsign --key key --cert cert --output \(Self.image) \(Self.image)")
  }

  /// Installs sbctl, which has the image in its list or not.
  private func addSbctl(listing: Bool) throws {
    try Files.write(
      Self.sbctl.bytes, to: machine.path.appending("bin/sbctl".components),
      permissions: [.ownerReadWriteExecute])
    let entry = #""\#(Self.image)": {"file": "/\#(Self.image)", "output_file": "/\#(Self.image)"}"#
    try machine.directory.write("{\(listing ? entry : "")}", to: "var/lib/sbctl/files.json")
  }

  private func secureBoot(isOn: Bool) throws {
    let name = "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
    let file = machine.path.appending("sys/firmware/efi/efivars/\(name)".components)
    try Files.makeDirectories(file.removingLastComponent())
    try Files.write([6, 0, 0, 0, isOn ? 1 : 0], to: file)
  }

  /// A hook of mkinitcpio that runs when its images are in place.
  private func addPostHook(_ words: String) throws {
    let hook = machine.path.appending("etc/initcpio/post/sign".components)
    try Files.makeDirectories(hook.removingLastComponent())
    try Files.write(
      "#!/bin/sh\ncd \"$ROOT\"\n\(words)\n".bytes, to: hook, permissions: [.ownerReadWriteExecute])
  }

  // MARK: Remade

  @Test func whatSbctlHasInItsListIsSignedBeforeItIsInItsPlace() async throws {
    try addSbctl(listing: true)
    try sign()
    try machine.install("hello", "new")
    try await settle()
    #expect(isSigned)
    let calls = machine.calls
    #expect(
      calls.count == 2 && calls[0].hasPrefix("mkinitcpio ") && calls[1].hasPrefix("sbctl sign /boot/"),
      "\(calls)")
    #expect(!calls[1].hasSuffix(Self.image), "the staged one is signed")
    #expect(try await plan.entries.map(\.decision) == [.keepFresh])
  }

  @Test func whereSbctlFailsTheSignedOneStays() async throws {
    try addSbctl(listing: true)
    try sign()
    try machine.install("hello", "new")
    try machine.run("rm key")
    let before = try machine.bytes(Self.image)
    let recipes = try await machine.recipes(.mkinitcpio, kernel)
    let error = await #expect(throws: GenerationError.self) { try await machine.settle(recipes) }
    #expect(error?.reason.hasPrefix("sbctl has not signed it: ") == true, "\(String(describing: error))")
    #expect(try machine.bytes(Self.image) == before)
  }

  @Test func whatWouldLoseItsSignatureIsNotUsed() async throws {
    try sign()
    try machine.directory.write(
      "PRESETS=(default)\nALL_kver=\(BootMachine.release)\ndefault_uki=/\(Self.image)\n"
        + "default_options=--nopost\n", to: "etc/mkinitcpio.d/linux.preset")
    try machine.install("hello", "new")
    let before = try machine.bytes(Self.image)
    let recipes = try await machine.recipes(.mkinitcpio, kernel)
    let error = await #expect(throws: GenerationError.self) { try await machine.settle(recipes) }
    #expect(error?.reason.contains("it has no signature, which the old one has") == true)
    #expect(try machine.bytes(Self.image) == before)
    // With sbctl there is a command that ends it.
    try addSbctl(listing: false)
    let other = await #expect(throws: GenerationError.self) { try await machine.settle(recipes) }
    let command = "sbctl sign -s \(path)"
    #expect(other?.remedy == "\(command) && alpm-dkms initramfs \(BootMachine.release)")
    try machine.run("export ROOT=\(machine.path); \(machine.path)/bin/\(command)")
    try await settle()
    #expect(isSigned)
    #expect(try await plan.entries.map(\.decision) == [.keepFresh])
  }

  @Test func whatAPostHookSignsIsSigned() async throws {
    try sign()
    try addPostHook("exec sbsign --key key --cert cert --output \"$3\" \"$3\"")
    try machine.install("hello", "new")
    try await settle()
    #expect(isSigned)
    #expect(Disk.list(machine.path.appending("state")).isEmpty)
  }

  @Test func whatNoPostHookSignsIsNamedUntilItIsSigned() async throws {
    try sign()
    try addPostHook(":")
    try machine.install("hello", "new")
    let recipes = try await machine.recipes(.mkinitcpio, kernel)
    let error = await #expect(throws: GenerationError.self) { try await machine.settle(recipes) }
    #expect(error?.reason.contains("nothing has signed it, as the old one was") == true)
    #expect(try machine.modules(in: Self.image, .unifiedKernelImage) == ["hello"])
    let remedy = "sign it with the key that this machine's firmware knows"
    #expect(
      try await plan.entries.map(\.decision) == [.keepUnsigned([.unsigned(isRefused: false, remedy: remedy)])]
    )
    try sign()
    #expect(try await plan.entries.map(\.decision) == [.keepFresh])
  }

  @Test func whatWasNeverSignedNeedsNoSignature() async throws {
    try machine.install("hello", "new")
    try await settle()
    #expect(!isSigned)
    #expect(try await plan.entries.map(\.decision) == [.keepFresh])
  }

  // MARK: Found without

  @Test func whatIsInTheListAndNotSignedIsOnlySigned() async throws {
    try addSbctl(listing: true)
    let flaw = ImageFlaw.unsigned(isRefused: false, remedy: "sbctl sign \(path)")
    #expect(try await plan.entries.map(\.decision) == [.sign([flaw])])
    try await settle()
    #expect(isSigned)
    #expect(machine.calls.allSatisfy { $0.hasPrefix("sbctl sign ") }, "no generator is called")
    #expect(try await plan.entries.map(\.decision) == [.keepFresh])
  }

  @Test func theRemedyTypedAsPrintedEndsIt() async throws {
    try addSbctl(listing: true)
    guard case .sign(let flaws)? = try await plan.entries.first?.decision,
      case .unsigned(_, let remedy)? = flaws.first
    else {
      Issue.record("it is known to lack its signature")
      return
    }
    try machine.run("export ROOT=\(machine.path) PATH=\(machine.path)/bin:$PATH; \(remedy)")
    #expect(try await plan.entries.map(\.decision) == [.keepFresh])
  }

  @Test func theFirmwareRefusesWhatIsNotSigned() async throws {
    try secureBoot(isOn: false)
    #expect(try await plan.entries.map(\.decision) == [.keepFresh])
    try secureBoot(isOn: true)
    let flaws = try await plan.entries.flatMap(\.conditions).flatMap(\.flaws)
    #expect(flaws.map(\.words) == ["it has no signature, and Secure Boot is on, which refuses it"])
    try sign()
    #expect(try await plan.entries.map(\.decision) == [.keepFresh])
  }

  @Test func aListThatCannotBeUnderstoodLeavesEverythingUnknown() async throws {
    try machine.directory.write("{", to: "var/lib/sbctl/files.json")
    #expect(try await plan.unknown.count == 1)
    try machine.directory.write("", to: "var/lib/sbctl/files.json")
    #expect(try await plan.entries.map(\.decision) == [.keepFresh], "sbctl makes it empty")
  }

  @Test func aCutSignatureIsNone() throws {
    try sign()
    let file = machine.path.appending(FilePath(Self.image).components)
    #expect(try UnifiedKernelImage.isSigned(file) == true)
    try machine.run("truncate -s -100 \(Self.image)")
    #expect(try UnifiedKernelImage.isSigned(file) == false)
    #expect(!isSigned)
  }

  private static let sbctl = #"""
    #!/bin/bash
    set -eu
    echo "sbctl $*" >> "$ROOT/calls"
    [[ $1 == sign ]] && shift
    save=
    [[ $1 == -s ]] && { save=y; shift; }
    (($# == 1)) && [[ -f $1 ]]
    sbsign --key "$ROOT/key" --cert "$ROOT/cert" --output "$1" "$1"
    [[ ! $save ]] || echo "{\"$1\": {\"file\": \"${1#"$ROOT"}\", \"output_file\": \"${1#"$ROOT"}\"}}" \
      > "$ROOT/var/lib/sbctl/files.json"
    """#
}
