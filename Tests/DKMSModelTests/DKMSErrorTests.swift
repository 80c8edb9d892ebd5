// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import JSON
import TestSupport
import Testing

@Suite struct DKMSErrorTests {
  struct Case: CustomTestStringConvertible {
    let error: DKMSError
    let status: Int32
    let subjects: [String]
    var testDescription: String { "\(error)" }

    init(_ error: DKMSError, _ status: Int32, naming subjects: String...) {
      self.error = error
      self.status = status
      self.subjects = subjects
    }
  }

  static func cases() throws -> [Case] {
    let id = try ModuleID(name: "hello", version: "1.0")
    let kernel = try Kernel(release: KernelRelease("6.1.0-x"), architecture: "x86_64")
    let log = "/var/lib/dkms/hello/1.0/build/make.log"
    let keys = KeyPair(key: "/x/key", certificate: "/x/pub")
    let onToken = KeyPair(key: "pkcs11:pin-value=1234", certificate: "/x/pub")
    let script = { (kind: ScriptKind, log: String?) in
      DKMSError.scriptFailed(id, script: kind, status: 42, log: log)
    }
    return [
      Case(.invalidName(.moduleName, value: "../x", problem: "no"), 8, naming: "../x", "module name"),
      Case(
        .untrusted(
          subject: "hello/1.0",
          [
            Exposure(path: "/usr/src", place: "/usr/src", cause: .group, remedy: "chmod go-w /usr/src"),
            Exposure(
              path: "/home/bob", place: "/home/bob", cause: .owner("bob"), link: "/etc/dkms/x.conf",
              remedy: "cp"),
          ]), 1,
        naming:
          "hello/1.0 is not trusted: the group of /usr/src can change it; /home/bob belongs to bob, and "
          + "/etc/dkms/x.conf leads there"),
      Case(.sourceMissing(id, directory: "/usr/src/hello-1.0"), 2, naming: "hello/1.0", "/usr/src/hello-1.0"),
      Case(.configurationMissing(path: "/x/dkms.conf"), 4, naming: "/x/dkms.conf"),
      Case(.configurationUnreadable(path: "/x/dkms.conf", detail: "bad"), 8, naming: "/x/dkms.conf", "bad"),
      Case(
        .configurationForbidden(path: "/x/dkms.conf", user: "dkms-build"), 8,
        naming: "/x/dkms.conf", "dkms-build"),
      Case(.configurationMalformed(path: "/x/dkms.conf", detail: "bad"), 10, naming: "/x/dkms.conf", "bad"),
      Case(
        .configurationInvalid(path: "/x/dkms.conf", problems: ["one", "two"]), 8,
        naming: "/x/dkms.conf", "one", "two"),
      Case(.alreadyAdded(id), 3, naming: "hello/1.0"),
      Case(.notAdded(id), 3, naming: "hello/1.0"),
      Case(.moduleBroken(id, link: "/x/source"), 4, naming: "hello/1.0", "/x/source"),
      Case(.sourceEmpty(id, directory: "/x"), 8, naming: "hello/1.0", "/x"),
      Case(.kernelMissing(kernel.release, directory: "/x"), 6, naming: "6.1.0-x", "/x"),
      Case(.headersMissing(kernel, directory: "/x", package: nil), 21, naming: "6.1.0-x", "/x"),
      Case(.headersMissing(kernel, directory: "/x", package: "linux-headers"), 21, naming: "6.1.0-x", "/x"),
      Case(
        .headersMissing(
          kernel, directory: "/x", package: "linux-headers", others: [try KernelRelease("6.2.0-x")]), 21,
        naming: "6.1.0-x", "/x", "; linux-headers is installed for 6.2.0-x instead"),
      Case(
        .headersDamaged(id, kernel, problem: "/x is missing", package: "linux-headers", log: log), 10,
        naming: "hello/1.0", "6.1.0-x", "/x is missing"),
      Case(
        .compilerMissing(kernel, program: "gcc-12", packages: "gcc"), 10, naming: "6.1.0-x", "gcc-12"),
      Case(.excluded(id, kernel, reason: "too old"), 77, naming: "hello/1.0", "6.1.0-x", "too old"),
      Case(
        .dependenciesMissing(id, kernel, names: ["a", "bc"]), 13, naming: "hello/1.0", "6.1.0-x", "a", "bc"),
      Case(.patchOutside(id, patch: "../p"), 5, naming: "hello/1.0", "../p"),
      Case(.patchMissing(id, patch: "p", directory: "/x"), 5, naming: "hello/1.0", "'p'", "/x"),
      Case(.patchFailed(id, kernel, patch: "p", log: log), 6, naming: "hello/1.0", "6.1.0-x", "'p'"),
      Case(
        .buildFailed(id, kernel, firstError: "a.c: error", log: log), 10,
        naming: "hello/1.0", "6.1.0-x", "a.c: error"),
      Case(.buildFailed(id, kernel, firstError: nil, log: log), 10, naming: "hello/1.0", "6.1.0-x"),
      Case(
        .buildSilent(id, kernel, limit: .seconds(1800), log: log), 10,
        naming: "hello/1.0", "6.1.0-x", "30 minutes"),
      Case(
        .buildSilent(id, kernel, limit: .seconds(90), log: log), 10, naming: "hello/1.0", "90 seconds"),
      Case(
        .buildStopped(id, kernel, .time(.seconds(7200)), log: log), 10,
        naming: "hello/1.0", "6.1.0-x", "120 minutes"),
      Case(
        .buildStopped(id, kernel, .memory(3 << 30), log: log), 10, naming: "hello/1.0", "3072 MiB"),
      Case(
        .buildStopped(id, kernel, .processes(99), log: log), 10, naming: "hello/1.0", "99 processes"),
      Case(
        .scriptSilent(id, script: .preInstall, limit: .seconds(60)), 101,
        naming: "hello/1.0", "PRE_INSTALL", "1 minute"),
      Case(
        .scriptSilent(id, script: .postAdd, limit: .seconds(1)), 10,
        naming: "hello/1.0", "POST_ADD", "1 second"),
      Case(
        .moduleNotProduced(id, kernel, file: "h.ko", firstError: "a.c: error", log: log), 7,
        naming: "hello/1.0", "6.1.0-x", "h.ko", "a.c: error"),
      Case(
        .vermagicMismatch(id, kernel, file: "h.ko", found: "5.0", log: log), 7,
        naming: "hello/1.0", "6.1.0-x", "h.ko", "5.0"),
      Case(
        .notSigned(id, kernel, .programMissing(path: "/x/sign-file")), 7, naming: "hello/1.0", "6.1.0-x",
        "/x/sign-file"),
      Case(
        .notSigned(id, kernel, .programFailed(path: "/x", detail: "no")), 7, naming: "hello/1.0", "/x", "no"),
      Case(.keysUnavailable(.keysAbsent(keys)), 1, naming: "/x/key", "/x/pub"),
      Case(.keysUnavailable(.keyMissing(keys)), 1, naming: "/x/key", "/x/pub"),
      Case(.keysUnavailable(.certificateMissing(keys)), 1, naming: "/x/key", "/x/pub"),
      Case(.keysUnavailable(.certificateMissing(onToken)), 1, naming: "/x/pub", "token"),
      Case(.keysUnavailable(.opensslMissing), 1, naming: "openssl"),
      Case(.keysUnavailable(.keysNotMade(keys, detail: "no room")), 1, naming: "/x/key", "no room"),
      Case(script(.postAdd, nil), 42, naming: "hello/1.0", "POST_ADD", "42"),
      Case(script(.preBuild, log), 42, naming: "hello/1.0", "PRE_BUILD", "42"),
      Case(script(.postBuild, log), 42, naming: "hello/1.0", "POST_BUILD", "42"),
      Case(script(.preInstall, nil), 101, naming: "hello/1.0", "PRE_INSTALL", "42"),
      Case(script(.postInstall, nil), 42, naming: "hello/1.0", "POST_INSTALL", "42"),
      Case(script(.postRemove, nil), 42, naming: "hello/1.0", "POST_REMOVE", "42"),
      Case(
        .overtaken(id, nil, .removed, by: "dkms remove (process 7)"), 3,
        naming: "hello/1.0", "removed meanwhile by dkms remove (process 7)"),
      Case(.overtaken(id, kernel, .unbuilt, by: nil), 6, naming: "hello/1.0", "6.1.0-x", "another run"),
      Case(.overtaken(id, kernel, .installed, by: nil), 1, naming: "hello/1.0", "6.1.0-x", "its build stays"),
      Case(.overtaken(id, nil, .built, by: nil), 1, naming: "hello/1.0", "stays registered"),
      Case(.productIncomplete(id, kernel, file: "h.ko"), 6, naming: "hello/1.0", "6.1.0-x", "h.ko"),
      Case(.nothingInstalled(id, kernel, reasons: ["one", "two"]), 6, naming: "hello/1.0", "one", "two"),
      Case(.depmodFailed(kernel.release, detail: "no room"), 6, naming: "6.1.0-x", "no room"),
      Case(.tarballMissing(path: "/x.tar"), 2, naming: "/x.tar"),
      Case(.tarballUnusable(path: "/x.tar", reason: "damaged"), 3, naming: "/x.tar", "damaged"),
      Case(.tarballWithoutConfiguration(path: "/x.tar"), 3, naming: "/x.tar", "dkms.conf"),
      Case(.tarballWithoutModule(path: "/x.tar"), 7, naming: "/x.tar", "dkms.conf"),
      Case(.tarballKnown(id), 8, naming: "hello/1.0"),
      Case(.sourceWithoutConfiguration(directory: "/x"), 9, naming: "/x", "dkms.conf"),
      Case(.tarballNotWritable(directory: "/x", reason: "no room"), 9, naming: "/x", "no room"),
      Case(.tarballFailed(path: "/x.tar", reason: "no room"), 6, naming: "/x.tar", "no room"),
      Case(.notBuilt(id, kernel), 6, naming: "hello/1.0", "6.1.0-x"),
      Case(.notBuilt(id, nil), 6, naming: "hello/1.0"),
      Case(
        .libraryMissing(package: "libarchive", detail: "no such file"), 1, naming: "libarchive",
        "no such file"),
      Case(
        .fileListDamaged(package: "linux", reason: "cut short", remedy: "pacman -S linux"), 1,
        naming: "linux",
        "cut short"),
      Case(.removalUnasked(kernel.release, modules: [id]), 1, naming: "hello/1.0", "6.1.0-x"),
      Case(.removalUnasked(kernel.release, modules: []), 1, naming: "6.1.0-x"),
      Case(.system(operation: "read", subject: "/x", reason: "no room"), 1, naming: "read", "/x", "no room"),
    ]
  }

  @Test(arguments: try cases())
  func messageIsOneLineThatNamesItsSubjects(_ expected: Case) {
    let message = expected.error.description
    #expect(!message.isEmpty)
    #expect(!message.contains("\n") && !message.contains("1234"))
    for subject in expected.subjects { #expect(message.contains(subject)) }
  }

  @Test(arguments: try cases())
  func exitStatusIsTheReferences(_ expected: Case) {
    #expect(expected.error.exitStatus.rawValue == expected.status)
  }

  @Test(arguments: try cases())
  func remedyIsOneLine(_ expected: Case) {
    guard let remedy = expected.error.remedy else { return }
    #expect(!remedy.isEmpty)
    #expect(!remedy.contains("\n"))
  }

  @Test func everyErrorIsDescribedForPrograms() throws {
    let schema = try JSONSchema("record")
    for error in try Self.cases().map(\.error) {
      #expect(schema.faults(in: JSON(encoding: error), as: "error") == [])
    }
  }

  @Test func logIsNamedWhereThereIsOne() throws {
    let id = try ModuleID(name: "hello", version: "1.0")
    let kernel = try Kernel(release: KernelRelease("6.1.0-x"), architecture: "x86_64")
    let log = "/var/lib/dkms/hello/1.0/build/make.log"
    let errors: [DKMSError] = [
      .patchFailed(id, kernel, patch: "p", log: log),
      .buildFailed(id, kernel, firstError: nil, log: log),
      .moduleNotProduced(id, kernel, file: "h.ko", firstError: nil, log: log),
      .vermagicMismatch(id, kernel, file: "h.ko", found: "5.0", log: log),
      .scriptFailed(id, script: .preBuild, status: 1, log: log),
    ]
    for error in errors { #expect(error.remedy?.contains(log) == true) }
    #expect(DKMSError.scriptFailed(id, script: .postInstall, status: 1, log: nil).remedy == nil)
  }

  @Test func headersArePackagedWhereTheKernelSaysSo() throws {
    let kernel = try Kernel(release: KernelRelease("6.1.0-x"), architecture: "x86_64")
    let error = DKMSError.headersMissing(kernel, directory: "/x", package: "linux-lts-headers")
    #expect(error.remedy == "pacman -S linux-lts-headers")
    let other = DKMSError.headersMissing(
      kernel, directory: "/x", package: "linux-lts-headers", others: [try KernelRelease("6.2.0-x")])
    #expect(other.remedy == "pacman -Syu linux-lts linux-lts-headers")
  }

  @Test(arguments: ["a\nb", "a\u{1B}[2Jb", "a\rb"])
  func refusedNameIsShownOnOneLine(_ name: String) throws {
    let error = try #require(throws: DKMSError.self) { try ModuleID(name: name, version: "1") }
    #expect(!error.description.unicodeScalars.contains { $0.value < 0x20 })
  }
}
