// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel

/// The words of a call of `dkms`, of which another is made to be typed in its place.
struct Call: Equatable {
  var words: [String]

  /// The call, quoted as a shell wants it.
  var text: String { (["dkms"] + words.map(\.quotedForShell)).joined(separator: " ") }

  /// The call with another word in the place of one; nil where there is none to take its place.
  func with(_ replacement: String?, insteadOf word: String) -> Call? {
    guard let replacement, let index = words.firstIndex(of: word) else { return nil }
    var call = self
    call.words[index] = replacement
    return call
  }

  /// The call for this kernel alone.
  func forKernel(_ release: KernelRelease) -> Call {
    let names = ["-k", "--kernelver"]
    var others: [String] = []
    var isValue = false
    for word in words {
      if !isValue, !names.contains(word), !word.hasPrefix("--kernelver=") { others.append(word) }
      isValue = !isValue && names.contains(word)
    }
    return Call(words: others + ["-k", release.description])
  }
}
