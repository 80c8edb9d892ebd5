// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
public import SystemPackage

/// Where everything is: the three trees of DKMS and the paths within them.
public struct Layout: Hashable, Sendable {
  /// The system whose package database is asked: `/`.
  public var root: FilePath = "/"
  /// Sources of modules: `/usr/src`.
  public var sourceTree: FilePath = "/usr/src"
  /// What is registered and built: `/var/lib/dkms`.
  public var dkmsTree: FilePath = "/var/lib/dkms"
  /// Module directories of kernels: `/usr/lib/modules`.
  public var installTree: FilePath = "/usr/lib/modules"
  /// What the administrator sets: `/etc/dkms`.
  public var configurationDirectory: FilePath = "/etc/dkms"
  /// What the administrator sets for this suite alone: `/etc/alpm-dkms.conf`.
  public var suiteConfiguration: FilePath = "/etc/alpm-dkms.conf"
  /// What we note for ourselves.
  public var stateDirectory: FilePath = "/var/lib/alpm-dkms"
  /// Built modules, kept for the next build of the same; deleting it costs no more than time.
  public var cacheDirectory: FilePath = "/var/cache/alpm-dkms"
  /// Where packages list modules to install by force.
  public var forcedModulesDirectory: FilePath = "/usr/share/dkms/modules_to_force_install"
  /// The directory for temporary files: `/tmp`.
  public var temporaryDirectory: FilePath = "/tmp"

  /// Makes the default layout.
  public init() {}

  /// Where installed modules go below a kernel's directory, whatever their dkms.conf says.
  public static let installedLocation: FilePath = "updates/dkms"

  // MARK: State of our own; deleting it loses no module

  /// Kernels that were removed while they were running, a file each with the boot they belong to.
  func bootRecord(_ release: KernelRelease) -> FilePath {
    stateDirectory.appending("booted").appending(release.description)
  }

  /// The kernels that nobody owns, as they were last reported.
  public var reportedOrphans: FilePath { stateDirectory.appending("orphans") }

  /// Logs and notes of initramfs images; locked while images are made.
  public var imageState: FilePath { stateDirectory.appending("initramfs") }

  /// What was read from images, so that they are not read again.
  public var imageMemory: FilePath { stateDirectory.appending("images") }

  /// How long builds took.
  var buildTimes: FilePath { stateDirectory.appending("build-times") }

  /// One record for each call of a helper; only root can read them.
  public var journal: FilePath { stateDirectory.appending("journal") }

  // MARK: Source tree

  /// Where the source of a module belongs.
  public func source(_ id: ModuleID) -> FilePath {
    sourceTree.appending(id.sourceDirectoryName)
  }

  // MARK: DKMS tree

  /// The key with which modules are signed, unless framework.conf names another.
  var signingKey: FilePath { dkmsTree.appending("mok.key") }

  /// The certificate of that key.
  var signingCertificate: FilePath { dkmsTree.appending("mok.pub") }

  /// All versions of a module.
  public func module(_ name: String) -> FilePath { dkmsTree.appending(name) }

  /// A registered module version.
  public func registration(_ id: ModuleID) -> FilePath { module(id.name).appending(id.version) }

  /// The link to its source, which makes it registered.
  public func sourceLink(_ id: ModuleID) -> FilePath { registration(id).appending("source") }

  /// A copy of its source that outlives the package; hidden, so that the reference looks past it.
  public func keptSource(_ id: ModuleID) -> FilePath { registration(id).appending(".source") }

  /// The directory that a dkms.conf believes it builds in.
  public func build(_ id: ModuleID) -> FilePath { registration(id).appending("build") }

  /// The log of a failed build, kept until a build succeeds.
  public func failureLog(_ id: ModuleID, _ kernel: Kernel) -> FilePath {
    build(id).appending("\(kernel.release)-\(kernel.architecture)").appending("make.log")
  }

  /// All that was built of a module version for a kernel release.
  public func products(_ id: ModuleID, _ release: KernelRelease) -> FilePath {
    registration(id).appending(release.description)
  }

  /// What was built for a kernel.
  public func product(_ id: ModuleID, _ kernel: Kernel) -> FilePath {
    products(id, kernel.release).appending(kernel.architecture)
  }

  /// The built module files.
  public func productModules(_ id: ModuleID, _ kernel: Kernel) -> FilePath {
    product(id, kernel).appending("module")
  }

  /// Identifies the kernel that a product was built for among others of the same release.
  func fingerprint(_ id: ModuleID, _ kernel: Kernel) -> FilePath {
    product(id, kernel).appending(".kernel")
  }

  /// How the names of the files begin that say which versions of other modules a product was built with.
  static let dependencyPrefix = ".dep_"

  /// Names of installed modules that the product no longer has, until an installation has removed them.
  func droppedModules(_ id: ModuleID, _ kernel: Kernel) -> FilePath {
    product(id, kernel).appending(".dropped-modules")
  }

  /// Names of modules of the product that its installation has left to others, where there are any.
  func refusedModules(_ id: ModuleID, _ kernel: Kernel) -> FilePath {
    product(id, kernel).appending(".refused-modules")
  }

  /// Where a build for a kernel happens and its product is collected, hidden from everything else.
  func staging(_ id: ModuleID, _ kernel: Kernel, _ purpose: String) -> FilePath {
    products(id, kernel.release).appending("\(Self.stagingPrefix)\(kernel.architecture)_\(purpose)")
  }

  /// The log of a build that is going on.
  func buildLog(_ id: ModuleID, _ kernel: Kernel) -> FilePath {
    staging(id, kernel, "output").appending("make.log")
  }

  /// How the names of things begin that are not yet, or no longer, part of the tree; the reference removes
  /// those, too.
  static let stagingPrefix = ".tmp_"

  /// What the command that follows a transaction printed last.
  func postTransactionLog() -> FilePath { dkmsTree.appending("post_transaction.log") }

  /// Where tarballs of a module go.
  public func tarballs(_ id: ModuleID) -> FilePath { registration(id).appending("tarball") }

  /// The tarball that `mktarball` makes.
  ///
  /// - Parameters:
  ///   - id: The module version.
  ///   - kernels: The kernels whose builds go in.
  ///   - contents: What goes in.
  ///   - name: What it is called, or where it goes if there is a slash in it; nil for the usual name.
  /// - Returns: Its path; relative where `name` is a relative path with a slash.
  public func tarball(
    _ id: ModuleID, _ kernels: [Kernel], _ contents: TarballContents, named name: FilePath? = nil
  ) -> FilePath {
    if let name {
      return name.components.count > 1 || name.isAbsolute ? name : tarballs(id).appending(name.components)
    }
    var parts = kernels.map { "kernel\($0.release)-\($0.architecture)" }.joined(separator: "-")
    // The reference counts the end of the line too.
    if parts.count + 1 > 200 { parts = "manykernels" }
    if contents == .sourceOnly { parts = "source-only" }
    return tarballs(id).appending("\(id.name)-\(id.version)-\(parts).dkms.tar.gz")
  }

  /// Where a registration goes to be deleted.
  func removedRegistration(_ id: ModuleID) -> FilePath {
    module(id.name).appending(Self.doomedName(of: id.version))
  }

  /// What the registration of a version is called while it is being deleted.
  public static func doomedName(of version: String) -> String { "\(stagingPrefix)\(version)_removed" }

  /// The link that says which version a kernel has installed.
  public func activeLink(_ name: String, _ kernel: Kernel) -> FilePath {
    module(name).appending("kernel-\(kernel.release)-\(kernel.architecture)")
  }

  /// Modules that were in the way of installations and come back after them.
  func originals(_ name: String) -> FilePath { module(name).appending("original_module") }

  /// Those of a kernel.
  func originals(_ name: String, _ kernel: Kernel) -> FilePath {
    originals(name).appending(kernel.release.description).appending(kernel.architecture)
  }

  /// Where the administrator keeps scripts and patches for a module.
  func administration(of id: ModuleID) -> FilePath { configurationDirectory.appending(id.name) }

  // MARK: Install tree

  /// A kernel's module directory.
  public func kernel(_ release: KernelRelease) -> FilePath {
    installTree.appending(release.description)
  }

  /// Where a DEST_MODULE_LOCATION is in a kernel's directory; nil for one that leads out of it.
  package func place(_ location: String, in release: KernelRelease) -> FilePath? {
    let path = kernel(release).appending(FilePath(location).components).lexicallyNormalized()
    return path.starts(with: kernel(release).lexicallyNormalized()) ? path : nil
  }

  /// The file by which a kernel's package tells its package base, by Arch's convention.
  func packageBaseFile(_ release: KernelRelease) -> FilePath {
    kernel(release).appending("pkgbase")
  }

  /// Where modules are installed for a kernel.
  public func installed(_ release: KernelRelease) -> FilePath {
    kernel(release).appending(Self.installedLocation.components)
  }
}
