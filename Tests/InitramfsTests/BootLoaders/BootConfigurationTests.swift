// SPDX-License-Identifier: GPL-2.0-or-later

import Testing

@testable import Initramfs

/// The entries of boot loaders, as they are written by hand and by the loaders' own programs.
@Suite struct BootConfigurationTests {
  private func lines(_ text: String, _ format: BootConfiguration.Format) -> [String] {
    BootConfiguration(Array(text.utf8), format).entries.map { entry in
      "\(entry.title ?? "-"): \(entry.kernels.joined(separator: " ")) + \(entry.images.joined(separator: " "))"
    }
  }

  @Test func anEntryOfTheBootLoaderSpecification() {
    let text = """
      # made by kernel-install
      title    Arch Linux  \r
      version  6.1
      linux    /0123/6.1/linux
      initrd   /ucode.img
      initrd\t/0123/6.1/initrd
      options  root=x initrd=\\own\\my.img quiet

      """
    #expect(
      lines(text, .loaderEntry) == [
        "Arch Linux: /0123/6.1/linux + /ucode.img /0123/6.1/initrd /own/my.img"
      ])
    #expect(lines("efi /EFI/Linux/a.efi\n", .loaderEntry) == ["-: /EFI/Linux/a.efi + "])
    #expect(lines("title Nothing\n", .loaderEntry) == [])
  }

  @Test func entriesOfLimine() {
    let text = """
      timeout: 5
      wallpaper: boot():/a.png

      /+Arch Linux
        comment: machine-id=0123
        //linux
          protocol: linux
          path: boot():/0123/linux/vmlinuz-linux#00ff
          module_path: boot():/0123/linux/ucode.img
          module_path: boot():/0123/linux/initramfs-linux#11aa
          cmdline: root=x
        //linux-lts
          KERNEL_PATH: uuid(12-34):/vmlinuz-linux-lts
      /Windows
        protocol: efi
        path: guid(1):/EFI/Microsoft/Boot/bootmgfw.efi
      """
    #expect(
      lines(text, .limine) == [
        "Arch Linux > linux: /0123/linux/vmlinuz-linux + /0123/linux/ucode.img /0123/linux/initramfs-linux",
        "Arch Linux > linux-lts: /vmlinuz-linux-lts + ",
        "Windows: /EFI/Microsoft/Boot/bootmgfw.efi + ",
      ])
  }

  @Test func entriesOfGRUB() {
    let text = """
      function load_video {
        insmod all_video
      }
      if [ x$a = xy ]; then
        initrd ($root)/outside.img
      fi
      menuentry 'Arch Linux' --class arch $menuentry_id_option 'gnulinux-simple' {
      \tload_video
      \tlinux\t/vmlinuz-linux root=UUID=1 rw
      \tinitrd\t/intel-ucode.img /initramfs-linux.img
      }
      submenu 'Advanced options' $menuentry_id_option 'advanced' {
        menuentry "Arch Linux, it'\\"s" {
          linuxefi ($root)/boot/vmlinuz-linux-lts
          initrdefi ($root)/boot/initramfs-linux-lts.img
        }
      }
      menuentry 'Somebody'\\''s' {
        chainloader /EFI/other.efi
      }
      """
    #expect(
      lines(text, .menu) == [
        "-:  + /outside.img",
        "Arch Linux: /vmlinuz-linux + /intel-ucode.img /initramfs-linux.img",
        "Advanced options > Arch Linux, it'\"s: /boot/vmlinuz-linux-lts + /boot/initramfs-linux-lts.img",
        "Somebody's: /EFI/other.efi + ",
      ])
  }

  @Test func stanzasOfREFIndTakeWhatTheyDoNotSayFromTheOneAround() {
    let text = """
      timeout 20
      menuentry "Arch Linux" {
        volume   "Arch Linux"
        loader   /boot/vmlinuz-linux
        initrd   /boot/initramfs-linux.img
        options  "root=x"
        submenuentry "fallback" {
          initrd /boot/initramfs-linux-fallback.img
        }
        submenuentry "text" {
          add_options "systemd.unit=multi-user.target"
        }
      }
      """
    #expect(
      lines(text, .menu) == [
        "Arch Linux: /boot/vmlinuz-linux + /boot/initramfs-linux.img",
        "Arch Linux > fallback: /boot/vmlinuz-linux + /boot/initramfs-linux-fallback.img",
        "Arch Linux > text: /boot/vmlinuz-linux + /boot/initramfs-linux.img",
      ])
  }

  @Test func linesOfREFIndForAllKernelsOfADirectory() {
    let text = """
      "Boot with defaults" "root=x initrd=boot\\ucode.img initrd=boot\\initramfs-%v.img"
      # "not" "initrd=/no.img"
      "Boot to nothing" "root=x"
      'Boot it' 'root=x initrd=/boot/initramfs-linux.img'
      """
    #expect(
      lines(text, .lines) == [
        "Boot with defaults:  + /boot/ucode.img /boot/initramfs-%v.img",
        "Boot it:  + /boot/initramfs-linux.img",
      ])
  }

  @Test(arguments: [BootConfiguration.Format.loaderEntry, .limine, .menu, .lines])
  func whatMakesNoSenseNamesNothing(_ format: BootConfiguration.Format) {
    for text in [
      "", "}\n}\n}", "menuentry", "menuentry {\n", "/", "////", "'", "initrd", "initrd=", "\u{0}\\",
    ] {
      #expect(lines(text, format) == [], "\(text)")
    }
  }
}
