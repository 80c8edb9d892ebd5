// SPDX-License-Identifier: GPL-2.0-or-later

/// What a call of `dkms` is to do.
package enum Action: String, CaseIterable, Sendable {
  case add, build, install, uninstall, unbuild, remove, status, autoinstall, match, mktarball, ldtarball
  case generateKeys = "generate_mok"
  case beforeKernelInstall = "kernel_preinst"
  case afterKernelInstall = "kernel_postinst"
  case beforeKernelRemoval = "kernel_prerm"

  /// What the bare word beside an action may be, which completions offer.
  package enum Operand: String {
    /// A module that has a source and is not registered, a source directory or a tarball.
    case source
    /// A module that is registered, or has a source from which it can be.
    case available
    /// A module that is registered.
    case registered
    /// A registered module whose source is there.
    case sound
    /// A module that is built for a kernel.
    case built
    /// A module that is installed for a kernel.
    case installed
    /// The name, without a version, of a module that is installed for a kernel.
    case installedName = "installed_name"
    /// A file.
    case file
    case nothing
  }

  /// Which kernels `-k` may name, which completions offer.
  package enum KernelChoice: String {
    /// Those there are.
    case present
    /// Those that the module is built for.
    case built
    /// Those that the module is installed for.
    case installed
  }

  /// The explanation of an action, and what can go with it.
  package struct Entry {
    /// What `--help` and completions say: half a line.
    package let summary: String
    /// What the manual page says: sentences, in the marks that `Markup` knows.
    package let manual: String
    package let operand: Operand
    package let kernels: KernelChoice

    fileprivate init(
      _ summary: String, takes operand: Operand = .nothing, for kernels: KernelChoice = .present,
      manual: String
    ) {
      self.summary = summary
      self.manual = manual
      self.operand = operand
      self.kernels = kernels
    }
  }

  /// The table of actions, from which help, completions and the manual page are written.
  package var entry: Entry {
    switch self {
    case .add:
      Entry(
        "register a module whose source is in /usr/src/MODULE-VERSION, or bring it there", takes: .source,
        manual: """
          Registers a module whose source is in `/usr/src/MODULE-VERSION`.
          Given a directory that holds a `dkms.conf`, such a file itself, or a tarball, it brings the source there
          first.
          """)
    case .build:
      Entry(
        "build it for a kernel", takes: .available,
        manual: "Builds the module for each kernel named.")
    case .install:
      Entry(
        "build it if need be, and put it into the kernel's module directory", takes: .available,
        manual: """
          Builds it where it is not built, and puts it into `updates/dkms` of the kernel's module directory.
          A module of the same name that the kernel already has is put away when it is in the way, and left alone
          when it is newer.
          """)
    case .uninstall:
      Entry(
        "take it out of the kernel's module directory", takes: .installed, for: .installed,
        manual: """
          Takes the module out of the kernel's module directory, and brings back what was put away.
          What was built stays.
          """)
    case .unbuild:
      Entry(
        "uninstall it and forget what was built", takes: .built, for: .built,
        manual: """
          Uninstalls the module and forgets what was built.
          The module stays registered.
          """)
    case .remove:
      Entry(
        "unbuild it, and unregister the module with its last build", takes: .registered, for: .built,
        manual: """
          Unbuilds the module.
          When no build of it is left, the module is unregistered too; its source is never touched.
          """)
    case .status:
      Entry(
        "list the modules and the kernels they are built or installed for", takes: .registered, for: .built,
        manual: """
          Prints one line for each module and each kernel that it is built or installed for.
          Names and kernels may be patterns.
          Scripts can rely on the form of the lines:

              module/version: added
              module/version: broken
              module/version, kernel, arch: built
              module/version, kernel, arch: installed

          The last two may be followed by `(Original modules exist)`,
          `(Differences between built and installed modules)` or
          `(Built modules are missing in the kernel modules folder)`.
          """)
    case .autoinstall:
      Entry(
        "install the newest version of each module that wants it",
        manual: """
          Installs the newest version of each module whose `dkms.conf` sets AUTOINSTALL, in the order in which they
          need each other.
          """)
    case .match:
      Entry(
        "install for a kernel what another one has", takes: .installedName,
        manual: "Installs for a kernel what is installed for the one that `--templatekernel` names.")
    case .mktarball:
      Entry(
        "write a module's source, and what was built from it, to a tarball", takes: .sound, for: .built,
        manual: "Writes a tarball of the module's source and of what was built for the kernels named.")
    case .ldtarball:
      Entry(
        "register the module of a tarball, with what was built from it", takes: .file,
        manual: """
          Registers the module of such a tarball, with the builds it carries, or of any other tarball with a
          `dkms.conf` in it.
          A tarball with entries that lead out of the directory it is unpacked in is refused.
          """)
    case .generateKeys:
      Entry(
        "make the key and the certificate that modules are signed with",
        manual: "Makes the key and the certificate that modules are signed with, unless they exist.")
    case .beforeKernelInstall:
      Entry(
        "forget what was built for a kernel that is reinstalled",
        manual: """
          Forgets what was built for a kernel that is about to be reinstalled, as far as `autoinstall` will build it again.
          """)
    case .afterKernelInstall:
      Entry(
        "the same as autoinstall",
        manual: "Does what `autoinstall` does, for one kernel, which must be named.")
    case .beforeKernelRemoval:
      Entry(
        "forget what was built for a kernel that is removed",
        manual: "Forgets everything that was built for a kernel that is being removed.")
    }
  }
}
