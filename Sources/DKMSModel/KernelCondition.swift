// SPDX-License-Identifier: GPL-2.0-or-later

/// The state of a kernel's modules: the facts that a verdict is made from.
public struct KernelCondition: Codable, Hashable, Sendable {
  /// The kernel.
  public var kernel: Kernel
  /// Whether it is the one that runs.
  public var isRunning: Bool
  /// Whether it loads signed modules only.
  public var enforcesSignatures: Bool
  /// Whether its modules.dep is older than modules in it.
  public var hasStaleDependencies: Bool
  /// The modules that belong to it, sorted by name.
  public var modules: [ModuleCondition]
  /// The images that it boots with.
  public var images: [ImageCondition] = []
  /// What could not be looked at; then nothing is known about the kernel.
  public var failedLook: DKMSError?

  /// Makes a description; by default, that of a kernel without modules and without problems.
  public init(
    kernel: Kernel, isRunning: Bool = false, enforcesSignatures: Bool = false,
    hasStaleDependencies: Bool = false, modules: [ModuleCondition] = [], failedLook: DKMSError? = nil
  ) {
    self.kernel = kernel
    self.isRunning = isRunning
    self.enforcesSignatures = enforcesSignatures
    self.hasStaleDependencies = hasStaleDependencies
    self.modules = modules
    self.failedLook = failedLook
  }
}
