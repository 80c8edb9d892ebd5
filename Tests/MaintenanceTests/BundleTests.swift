// SPDX-License-Identifier: GPL-2.0-or-later

import Archives
import DKMSEngine
import DKMSModel
import Host
import Journal
import SystemPackage
import SystemSupport
import TestSupport
import Testing

@testable import Hooks
@testable import Maintenance

/// What `alpm-dkms record --bundle` passes on, and what it does not.
@Suite struct BundleTests {
  private let system: HookedSystem
  private var environment: [String: String] = [:]

  init() throws {
    system = try HookedSystem()
    try system.addKernel("6.1.0-arch1-1")
    try system.directory.write(
      "root:x:0:0::/root:/bin/sh\nalice:x:1000:1000:Alice Liddell,,,:/home/alice:/bin/sh\n", to: "etc/passwd")
    try system.directory.write("wonderland\n", to: "etc/hostname")
    try system.directory.write("\(Self.machine)\n", to: "etc/machine-id")
  }

  private static let machine = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"

  private func host(_ transcript: Transcript = Transcript()) -> Host {
    var host = system.host
    host.environment.merge(environment) { $1 }
    host.console = transcript.console
    host.workingDirectory = system.directory.path
    return host
  }

  /// Builds a module that fails after it has printed these lines.
  private func fail(printing lines: [String], conf: String = "") async throws {
    try system.addSource("bad", "1.0", conf: "MAKE[0]=\"cat words; false\"\n\(conf)")
    try system.directory.write(lines.joined(separator: "\n") + "\n", to: "usr/src/bad-1.0/words")
    let result = await InstallHook.perform(
      [TargetLine("usr/src/bad-1.0/dkms.conf")], layout: system.layout, host: host())
    #expect(result.status == 1)
  }

  private func path(_ name: String) -> FilePath { system.directory.path.appending(name) }

  /// Every byte of a bundle as it is when it is unpacked: names and contents.
  private func bundle(_ name: String = "a.tar.gz") async throws -> String {
    let status = await BundleCommand("1", output: name).run(layout: system.layout, host: host())
    #expect(status == 0)
    let unpacked = path("unpacked-\(name)")
    try Files.makeDirectories(unpacked)
    _ = try ArchiveUnpacker().unpack(path(name), into: unpacked)
    let files = TemporaryDirectory.listing(of: unpacked)
    return try files.map { file in
      guard Disk.kind(unpacked.appending(file)) == .file else { return file }
      return "\(file)\n" + String(decoding: try Files.read(unpacked.appending(file)), as: UTF8.self)
    }.joined(separator: "\n")
  }

  @Test func aBundleTellsNothingOfWhoseItIs() async throws {
    try system.directory.write(
      "mok_signing_key=\"pkcs11:token=t;pin-value=1234\"\n", to: "etc/dkms/framework.conf")
    try await fail(
      printing: ["/home/alice/x: error: nothing", "\(Self.machine) of Alice Liddell", "/home/bob/y"],
      conf: "# alice@wonderland, not malice")
    let text = try await bundle()
    for secret in ["/alice", "alice@", "wonderland", "1234", Self.machine, "Liddell", "bob"] {
      #expect(!text.contains(secret), "\(secret)")
    }
    for rest in [
      "USER@HOST, not malice", "pkcs11:REMOVED", "/home/USER/x", "PACKAGE_NAME=\"bad\"", "make.log",
      "6.1.0-arch1-1",
    ] {
      #expect(text.contains(rest), "\(rest)")
    }
    let record = path("unpacked-a.tar.gz/alpm-dkms-record/record.json").string
    #expect(await ReplayCommand(record, mode: .check).run(layout: system.layout, host: host()) == 0)
    for name in ["a.tar", "b.tar"] { _ = try await bundle(name) }
    #expect(try Files.read(path("a.tar")) == Files.read(path("b.tar")))
  }

  @Test mutating func noSecretOfAnyShapeIsInABundle() async throws {
    environment = [
      "https_proxy": "http://proxy-user:Pr0xy-Pass@proxy.example:3128", "KBUILD_SIGN_PIN": "Sign-4711",
      "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY", "LANG": "C",
    ]
    try system.directory.write(
      """
      # the old password was Comment-0815
      export MY_TOKEN=Framework-2222
      post_transaction="notify --chat Plain-Word-3333; curl -H 'Authorization: Bearer Bear-4444' $kernelver"
      parallel_jobs=4
      """, to: "etc/dkms/framework.conf")
    let environmentFile = try system.directory.write("export X=1\n", to: "etc/dkms/env")
    try system.directory.write(
      "build_environment=\(environmentFile)\n", to: "etc/dkms/framework.conf.d/more.conf")
    try system.directory.write(
      "critical = zfs # Remark-5555\nsomething = Other-6666\n", to: "etc/alpm-dkms.conf")
    try system.directory.write("SIGN_SECRET=Override-7777\n", to: "etc/dkms/bad.conf")
    let secrets = [
      "proxy-user", "Pr0xy-Pass", "Sign-4711", "wJalrXUtnFEMIK7MDENG", "Comment-0815", "Framework-2222",
      "Plain-Word-3333",
      "Bear-4444", "Remark-5555", "Other-6666", "Override-7777", "Log-8888", "Cookie-9999", "PEM-0000",
      "ghp_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789", "glpat-AbCdEf12-34_56789012", "AKIAIOSFODNN7EXAMPLE",
      "d41d8cd98f00b204e9800998ecf8427e", "550e8400-e29b-41d4-a716-446655440000",
      "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N", "correct horse",
    ]
    try await fail(
      printing: [
        "sign-file says Sign-4711 and Framework-2222 and Override-7777", "env:",
        "https_proxy=\(environment["https_proxy"] ?? "")",
        "DB_PASSWORD=correct horse battery", "make KBUILD_SIGN_PIN=Log-8888 -j4 modules",
        "Set-Cookie: id=Cookie-9999; path=/",
        "-----BEGIN OPENSSH PRIVATE KEY-----", "PEM-0000", "-----END OPENSSH PRIVATE KEY-----",
        "srcversion: 533BB7E5866E52F63B9ACCB", "vermagic: 6.1.0-arch1-1 SMP preempt mod_unload",
        "bad.c:7:2: error: oops",
      ] + secrets.suffix(7).map { "cloning with \($0) now" })
    let text = try await bundle()
    for secret in secrets where secret != "correct horse" { #expect(!text.contains(secret), "\(secret)") }
    #expect(!text.contains("correct horse battery"))
    for rest in [
      "parallel_jobs='4'", "build_environment='\(environmentFile)'", "# post_transaction is set",
      "critical = zfs\n",
      "# line 2 sets nothing", "533BB7E5866E52F63B9ACCB", "vermagic: 6.1.0-arch1-1 SMP preempt mod_unload",
      "bad.c:7:2: error: oops", "-j4 modules",
    ] {
      #expect(text.contains(rest), "\(rest)")
    }
    let record = path("unpacked-a.tar.gz/alpm-dkms-record/record.json").string
    #expect(await ReplayCommand(record, mode: .check).run(layout: system.layout, host: host()) == 0)
    _ = try await bundle("plain.tar")
    let raw = String(decoding: try Files.read(path("plain.tar")), as: UTF8.self)
    for secret in secrets where secret != "correct horse" { #expect(!raw.contains(secret), "\(secret)") }
  }

  @Test func whatGoesInIsListedBeforeItIsWritten() async throws {
    try await fail(printing: ["x"])
    let transcript = Transcript()
    // Nothing can be written here, so only the list is printed.
    try Files.makeDirectories(path("taken.tar"))
    #expect(
      await BundleCommand("1", output: "taken.tar").run(layout: system.layout, host: host(transcript)) == 1)
    #expect(transcript.output.first == "==> \(path("taken.tar")) holds:")
    let names = transcript.output.dropFirst().map { $0.split(separator: ",")[0] }
    #expect(
      names == [
        "  -> etc/dkms/framework.conf", "  -> logs/1.log", "  -> record.json",
        "  -> sources/bad-1.0/dkms.conf",
      ], "\(transcript.output)")
  }

  @Test func aForeignRecordCannotHaveFilesPutIn() async throws {
    try await fail(printing: ["x"])
    let secret = try system.directory.write("Shadow-1111\n", to: "etc/shadow.log")
    try Files.link(path("var/lib/dkms/link.log"), to: secret)
    var record = try Journal(system.layout).record(1)
    record.end?.logs = [
      secret.string, path("var/lib/dkms/link.log").string, "\(path("var/lib/dkms"))/../../../etc/shadow.log",
    ]
    try Files.write(record.file, to: path("var/lib/alpm-dkms/journal/1.json"))
    #expect(!(try await bundle()).contains("Shadow-1111"))
  }
}

/// Which parts of a text have the shape of a secret.
@Suite struct SecretShapesTests {
  @Test(
    "A secret is taken out by its shape, and nothing around it",
    arguments: [
      ("git clone https://user:pa/ss@host/x.git", "git clone https://REMOVED@host/x.git"),
      ("https://Abc123@host/x y", "https://REMOVED@host/x y"),
      ("ALL_PROXY=user:pw@host:80 make", "ALL_PROXY=user:REMOVED@host:80 make"),
      ("curl -u bob:pw x", "curl -u bob:REMOVED x"),
      ("curl -H 'Authorization: Basic Ym9iOnB3' x", "curl -H 'Authorization: REMOVED' x"),
      ("bearer abc.def", "bearer REMOVED"),
      (#"{"password": "a \"b\" c", "x": 1}"#, #"{"password": REMOVED, "x": 1}"#),
      ("x --api-token a1 y", "x --api-token REMOVED y"),
      ("x PIN='a b'c y", "x PIN=REMOVED y"),
      ("x 'PIN=a' y", "x 'PIN=REMOVED' y"),
      ("export MY_SECRET=a b\nc", "export MY_SECRET=REMOVED\nc"),
      ("Password: a b\nc", "Password: REMOVED\nc"),
      ("openssl -passin pass:abc x", "openssl -passin pass:REMOVED x"),
      ("API_KEY := abc", "API_KEY := REMOVED"),
      ("serial 01:23:45:67:89:ab end", "serial REMOVED end"),
      ("key AbC1dEf2GhI3jKl4MnO5/pQr6StU7vWx== z", "key REMOVED z"),
      ("/var/home/bob/x", "/var/home/USER/x"),
    ])
  func secrets(text: String, redacted: String) { #expect(SecretShapes(in: text).redacted == redacted) }

  @Test(
    "What a developer needs stays",
    arguments: [
      "linux-headers 6.12.117-arch1-1 for x86_64", "srcversion:     ABCDEF0123456789ABCDEF01",
      "mok_signing_key=/var/lib/dkms/mok.key", "CONFIG_MODULE_SIG_KEY=\"certs/signing_key.pem\"",
      "CONFIG_PIN=y",
      "0:cbf29ce484222325-1024,1:84222325cbf29ce4-99",
      "usr/src/linux/drivers/net/ethernet/intel/e1000e/netdev.c:12",
      "gcc -DKBUILD_MODNAME='\"hello\"' -fno-strict-aliasing -mpreferred-stack-boundary=3",
      "PWD=/var/lib/dkms/x/1/build",
      "make[2]: *** [scripts/Makefile.build:250: /x/y.o] Error 1", "bash: unexpected end of file",
      "https://registry:8080/@scope/name", "git@github.com:dell/dkms", "std::string Token::Type",
    ])
  func rest(text: String) { #expect(SecretShapes(in: text).redacted == text) }

  @Test(
    "A text that means harm takes no longer than another",
    arguments: ["a@", "pin='", "= ", "authorization:", "a:", "://@"])
  func hostile(part: String) {
    let text = String(repeating: part, count: 5_000)
    #expect(!SecretShapes(in: text).redacted.isEmpty)
  }

  @Test func aKeyIsNeverHandedOn() {
    let redaction = Redaction(hosts: [], users: [])
    let text = "a\n-----BEGIN RSA PRIVATE KEY-----\nsecret\n-----END RSA PRIVATE KEY-----\nb"
    #expect(redaction.applied(to: text) == "a\n(a private key was here)\nb")
  }
}
