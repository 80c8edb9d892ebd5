// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel

extension ImageCondition {
  /// What is wrong with it and what makes it anew; nil where it is fresh.
  var finding: DoctorFinding? {
    guard !isFresh else { return nil }
    let reasons = flaws.map(\.words).joined(separator: "; ")
    if isUnknown { return DoctorFinding(.unknownImage, image.path, reasons) }
    return DoctorFinding(
      .staleImage, image.path, reasons, remedy: "alpm-dkms initramfs \(image.kernel.release)")
  }
}
