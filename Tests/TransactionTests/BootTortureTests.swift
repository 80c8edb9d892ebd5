// SPDX-License-Identifier: GPL-2.0-or-later

import Glibc
import JSON
import TestSupport
import Testing

/// Random transactions in which something fails, and a boot after each: what the verdict says is what boots.
@Suite(.requiresPacman, .requiresBoot)
struct BootTortureTests {
  private enum Transaction: CaseIterable {
    case older, newer, failingBuild, removal, failingGenerator, removalWithFailingGenerator, withoutHeaders,
      killedHook
  }

  /// How many transactions, and the seed that draws them; `make boot-torture` gives others.
  private static let count = number("ALPM_DKMS_BOOTS") ?? 3
  private static let seed = number("ALPM_DKMS_BOOT_SEED") ?? 3

  private static func number(_ name: String) -> Int? { getenv(name).flatMap { Int(String(cString: $0)) } }

  @Test func theVerdictSaysWhatBoots() async throws {
    let system = try await System.withBootableKernel()
    let failing = try await system.makePackage(
      "hello-world-dkms", "1.2-1",
      content: System.source("hello-world", "1.2", modules: ["hello_world"], extra: System.failing))
    try await system.install("hello-world-dkms=1.0-").mustSucceed()
    var numbers = SeededNumbers(seed: UInt64(Self.seed))
    for round in 1...Self.count {
      let transaction = try #require(Transaction.allCases.randomElement(using: &numbers))
      let delay = numbers.below(1500)
      let run = try await system.root.shell(
        Self.command(transaction, failing: failing, milliseconds: delay))
      let claim = try await system.claim()
      let boot = try await system.boot()
      let installed = try await system.installedDigest()
      let place = "round \(round), \(transaction), \(delay) ms: \(claim), booted \(boot)\n\(run)"
      print("boot \(round): \(transaction): \(claim.flaws.isEmpty ? "fresh" : "\(claim.flaws)"), \(boot)")
      #expect((boot.digest == nil) == (boot.loadedVersion == nil), "\(place)")
      #expect(claim.isTrue(of: boot, installed: installed), "\(place)")
      if claim.isFine {
        let package = try await system.root.shell("pacman -Q hello-world-dkms | sed 's/.* //; s/-.*//'").lines
          .first
        #expect(boot.loadedVersion == package, "\(place)")
      }
    }
  }

  private static func command(_ transaction: Transaction, failing: String, milliseconds: Int) -> String {
    let install = { (file: String) in "pacman --noconfirm -U \(file)" }
    let (older, newer) = (System.package("hello-world-dkms=1.0-"), System.package("hello-world-dkms=1.1-"))
    let headers = System.package("linux-boot-headers")
    return switch transaction {
    case .older: install(older)
    case .newer: install(newer)
    case .failingBuild: install(failing)
    case .removal: "pacman --noconfirm -R hello-world-dkms"
    case .failingGenerator: "touch /dracut-fails; \(install(newer)); rm /dracut-fails"
    case .removalWithFailingGenerator:
      "touch /dracut-fails; pacman --noconfirm -R hello-world-dkms; rm /dracut-fails"
    case .withoutHeaders: "pacman --noconfirm -R linux-boot-headers; \(install(older)); \(install(headers))"
    case .killedHook:
      """
      \(install("\(older) \(headers)")) & pacman=$!
      for _ in $(seq 600); do
        helper=$(ps -o pid=,args= --ppid $pacman | sed -n 's| *\\([0-9]*\\) /usr/lib/alpm-dkms/alpm-dkms-i.*|\\1|p')
        [ -z "$helper" ] || break
        sleep 0.05
      done
      sleep \(Double(milliseconds) / 1000)
      [ -z "$helper" ] || kill -KILL $helper
      wait $pacman
      """
    }
  }
}

extension System {
  /// What the verdict says of the kernel that boots and of its image.
  struct Claim: CustomStringConvertible {
    let isFine: Bool
    /// What is wrong with the image; empty where it is fresh, or where no module has to be in it.
    let flaws: [String]
    let description: String

    /// Whether the boot bears it out; `unknown` and the like say nothing.
    func isTrue(of boot: Boot, installed: String?) -> Bool {
      if flaws.isEmpty { return boot.digest == installed }
      return flaws.allSatisfy { flaw in
        switch flaw {
        case "differs": boot.digest != nil && installed != nil && boot.digest != installed
        case "gone": boot.digest != nil && installed == nil
        case "lacks": boot.digest == nil && installed != nil
        case "missing", "unreadable", "other_kernel": false
        default: true
        }
      }
    }
  }

  func claim() async throws -> Claim {
    let run = try await root.run(["alpm-dkms", "verify", "--json"])
    let document = try JSONParser.parse(Array(run.output.utf8))
    let kernels = document["kernels"]?.elements ?? []
    let kernel = try #require(kernels.first { $0["kernel"] == .string(Self.bootable) }, "\(run)")
    let image = kernel["images"]?.elements.first { $0["path"] == .string(Self.bootImage) }
    let flaws = image?["flaws"]?.elements ?? []
    return Claim(
      isFine: run.status == 0, flaws: flaws.compactMap { $0["kind"]?.word }, description: run.output)
  }
}

extension JSON {
  fileprivate var word: String? { if case .string(let word) = self { word } else { nil } }

  fileprivate var elements: [JSON] { if case .array(let values) = self { values } else { [] } }
}
