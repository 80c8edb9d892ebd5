// SPDX-License-Identifier: GPL-2.0-or-later

import Glibc
import TestSupport
import Testing

/// A helper that is told to end, or killed, in the middle of a build.
@Suite(.requiresPacman)
struct InterruptionTests {
  /// Starts the helper on a build that would take hours, sends it a signal, and prints how it ended.
  ///
  /// The number of seconds tells apart the builds of tests that run side by side, in whatever checkout.
  private static func interrupt(with signal: String, seconds: Int) -> String {
    """
    echo usr/src/slow-1/dkms.conf > /targets
    /usr/lib/alpm-dkms/alpm-dkms-install < /targets &
    helper=$!
    for try in $(seq 300); do
      ! pgrep -f 'sleep \(seconds)$' > /dev/null || break
      sleep 0.1
    done
    kill -\(signal) $helper
    wait $helper
    echo "status $?"
    """
  }

  private static let manySeconds = 100_000_000 + 10 * Int(getpid())

  private static func slowModule(_ seconds: Int) -> String {
    """
    mkdir -p /usr/src/slow-1
    cat > /usr/src/slow-1/dkms.conf <<'CONF'
    PACKAGE_NAME=slow
    PACKAGE_VERSION=1
    MAKE[0]="make -f Makefile.slow"
    DEST_MODULE_LOCATION[0]=/extra
    AUTOINSTALL=yes
    CONF
    printf 'all:\\n\\tsleep \(seconds)\\n' > /usr/src/slow-1/Makefile.slow
    """
  }

  @Test(arguments: [("INT", manySeconds + 1), ("TERM", manySeconds + 2)])
  func aSignalEndsTheBuildWithItsChildren(signal: String, seconds: Int) async throws {
    let system = try await System.withLTSKernel()
    try await system.root.shell(Self.slowModule(seconds)).mustSucceed()
    let run = try await system.root.run([
      "/bin/bash", "-c",
      "set -m\n" + Self.interrupt(with: signal, seconds: seconds) + "\npgrep -f 'sleep \(seconds)$'",
    ])
    #expect(run.lines.contains("status 130"), "\(run)")
    #expect(run.lines.last == "status 130", "no child outlives the helper: \(run)")
    #expect(run.all.contains("interrupted"), "\(run)")
    #expect(try await system.status() == ["slow/1: added"])
    try await system.expectTidy()
  }

  @Test func whatAKilledRunLeavesIsClearedAwayByTheNext() async throws {
    let seconds = Self.manySeconds + 3
    let system = try await System.withLTSKernel()
    try await system.root.shell(Self.slowModule(seconds)).mustSucceed()
    let killed = try await system.root.run([
      "/bin/bash", "-c", Self.interrupt(with: "KILL", seconds: seconds),
    ])
    #expect(killed.lines.contains("status 137"), "\(killed)")
    let leftovers = "find /var/lib/dkms -name '.tmp_*'"
    #expect(
      try await !system.root.shell(leftovers).output.isEmpty, "the kill came while something was half made")
    // Who is killed leaves the killing to another, who needs a moment.
    let isOver = try await eventually { processes(with: "\(seconds)").isEmpty }
    #expect(isOver, "no child outlives the helper")
    let next = try await system.install("hello-world-dkms=1.0-")
    #expect(next.status == 0 && !next.all.contains("==> ERROR:"), "\(next)")
    #expect(try await system.root.shell(leftovers).output.isEmpty)
    try await system.expectInstalled("hello_world", "1.0", for: System.lts)
  }
}
