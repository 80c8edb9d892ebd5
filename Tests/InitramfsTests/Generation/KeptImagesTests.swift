// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import SystemPackage
import TestSupport
import Testing

@testable import Initramfs

/// Copies of images that a program writes over by itself.
@Suite struct KeptImagesTests {
  private let directory: TemporaryDirectory
  private let release: KernelRelease
  private let images = ["boot/m/6.1.0/initrd", "boot/m-6.1.0/initrd", "boot/m/6.1.0-initrd"]

  init() throws {
    directory = try TemporaryDirectory()
    release = try KernelRelease("6.1.0")
    for image in images { try directory.write(image, to: image) }
  }

  private var kept: FilePath { directory.path.appending("kept") }

  private func keep() throws -> KeptImages {
    let copies = try KeptImages(
      images.map { directory.path.appending(FilePath($0).components) }, release, in: kept)
    for image in images { try directory.write("worse", to: image) }
    return copies
  }

  private func expectAllBack() {
    for image in images {
      #expect(Disk.text(directory.path.appending(FilePath(image).components)) == image)
    }
    #expect(Disk.list(kept).isEmpty)
  }

  @Test func eachGoesBackToItsOwnPlace() throws {
    try keep().putBack()
    expectAllBack()
  }

  @Test func soItDoesAfterARunThatWasKilled() throws {
    _ = try keep()
    try KeptImages.resume(in: kept)
    expectAllBack()
  }
}
