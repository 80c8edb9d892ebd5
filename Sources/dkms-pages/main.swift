// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc
internal import Host
internal import SystemPackage

// Writes what completions and the manual page take from the tables of dkms; run it in the top directory. With
// --check it writes nothing, and fails if something is out of date. It is not installed.
let isCheck = CommandLine.arguments.contains("--check")
var isStale = false
for page in Page.all {
  do {
    let path = FilePath(page.path)
    let text = String(decoding: try Files.read(path), as: UTF8.self)
    let written = try page.rewritten(text)
    guard written != text else { continue }
    isStale = true
    print(
      isCheck ? "\(page.path) is not what the tables of dkms say: run make pages" : "\(page.path): written")
    if !isCheck { try Files.write(Array(written.utf8), to: path) }
  } catch {
    print("\(page.path): \(error)")
    exit(2)
  }
}
exit(isCheck && isStale ? 1 : 0)
