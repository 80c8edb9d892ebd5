// SPDX-License-Identifier: GPL-2.0-or-later

internal import Host
internal import SystemPackage

/// A kernel that is there to be booted, as a file.
enum KernelImage {
  /// The release that the file itself tells; nil where it tells none.
  ///
  /// From the header of x86 kernels, which leads to the text; of others from the banner, if it is not compressed.
  ///
  /// - Throws: `HostError` where something is there that cannot be read, or is no regular file.
  static func release(in file: FilePath) throws(HostError) -> String? {
    guard try Files.size(file) != nil else { return nil }
    let bytes = try Files.read(file, upTo: headerReach)
    if bytes.count > 0x210, bytes[0x202..<0x206].elementsEqual("HdrS".utf8) {
      let offset = 0x200 + Int(bytes[0x20E]) + Int(bytes[0x20F]) << 8
      guard offset < bytes.count else { return nil }
      return word(bytes[offset...])
    }
    let banner = Array("Linux version ".utf8)
    let all = try Files.read(file, upTo: sizeLimit)
    var index = 0
    while let next = all[index...].firstIndex(of: banner[0]) {
      if all[next...].starts(with: banner) { return word(all[(next + banner.count)...]) }
      index = next + 1
    }
    return nil
  }

  private static let headerReach = 0x10400
  private static let sizeLimit = 128 << 20

  private static func word(_ bytes: ArraySlice<UInt8>) -> String? {
    let word = String(decoding: bytes.prefix { (0x21...0x7E).contains($0) }.prefix(256), as: UTF8.self)
    return word.first?.isNumber == true && word.contains(".") ? word : nil
  }
}
