// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Inspection
import Testing

/// What helps a module that cannot be built.
@Suite struct SourceOriginTests {
  private let retry = "dkms install hello/1.0 -k 6.1.0"

  private func origin(_ offer: SourceOrigin.Offer) throws -> SourceOrigin {
    SourceOrigin(
      package: "hello-dkms", version: "1.0-1", offer: offer, kernelPackages: ["linux", "linux-headers"],
      builtFor: [try KernelRelease("6.0.9-lts")])
  }

  @Test func aNewerVersionComesFirst() throws {
    let origin = try origin(.newer(version: "1.1-1", repository: "extra"))
    let remedy = Remedy(origin.remedy(retrying: retry))
    #expect(remedy.command == "pacman -Syu")
    #expect(
      remedy.advice
        == "upgrade to hello-dkms 1.1-1, which is in extra; until then, 'IgnorePkg = linux linux-headers' in /etc/pacman.conf holds the "
        + "kernel")
    #expect(origin.words == "its source is hello-dkms 1.0-1; it is built for 6.0.9-lts")
  }

  @Test(arguments: [
    (
      SourceOrigin.Offer.none,
      "look where hello-dkms 1.0-1 came from, such as the AUR, for a newer one, since no repository has it"
    ),
    (.nothingNewer, "tell the maintainers of hello-dkms 1.0-1, of which the repositories have nothing newer"),
    (.unknown, "see whether there is something newer than hello-dkms 1.0-1"),
  ])
  func tryingAgainComesLast(_ offer: SourceOrigin.Offer, _ words: String) throws {
    let remedy = Remedy(try origin(offer).remedy(retrying: retry))
    #expect(remedy.command == retry)
    #expect(remedy.advice?.hasPrefix(words) == true && remedy.advice?.hasSuffix("; to try again") == true)
  }

  @Test func aKernelIsHeldOnlyWhereAnotherOneWorks() throws {
    var origin = try origin(.none)
    origin.builtFor = []
    #expect(!origin.remedy(retrying: retry).contains("IgnorePkg"))
    #expect(origin.words == "its source is hello-dkms 1.0-1; it is built for no other kernel")
  }
}
