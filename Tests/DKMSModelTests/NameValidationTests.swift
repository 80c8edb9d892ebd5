// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Testing

@Suite struct NameValidationTests {
  static let refused = [
    "", ".", "..", "/", "a/b", "../x", "/abs", "a/", "-x", "--all", ".hidden", "a b", " a", "a ", "a\tb",
    "a\nb", "a\r", "a\0b", "a\u{1B}[31mb", "a\u{7F}",
  ]

  static let accepted = [
    "nvidia", "hello-world", "v4l2loopback", "a.b", "a..b", "1.0", "2.0rc1-x", "2.6.9-1cvs200409091247",
    "6.12.1-arch1-1", "5.10.0+deb", "a_b", "a~1", "a:1", "ü",
  ]

  @Test(arguments: refused)
  func moduleNameIsRefused(_ text: String) {
    expectInvalid(.moduleName, text) { () throws(DKMSError) in
      _ = try ModuleID(name: text, version: "1.0")
    }
  }

  @Test(arguments: refused)
  func moduleVersionIsRefused(_ text: String) {
    expectInvalid(.moduleVersion, text) { () throws(DKMSError) in
      _ = try ModuleID(name: "module", version: text)
    }
  }

  @Test(arguments: refused)
  func kernelReleaseIsRefused(_ text: String) {
    expectInvalid(.kernelRelease, text) { () throws(DKMSError) in _ = try KernelRelease(text) }
  }

  @Test(arguments: refused)
  func architectureIsRefused(_ text: String) throws {
    let release = try KernelRelease("6.1.0")
    expectInvalid(.architecture, text) { () throws(DKMSError) in
      _ = try Kernel(release: release, architecture: text)
    }
  }

  @Test(arguments: accepted)
  func nameIsAccepted(_ text: String) throws {
    let id = try ModuleID(name: text, version: text)
    #expect(id.description == "\(text)/\(text)")
    #expect(id.sourceDirectoryName == "\(text)-\(text)")
    #expect(try KernelRelease(text).description == text)
  }

  private func expectInvalid(
    _ kind: NameKind, _ text: String, _ body: () throws(DKMSError) -> Void,
    at location: SourceLocation = #_sourceLocation
  ) {
    do throws(DKMSError) {
      try body()
      Issue.record("'\(text)' was accepted", sourceLocation: location)
    } catch {
      guard case .invalidName(kind, value: text, let problem) = error else {
        Issue.record(error, sourceLocation: location)
        return
      }
      #expect(!problem.isEmpty, sourceLocation: location)
    }
  }
}
