// SPDX-License-Identifier: GPL-2.0-or-later

internal import JSON

// What these values are called in JSON wherever they have no name of their own: always the same.

extension ModuleID: SelfNamed {
  package static var memberName: String { "module" }
}

extension Kernel: SelfNamed {
  package static var memberName: String { "kernel" }
}

extension KernelRelease: SelfNamed {
  package static var memberName: String { "release" }
}

extension NameKind: SelfNamed {
  package static var memberName: String { "kind" }
}

extension Exposure: SelfNamed {
  package static var memberName: String { "exposure" }
}

extension BuildLimit: SelfNamed {
  package static var memberName: String { "limit" }
}

extension KeyPair: SelfNamed {
  package static var memberName: String { "keys" }
}

extension SigningProblem: SelfNamed {
  package static var memberName: String { "problem" }
}

extension Overtaking: SelfNamed {
  package static var memberName: String { "change" }
}

extension TarballContents: SelfNamed {
  package static var memberName: String { "contents" }
}

extension DKMSError: SelfNamed {
  package static var memberName: String { "error" }
}
