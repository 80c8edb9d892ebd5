// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Host
import SystemPackage
import TestSupport
import Testing

@testable import DKMSEngine

/// `/etc/alpm-dkms.conf`, from text to what it says.
@Suite struct SuiteConfigurationTests {
  private func parse(_ text: String) -> (SuiteConfiguration, [String]) {
    let (configuration, problems) = SuiteConfiguration.parse(Array(text.utf8), of: "f")
    return (configuration, problems.map { "\($0.isError ? "error" : "remark"): \($0)" })
  }

  private static func confined(_ change: (inout ConfinementOptions) -> Void) -> SuiteConfiguration {
    var configuration = SuiteConfiguration()
    change(&configuration.confinement)
    return configuration
  }

  private static func caching(_ change: (inout CacheOptions) -> Void) -> SuiteConfiguration {
    var configuration = SuiteConfiguration()
    change(&configuration.cache)
    return configuration
  }

  static let good: [(String, SuiteConfiguration)] = [
    ("", SuiteConfiguration()),
    ("# critical = zfs\n\n  \t\n", SuiteConfiguration()),
    ("critical = zfs spl", SuiteConfiguration(critical: ["zfs", "spl"])),
    ("critical=zfs\tspl # the root file system\n", SuiteConfiguration(critical: ["zfs", "spl"])),
    ("  optional =  vbox*  \r\n", SuiteConfiguration(optional: ["vbox*"])),
    ("ignored = a#b", SuiteConfiguration(ignored: ["a#b"])),
    ("ignored-kernels = *-rt 6.[01].*", SuiteConfiguration(ignoredKernels: ["*-rt", "6.[01].*"])),
    ("critical =\nsilence-limit = 90s", SuiteConfiguration(silenceLimit: .seconds(90))),
    ("silence-limit = 2h", SuiteConfiguration(silenceLimit: .seconds(7200))),
    ("silence-limit = none", SuiteConfiguration(silenceLimit: nil)),
    ("silence-limit = 30m", SuiteConfiguration()),
    ("build-user = root", confined { $0.user = nil }),
    ("build-user = builder", confined { $0.user = "builder" }),
    ("sandbox-scripts = yes", confined { $0.includesScripts = true }),
    ("time-limit = 10m", confined { $0.timeLimit = .seconds(600) }),
    ("memory-limit = 8G", confined { $0.memoryLimit = .bytes(8 << 30) }),
    ("memory-limit = 512M", confined { $0.memoryLimit = .bytes(512 << 20) }),
    ("memory-limit = 50%", confined { $0.memoryLimit = .share(percent: 50) }),
    ("process-limit = 100", confined { $0.processLimit = 100 }),
    (
      "time-limit = none\nmemory-limit = none\nprocess-limit = none",
      confined {
        $0.timeLimit = nil
        $0.memoryLimit = nil
        $0.processLimit = nil
      }
    ),
    ("cache = no", caching { $0.isUsed = false }),
    ("cache = yes", SuiteConfiguration()),
    ("uncached = nvidia* zfs", caching { $0.excluded = ["nvidia*", "zfs"] }),
    ("cache-size = 300M", caching { $0.limit = 300 << 20 }),
    ("cache-size = 2G", caching { $0.limit = 2 << 30 }),
    ("cache-size = none", caching { $0.limit = nil }),
    ("trust = strict", SuiteConfiguration(trust: .strict)),
    ("trust = warn", SuiteConfiguration(trust: .warn)),
    ("initramfs = never", SuiteConfiguration(initramfs: .never)),
    (
      "initramfs = always\ninitramfs-generator = dracut",
      SuiteConfiguration(initramfs: .always, initramfsGenerator: .dracut)
    ),
  ]

  @Test(arguments: good) func whatIsWrittenIsRead(text: String, expected: SuiteConfiguration) {
    let (configuration, problems) = parse(text)
    #expect(configuration == expected)
    #expect(problems.isEmpty)
  }

  static let bad: [(String, String)] = [
    ("critcal = zfs", "error: f, line 1: there is no key 'critcal'; did you mean 'critical'?"),
    (
      "colour = blue",
      "error: f, line 1: there is no key 'colour'; the keys are critical, optional, ignored, ignored-kernels, silence-limit, "
        + "build-user, sandbox-scripts, time-limit, memory-limit, process-limit, cache, uncached, cache-size, trust, initramfs, "
        + "initramfs-generator"
    ),
    ("\nzfs", "error: f, line 2: it does not read 'key = value'"),
    (
      "= zfs",
      "error: f, line 1: there is no key ''; the keys are critical, optional, ignored, ignored-kernels, silence-limit, "
        + "build-user, sandbox-scripts, time-limit, memory-limit, process-limit, cache, uncached, cache-size, trust, initramfs, "
        + "initramfs-generator"
    ),
    ("critical = z\0fs", "error: f, line 1: it holds bytes that are not text"),
    ("build-user = a b", "error: f, line 1: 'a b' is not a user for 'build-user'"),
    ("build-user =", "error: f, line 1: '' is not a user for 'build-user'"),
    (
      "sandbox-scripts = maybe",
      "error: f, line 1: 'maybe' is not a value for 'sandbox-scripts'; the values are yes, no"
    ),
    (
      "time-limit = 4",
      "error: f, line 1: '4' is not a duration for 'time-limit': a number above 0 followed by s, m or h, or none"
    ),
    (
      "memory-limit = 101%",
      "error: f, line 1: '101%' is not an amount of memory for 'memory-limit': a number above 0 followed by M, G or %, or none"
    ),
    ("cache = maybe", "error: f, line 1: 'maybe' is not a value for 'cache'; the values are yes, no"),
    (
      "cache-size = 50%",
      "error: f, line 1: '50%' is not an amount of room for 'cache-size': a number above 0 followed by M or G, or none"
    ),
    (
      "process-limit = 0",
      "error: f, line 1: '0' is not a number for 'process-limit': one above 0, or none"
    ),
    (
      "initramfs-generator = grub",
      "error: f, line 1: 'grub' is not a value for 'initramfs-generator'; the values are mkinitcpio, dracut, booster"
    ),
    (
      "trust = everyone",
      "error: f, line 1: 'everyone' is not a value for 'trust'; the values are strict, warn"
    ),
    (
      "initramfs = sometimes",
      "error: f, line 1: 'sometimes' is not a value for 'initramfs'; the values are auto, always, never"
    ),
    (
      "silence-limit = 30",
      "error: f, line 1: '30' is not a duration for 'silence-limit': a number above 0 followed by s, m or h, or none"
    ),
    (
      "silence-limit = 0m",
      "error: f, line 1: '0m' is not a duration for 'silence-limit': a number above 0 followed by s, m or h, or none"
    ),
    (
      "silence-limit = 99999999999999999999h",
      "error: f, line 1: '99999999999999999999h' is not a duration for 'silence-limit': a number above 0 followed by s, m or h, or none"
    ),
    (
      "silence-limit =",
      "error: f, line 1: '' is not a duration for 'silence-limit': a number above 0 followed by s, m or h, or none"
    ),
  ]

  @Test(arguments: bad) func aBadLineIsNamedAndTheRestIsUsed(text: String, problem: String) {
    let (configuration, problems) = parse("\(text)\noptional = good")
    #expect(problems == [problem])
    #expect(configuration == SuiteConfiguration(optional: ["good"]))
  }

  @Test func theLastOfTwoCounts() {
    let (configuration, problems) = parse("critical = a\ncritical = b")
    #expect(configuration.critical == ["b"])
    #expect(problems == ["remark: f, line 2: 'critical' is set in line 1, too; this one counts"])
  }

  @Test func junkIsSummedUp() {
    let (configuration, problems) = parse(String(repeating: "junk\n", count: 5000) + "critical = zfs")
    #expect(configuration.critical == ["zfs"])
    #expect(problems.count == 11)
    #expect(problems.last == "error: f: there are problems in 4990 more lines")
  }

  @Test func theShippedFileSaysWhatHoldsWithoutIt() throws {
    let shipped = TestParts.repository.appending("packaging/alpm-dkms.conf")
    let text = try #require(Disk.text(shipped))
    #expect(parse(text) == (SuiteConfiguration(), []))
    // With its examples uncommented it is still what holds, so each key is there with its default.
    let lines = text.split(separator: "\n").map(String.init)
    let settings = lines.filter { $0.hasPrefix("#") && !$0.hasPrefix("# ") && $0.contains(" =") }
    #expect(settings.count == 16)
    #expect(
      parse(settings.map { String($0.dropFirst()) }.joined(separator: "\n")) == (SuiteConfiguration(), []))
  }

  @Test func thePackageMakesTheUserThatBuilds() throws {
    let text = try #require(Disk.text(TestParts.repository.appending("packaging/alpm-dkms.sysusers")))
    let user = try #require(ConfinementOptions().user)
    #expect(text.split(separator: "\n").contains { $0.hasPrefix("u \(user) - ") })
  }

  // MARK: Files

  @Test func aFileThatIsNotThereSaysNothing() {
    #expect(SuiteConfiguration.read("/nonexistent/alpm-dkms.conf") == (SuiteConfiguration(), []))
  }

  @Test func whatIsNoSuchFileIsToldAndTheDefaultsAreUsed() throws {
    let directory = try TemporaryDirectory()
    let large = try directory.write(String(repeating: "critical = zfs\n", count: 700_000), to: "large")
    let pipe = directory.path.appending("pipe")
    try Files.link(pipe, to: "/dev/null")
    for (file, reason) in [
      (large, "it cannot be read: it is too large: more than 256 KiB; the defaults are used"),
      (directory.path, "it cannot be read: it is a directory, not a file; the defaults are used"),
      (pipe, "it cannot be read: it is a pipe, a socket or a device, not a file; the defaults are used"),
    ] {
      let (configuration, problems) = SuiteConfiguration.read(file)
      #expect(configuration == SuiteConfiguration())
      #expect(problems.map(\.description) == ["\(file): \(reason)"])
      #expect(problems.map(\.isError) == [true])
    }
  }

  // MARK: Names

  @Test(arguments: [
    ("zfs", "zfs", true), ("zfs", "zfs-utils", false), ("vbox*", "vboxnetflt", true),
    ("snd-aloop", "snd_aloop", true), ("snd_aloop", "snd-aloop", true), ("nvidia[-_]drm", "nvidia-drm", true),
    ("*", "anything", true), ("[", "a", false),
  ])
  func namesAreMatchedAsShellsDo(pattern: String, name: String, matches: Bool) {
    #expect(NamePattern(pattern).matches(module: name) == matches)
  }
}
