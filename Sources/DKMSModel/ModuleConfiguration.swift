// SPDX-License-Identifier: GPL-2.0-or-later

/// What a dkms.conf says for one kernel, after every override.
public struct ModuleConfiguration: Codable, Hashable, Sendable {
  /// `PACKAGE_NAME` and `PACKAGE_VERSION`.
  public var id: ModuleID
  /// The modules to build, less those that the conf excludes for this kernel.
  public var modules: [ModuleFile]
  /// The command that builds them, for a shell.
  public var makeCommand: String
  /// The patches for this kernel, relative to `patches/`, in order.
  public var patches: [String]
  /// The scripts with their arguments.
  public var scripts: [ScriptKind: String]
  /// Whether `autoinstall` and the hooks build it by themselves.
  public var autoinstall: Bool
  /// Names of the modules that must be installed first.
  public var buildDepends: [String]
  /// Whether it is rebuilt when one of `buildDepends` changes.
  public var rebuildsWithDependencies: Bool
  /// Why the conf excludes this kernel; nil where it does not.
  public var exclusion: String?
  /// Directives in it that are no longer used.
  public var deprecated: [String]

  /// Makes a configuration; the defaults are those of a dkms.conf that says nothing.
  public init(
    id: ModuleID, modules: [ModuleFile], makeCommand: String, patches: [String] = [],
    scripts: [ScriptKind: String] = [:], autoinstall: Bool = false, buildDepends: [String] = [],
    rebuildsWithDependencies: Bool = false, exclusion: String? = nil, deprecated: [String] = []
  ) {
    self.id = id
    self.modules = modules
    self.makeCommand = makeCommand
    self.patches = patches
    self.scripts = scripts
    self.autoinstall = autoinstall
    self.buildDepends = buildDepends
    self.rebuildsWithDependencies = rebuildsWithDependencies
    self.exclusion = exclusion
    self.deprecated = deprecated
  }
}

/// One module of a package: where the build leaves it and what it is called in the kernel's directory.
public struct ModuleFile: Codable, Hashable, Sendable {
  /// File name of the built module, without `.ko`.
  public var builtName: String
  /// Directory of the built module below the build directory; empty for the directory itself.
  public var builtLocation: String
  /// File name in the kernel's directory, without `.ko`.
  public var destinationName: String
  /// `DEST_MODULE_LOCATION` as the conf has it.
  public var destinationLocation: String
  /// Whether debug symbols are stripped.
  public var isStripped: Bool

  /// Makes a description of one module.
  public init(
    builtName: String, builtLocation: String, destinationName: String, destinationLocation: String,
    isStripped: Bool
  ) {
    self.builtName = builtName
    self.builtLocation = builtLocation
    self.destinationName = destinationName
    self.destinationLocation = destinationLocation
    self.isStripped = isStripped
  }

  /// The built module, relative to the build directory.
  public var builtPath: String {
    builtLocation.isEmpty ? "\(builtName).ko" : "\(builtLocation)/\(builtName).ko"
  }
}

/// When a script of a dkms.conf runs; the raw value is its directive.
public enum ScriptKind: String, Codable, CodingKeyRepresentable, Hashable, Sendable, CaseIterable {
  /// After the module is registered.
  case postAdd = "POST_ADD"
  /// Before the build command, in the build directory.
  case preBuild = "PRE_BUILD"
  /// After the built modules are in the tree, in the build directory.
  case postBuild = "POST_BUILD"
  /// Before the modules are put into the kernel's directory.
  case preInstall = "PRE_INSTALL"
  /// After the modules are in the kernel's directory, before depmod.
  case postInstall = "POST_INSTALL"
  /// After the modules are gone from the kernel's directory.
  case postRemove = "POST_REMOVE"
}
