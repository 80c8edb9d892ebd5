// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import SystemPackage
import TestSupport
import Testing

@testable import DKMSEngine

extension TemporaryMachine {
  /// What a dkms.conf says for a kernel.
  func read(
    _ conf: String, of id: ModuleID? = nil, for release: String = "6.1.5-x"
  ) async throws -> ModuleConfiguration {
    let source = layout.sourceTree.appending("tested")
    try directory.write(conf, to: "src/tested/dkms.conf")
    return try await configuration(of: id, in: source, for: kernel(release))
  }

  /// What the dkms.conf in a directory says for a kernel.
  func configuration(
    of id: ModuleID? = nil, in source: FilePath, for kernel: Kernel
  ) async throws -> ModuleConfiguration {
    switch await snapshot.configuration(of: id, source: source, for: kernel).fact {
    case .read(let configuration): return configuration
    case .unreadable(let error): throw error
    }
  }

  /// The same for a conf that needs no more than these lines.
  func read(adding lines: String, for release: String = "6.1.5-x") async throws -> ModuleConfiguration {
    try await read(Self.plain + lines + "\n", for: release)
  }

  /// The problems of a conf that is refused.
  func problems(
    of conf: String, at location: SourceLocation = #_sourceLocation
  ) async throws -> [String] {
    let error = try await #require(throws: DKMSError.self, sourceLocation: location) {
      _ = try await read(conf)
    }
    guard case .configurationInvalid(let path, let problems) = error else { throw error }
    #expect(path == "\(layout.sourceTree)/tested/dkms.conf", sourceLocation: location)
    return problems
  }

  static let plain = """
    PACKAGE_NAME="hello"
    PACKAGE_VERSION="1.0"
    BUILT_MODULE_NAME[0]="hello"
    DEST_MODULE_LOCATION[0]="/updates/dkms"

    """
}
