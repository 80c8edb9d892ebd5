// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc
internal import Host
public import SystemPackage
public import Testing

/// What a test needs of the machine; where it is missing the test is skipped, visibly.
///
/// With `ALPM_DKMS_REQUIRE_ALL` set nothing is skipped: such a test runs and fails.
public enum Requirement {
  fileprivate static func isMet(_ condition: @autoclosure () -> Bool) -> Bool {
    getenv("ALPM_DKMS_REQUIRE_ALL") != nil || condition()
  }

  static func hasProgram(_ name: String) -> Bool {
    ["/usr/bin", "/usr/sbin", "/bin", "/sbin"].contains { Disk.isExecutable(FilePath("\($0)/\(name)")) }
  }
}

extension Trait where Self == ConditionTrait {
  /// The test changes what only root may change.
  public static var requiresRoot: Self {
    .enabled(if: Requirement.isMet(geteuid() == 0), "needs root")
  }

  /// The test installs packages with pacman in a throwaway root that holds this suite.
  public static var requiresPacman: Self {
    let isMet =
      geteuid() == 0 && Requirement.hasProgram("pacman") && Disk.isDirectory(TestParts.packages)
      && Disk.isFile(TestParts.stage.appending("usr/bin/dkms"))
    return .enabled(
      if: Requirement.isMet(isMet), "needs root, pacman, test packages and a staged suite: run make test")
  }

  /// The test builds real modules against real kernel headers.
  public static var requiresKernelHeaders: Self {
    .enabled(
      if: Requirement.isMet(TestParts.kernels.count >= 3 && Requirement.hasProgram("make")),
      "needs kernel headers and make: run make test")
  }

  /// The test asks every shell that has completions.
  public static var requiresShells: Self {
    .enabled(
      if: Requirement.isMet(["bash", "fish", "zsh", "script"].allSatisfy(Requirement.hasProgram)),
      "needs bash, fish and zsh: run make test")
  }

  /// The test reads manual pages.
  public static var requiresMandoc: Self {
    .enabled(if: Requirement.isMet(Requirement.hasProgram("mandoc")), "needs mandoc: run make test")
  }

  /// The test kills programs just before a system call.
  public static var requiresTracing: Self {
    .enabled(if: Requirement.isMet(Requirement.hasProgram("strace")), "needs strace: run make test")
  }

  /// The test compares with the reference implementation.
  public static var requiresReference: Self {
    .enabled(
      if: Requirement.isMet(Disk.isExecutable(TestParts.reference)), "needs Debian's dkms: run make test")
  }
}

/// Where `make test` puts what tests need.
public enum TestParts {
  /// The checkout.
  public static let repository: FilePath = FilePath(#filePath)
    .removingLastComponent().removingLastComponent().removingLastComponent()

  /// Kernels and packages, made once a machine.
  public static let cache: FilePath = FilePath(
    getenv("ALPM_DKMS_TEST_CACHE").map { String(cString: $0) } ?? "/var/tmp/alpm-dkms-test")

  /// Packages to install in throwaway roots.
  public static let packages = cache.appending("packages")

  /// What `make install` laid down for this run; nothing of an older one is tested.
  public static let stage: FilePath = FilePath(
    getenv("ALPM_DKMS_STAGE").map { String(cString: $0) } ?? "/nonexistent")

  /// The reference implementation.
  public static let reference: FilePath = "/usr/sbin/dkms"

  /// Releases of kernels whose headers are at `headers(of:)`, sorted.
  public static let kernels: [String] = Disk.list(cache.appending("kernels"))
    .filter { Disk.isDirectory(headers(of: $0).appending("include")) }

  /// A directory to build modules against.
  public static func headers(of release: String) -> FilePath {
    cache.appending("kernels").appending(release).appending("build")
  }

  /// A program that this package builds.
  public static func program(_ name: String) -> FilePath {
    let tests = Disk.linkTarget("/proc/self/exe") ?? ""
    return tests.removingLastComponent().appending(name)
  }
}
