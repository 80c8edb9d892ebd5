// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSModel
package import Initramfs

/// The state of a kernel's modules: the facts that a verdict is made from.
package struct KernelCondition: Codable, Hashable, Sendable {
  /// The kernel.
  package var kernel: Kernel
  /// Whether it is the one that runs.
  package var isRunning: Bool
  /// Whether it loads signed modules only.
  package var enforcesSignatures: Bool
  /// Whether something is wrong with the files by which modprobe finds its modules.
  package var hasStaleDependencies: Bool
  /// What is wrong with them; nil also in records that do not say it.
  package var indexFlaw: IndexFlaw?
  /// The modules that belong to it, sorted by name.
  package var modules: [ModuleCondition]
  /// The images that it boots with.
  package var images: [ImageCondition] = []
  /// The files that should be this kernel and are others.
  package var strays: [StrayKernel] = []
  /// Sources that may hold modules for it.
  package var unreadSources: [UnreadSource] = []
  /// What could not be looked at; then nothing is known about the kernel.
  package var failedLook: DKMSError?

  /// Makes a description; by default, that of a kernel without modules and without problems.
  package init(
    kernel: Kernel, isRunning: Bool = false, enforcesSignatures: Bool = false,
    hasStaleDependencies: Bool = false, indexFlaw: IndexFlaw? = nil, modules: [ModuleCondition] = [],
    failedLook: DKMSError? = nil
  ) {
    self.kernel = kernel
    self.isRunning = isRunning
    self.enforcesSignatures = enforcesSignatures
    self.hasStaleDependencies = hasStaleDependencies || indexFlaw != nil
    self.indexFlaw = indexFlaw
    self.modules = modules
    self.failedLook = failedLook
  }
}

/// The state of one module for one kernel.
package struct ModuleCondition: Codable, Hashable, Sendable {
  /// The version that belongs to the kernel: the newest one whose source is there.
  package var id: ModuleID
  /// The names of the kernel modules in it, as far as they are known.
  package var moduleNames: [String]
  /// The version that is installed.
  package var installed: ModuleID?
  /// Whether the installed version has lost its source package to another one.
  package var usesKeptSource: Bool
  /// Whether the installed version was built for another kernel of the same release.
  package var isForAnotherKernel = false
  /// Whether `id` is built.
  package var isBuilt: Bool
  /// Where the source of `id` is, if that is not registered.
  package var unregisteredSource: String?
  /// Whether files are in place though no build accounts for them.
  package var isUnrecorded = false
  /// What keeps `id` from being built.
  package var obstacle: DKMSError?
  /// The last build of `id`, if that failed.
  package var failure: FailedBuild?
  /// Where its source comes from; only looked for if its build failed.
  package var origin: SourceOrigin?
  /// The files that the installed version, or else the built one, should have in the kernel's directory.
  package var files: [ModuleFileCondition]

  /// Makes a description; by default, that of a module with nothing built or installed.
  package init(
    id: ModuleID, moduleNames: [String] = [], installed: ModuleID? = nil, usesKeptSource: Bool = false,
    isBuilt: Bool = false, obstacle: DKMSError? = nil, failure: FailedBuild? = nil,
    files: [ModuleFileCondition] = []
  ) {
    self.id = id
    self.moduleNames = moduleNames
    self.installed = installed
    self.usesKeptSource = usesKeptSource
    self.isBuilt = isBuilt
    self.obstacle = obstacle
    self.failure = failure
    self.files = files
  }
}

/// The state of one kernel module that should be in a kernel's directory.
package struct ModuleFileCondition: Codable, Hashable, Sendable {
  /// The name of the module, without `.ko`.
  package var name: String
  /// The file, or where it should be.
  package var path: String
  /// Whether the file is there.
  package var exists: Bool
  /// The file as it was built; nil where that is missing.
  package var builtPath: String?
  /// Whether the file is what was built; nil where that is missing.
  package var isAsBuilt: Bool?
  /// Whether modules.dep names it.
  package var isListed: Bool
  /// What the module says of itself.
  package var information: Information
  /// The kernel's own module that stays because it is not older; only looked for if the file is missing.
  package var kernelsOwn: String?
  /// What another module, of another name, has done to it; nil where none has put its own file in this place.
  package var displacement: Displacement?
  /// Another file of the same name beside it, compressed in another way; nil where there is none.
  package var double: String?

  /// Makes a description; by default, nothing is wrong with the file.
  package init(
    name: String, path: String, exists: Bool = true, builtPath: String? = nil, isAsBuilt: Bool? = true,
    isListed: Bool = true, information: Information = .unknown, kernelsOwn: String? = nil
  ) {
    self.name = name
    self.path = path
    self.exists = exists
    self.builtPath = builtPath
    self.isAsBuilt = isAsBuilt
    self.isListed = isListed
    self.information = information
    self.kernelsOwn = kernelsOwn
  }

  /// Another module's file in the place of this one.
  package struct Displacement: Codable, Hashable, Sendable {
    /// The module that has put it there.
    package var by: ModuleID
    /// The package that the source of that module is from; nil where none owns it.
    package var byPackage: String?
    /// The package that the source of the displaced module is from; nil where none owns it.
    package var ofPackage: String?

    /// Describes what has happened; who owns the sources can be added later.
    package init(by id: ModuleID, byPackage: String? = nil, ofPackage: String? = nil) {
      by = id
      self.byPackage = byPackage
      self.ofPackage = ofPackage
    }
  }

  /// What a module file says of itself.
  package enum Information: Codable, Hashable, Sendable {
    /// There was no way to ask.
    case unknown
    /// It is no module.
    case unreadable
    /// The kernel release it was built for, and whether a signature is appended to it.
    case read(release: String, isSigned: Bool)
  }
}
