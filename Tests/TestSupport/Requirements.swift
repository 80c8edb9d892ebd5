// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc
internal import Host
public import SystemPackage
public import Testing

/// What decides whether a test runs here: what it needs of the machine, and which half of the tests is wanted.
public enum Requirement {
  /// With `ALPM_DKMS_REQUIRE_ALL` set nothing is left out: a test whose needs are not met runs and fails.
  private static let isAllRequired = getenv("ALPM_DKMS_REQUIRE_ALL") != nil

  /// With `ALPM_DKMS_QUICK` set only the quick half runs: what needs neither root nor pacman, and ends soon.
  private static let isQuick = getenv("ALPM_DKMS_QUICK") != nil && !isAllRequired

  /// Skips a test, visibly, where what it needs is missing; it is of the quick half.
  public static func needs(_ what: Comment, _ isMet: @Sendable @escaping () -> Bool) -> ConditionTrait {
    .enabled(what) { isAllRequired || isMet() }
  }

  /// The same for a test that is not of the quick half.
  public static func slowlyNeeds(_ what: Comment, _ isMet: @Sendable @escaping () -> Bool) -> ConditionTrait {
    .enabled(isQuick ? "not of the quick half: \(what)" : what) { isAllRequired || !isQuick && isMet() }
  }

  /// Whether all of these programs are where programs are.
  public static func hasPrograms(_ names: String...) -> Bool {
    names.allSatisfy { name in
      ["/usr/bin", "/usr/sbin", "/bin", "/sbin"].contains { Disk.isExecutable(FilePath("\($0)/\(name)")) }
    }
  }
}

extension Trait where Self == ConditionTrait {
  // MARK: In the quick half

  /// The test asks every shell that has completions.
  public static var requiresShells: Self {
    Requirement.needs("needs bash, fish and zsh: run make test") {
      Requirement.hasPrograms("bash", "fish", "zsh", "script")
    }
  }

  /// The test reads manual pages.
  public static var requiresMandoc: Self {
    Requirement.needs("needs mandoc: run make test") { Requirement.hasPrograms("mandoc") }
  }

  // MARK: Not in the quick half

  /// The test takes long: real compilers, images, thousands of files, or many programs one after the other.
  public static var takesLong: Self {
    Requirement.slowlyNeeds("takes long") { true }
  }

  /// The test changes what only root may change.
  public static var requiresRoot: Self {
    Requirement.slowlyNeeds("needs root") { geteuid() == 0 }
  }

  /// The test installs packages with pacman in a throwaway root that holds this suite.
  public static var requiresPacman: Self {
    Requirement.slowlyNeeds("needs root, pacman, test packages and the package of this suite: run make test")
    {
      geteuid() == 0 && Requirement.hasPrograms("pacman") && Disk.isDirectory(TestParts.packages)
        && Disk.isFile(TestParts.stage.appending("usr/bin/dkms")) && Disk.isFile(TestParts.package)
    }
  }

  /// The test lets pacman write a database, which pacman does for root only.
  public static var requiresPacmanAsRoot: Self {
    Requirement.slowlyNeeds("needs pacman and root") {
      geteuid() == 0 && Requirement.hasPrograms("pacman", "bsdtar")
    }
  }

  /// The test builds real modules against real kernel headers.
  public static var requiresKernelHeaders: Self {
    Requirement.slowlyNeeds("needs kernel headers and make: run make test") {
      TestParts.kernels.count >= 3 && Requirement.hasPrograms("make")
    }
  }

  /// The test kills programs just before a system call.
  public static var requiresTracing: Self {
    Requirement.slowlyNeeds("needs strace: run make test") { Requirement.hasPrograms("strace") }
  }

  /// The test boots a kernel in an emulated machine.
  public static var requiresBoot: Self {
    Requirement.slowlyNeeds("needs qemu-system-x86_64 and a kernel that boots: run make test") {
      Requirement.hasPrograms("qemu-system-x86_64")
        && !Disk.list(TestParts.cache.appending("bootable")).isEmpty
    }
  }

  /// The test compares with the reference implementation.
  public static var requiresReference: Self {
    Requirement.slowlyNeeds("needs Debian's dkms: run make test") { Disk.isExecutable(TestParts.reference) }
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

  /// A compiler that remembers what it has compiled, in `bin`, and what it remembers, in `kept`.
  public static let compilerCache = cache.appending("compiler")

  /// The package that `make package` built for this run; nothing of an older one is tested.
  public static let package: FilePath = FilePath(
    getenv("ALPM_DKMS_PACKAGE").map { String(cString: $0) } ?? "/nonexistent")

  /// What is in it.
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

  /// A program that this package builds: as it is installed where `make package` has run, else as it stands beside the
  /// tests, not optimized.
  public static func program(_ name: String) -> FilePath {
    let installed = ["usr/bin", "usr/lib/alpm-dkms"].map { stage.appending("\($0)/\(name)") }
    let tests = Disk.linkTarget("/proc/self/exe") ?? ""
    return installed.first(where: Disk.isFile) ?? tests.removingLastComponent().appending(name)
  }
}
