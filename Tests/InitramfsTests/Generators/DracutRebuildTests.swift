// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import SystemPackage
import TestSupport
import Testing

@testable import Initramfs

/// That dracut itself makes an image anew as it was made.
@Suite(.requiresDracut, .serialized) struct DracutRebuildTests {
  private let machine: BootMachine
  private let kernel: BootableKernel
  private static let image = "efi/EFI/Linux/linux-\(BootMachine.release).efi"

  init() async throws {
    machine = try BootMachine()
    kernel = try machine.kernel()
    try machine.run(
      """
      rm bin/dracut; ln -s usr/lib lib; mkdir -p efi/EFI/Linux conf.d usr/lib/modules/\(BootMachine.release)/updates/dkms
      touch dracut.conf; head -c 5000 /dev/zero > kernel
      """)
    try compile(1)
  }

  /// Installs a module that stands in no configuration.
  private func compile(_ value: Int) throws {
    try machine.run(
      #"""
      cat > module.c << 'END'
      #define INFO(name, text) \
        static const char name[] __attribute__((section(".modinfo"), used)) = #name "=" text;
      INFO(license, "GPL")
      INFO(depends, "")
      INFO(vermagic, "6.12.1-arch1-1 SMP mod_unload ")
      int init_module(void) { return VALUE; }
      END
      gcc -c -DVALUE=\#(value) -o usr/lib/modules/\#(BootMachine.release)/updates/dkms/hello.ko module.c
      depmod -b "$PWD" \#(BootMachine.release)
      """#)
  }

  /// Calls dracut as an administrator does.
  private func make(_ image: String, _ options: String) throws {
    try machine.run(
      """
      dracut --force --conf "$PWD/dracut.conf" --confdir "$PWD/conf.d" --tmpdir "$PWD" --no-early-microcode \
        --kmoddir "$PWD/lib/modules/\(BootMachine.release)" -m base --add-drivers hello \(options) \
        --kver \(BootMachine.release) \(image)
      """)
  }

  private func section(_ name: String) throws -> String {
    try machine.run(
      "objcopy -O binary --only-section=\(name) \(Self.image) section && tr -d '\\0' < section")
  }

  @Test func aUnifiedKernelImageKeepsItsCommandLine() async throws {
    try make(
      Self.image,
      """
      --no-hostonly --uefi --kernel-image "$PWD/kernel" --kernel-cmdline "root='UUID=1234' rw" \
        --include "$PWD/kernel" /etc/kept
      """)
    try compile(2)
    let recipes = try await machine.recipes(.dracut, kernel)
    let plan = await machine.plan(recipes)
    #expect(plan.entries.map(\.decision) == [.generate([.differs(kernelModule: "hello")])])
    for entry in plan.generated { try await machine.maker.make(entry) }
    #expect(try section(".cmdline") == "root='UUID=1234' rw")
    #expect(await machine.plan(recipes).entries.map(\.decision) == [.keepFresh])
    try machine.run("lsinitrd \(Self.image) | grep etc/kept")
  }

  @Test func whatItIsMadeWithIsKeptInAnArchive() async throws {
    try make(
      "boot/initramfs-linux.img", "--no-hostonly-cmdline --hostonly --nostrip -i \"$PWD/kernel\" /etc/kept")
    try machine.directory.write("uefi=yes\n", to: "conf.d/uefi.conf")
    try compile(2)
    let recipes = try await machine.recipes(.dracut, kernel)
    let options = await machine.plan(recipes).entries[0].recipe.options
    let path = machine.path.string
    #expect(
      options == [
        "--force", "--no-uefi", "--conf", "\(path)/dracut.conf", "--confdir", "\(path)/conf.d",
        "--no-early-microcode",
        "--kmoddir", "\(path)/lib/modules/\(BootMachine.release)", "-m", "base", "--add-drivers", "hello",
        "--no-hostonly-cmdline", "--hostonly", "--nostrip", "--include", "\(path)/kernel", "/etc/kept",
        "--kver",
        BootMachine.release,
      ])
  }

  @Test func anImageWithoutAPartThatTheOldOneHadIsRefused() async throws {
    try make(
      Self.image, "--no-hostonly --uefi --kernel-image \"$PWD/kernel\" --kernel-cmdline 'root=UUID=1234 rw'")
    try compile(2)
    let before = try machine.bytes(Self.image)
    var entry = await machine.plan(try await machine.recipes(.dracut, kernel)).entries[0]
    let place = try #require(entry.recipe.options.firstIndex(of: "--kernel-cmdline"))
    entry.recipe.options.removeSubrange(place...place + 1)
    let error = await #expect(throws: GenerationError.self) { try await machine.maker.make(entry) }
    #expect(error?.reason == "what dracut made is not used: it lacks .cmdline, which the old one has")
    #expect(try machine.bytes(Self.image) == before)
  }

  @Test(arguments: [
    (" --add 'a b' -f --kver '6.1' --force --uefi", [["--add", "a b"]]),
    (" --kernel-cmdline 'a='b c' d' --hostonly\n", [["--kernel-cmdline", "a='b c' d"], ["--hostonly"]]),
    (" --include '/a b' '/c' -o 'x'", [["--include", "/a b", "/c"], ["-o", "x"]]),
    ("", []),
  ])
  func argumentsAreReadAsTheyAreNoted(_ text: String, _ options: [[String]]) {
    #expect(DracutArguments(text)?.forAnother == options)
  }

  @Test(arguments: ["words", " --add 'a", "$(reboot)"])
  func whatDracutDoesNotWriteIsNotRead(_ text: String) { #expect(DracutArguments(text) == nil) }
}
