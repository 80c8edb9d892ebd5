// SPDX-License-Identifier: GPL-2.0-or-later

public import SystemPackage

/// Why an entry of an archive must not be taken out.
public enum Refusal: Error, Hashable, Sendable {
  /// Its path begins at the root.
  case absolutePath
  /// Its path goes up.
  case parentDirectory
  /// Its path has a control character.
  case controlCharacter
  /// Its path, or what it links to, is longer than any file's should be.
  case tooLong
  /// It lies below something that the archive says is no directory.
  case belowNoDirectory(FilePath)
  /// The archive has it as another kind of thing already.
  case twoKinds
  /// It is a device, a pipe or a socket.
  case special
  /// It links out of the directory in which it must stay.
  case leadsOut(target: FilePath)
  /// It links to itself, perhaps by way of others.
  case circular(target: FilePath)
  /// It is another name of a file that the archive does not have before it.
  case noSuchFile(target: FilePath)
  /// It is one entry more than may be.
  case tooManyEntries(limit: Int)
  /// It brings the bytes above what may be.
  case tooManyBytes(limit: Int64)
}

extension Refusal: CustomStringConvertible {
  /// The words that come after the entry.
  public var description: String {
    switch self {
    case .absolutePath: "has an absolute path"
    case .parentDirectory: "has '..' in its path"
    case .controlCharacter: "has a control character in its name"
    case .tooLong: "has too long a name, or links to one"
    case .belowNoDirectory(let path): "lies below '\(path.visible)', which is not a directory there"
    case .twoKinds: "is there twice, as different things"
    case .special: "is a device, a pipe or a socket"
    case .leadsOut(let target): "links to '\(target.visible)', which leads out"
    case .circular(let target): "links to '\(target.visible)', which leads in circles"
    case .noSuchFile(let target): "is to be the same as '\(target.visible)', which is not there before it"
    case .tooManyEntries(let limit): "is one entry too many: no more than \(limit) are unpacked"
    case .tooManyBytes(let limit): "is too much: no more than \(limit >> 20) MiB are unpacked"
    }
  }
}
