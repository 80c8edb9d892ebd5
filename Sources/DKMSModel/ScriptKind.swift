// SPDX-License-Identifier: GPL-2.0-or-later

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
