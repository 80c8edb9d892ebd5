// SPDX-License-Identifier: GPL-2.0-or-later

import Initramfs
import Testing

@Suite struct ImageErrorTests {
  @Test("It names the image and the reason")
  func words() {
    let error = ImageError(path: "/boot/initramfs-linux.img", reason: "it ends early")
    #expect("\(error)".contains("/boot/initramfs-linux.img") && "\(error)".hasSuffix("it ends early"))
  }
}
