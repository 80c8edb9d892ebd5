// SPDX-License-Identifier: GPL-2.0-or-later

/// What `dkms --help` prints.
enum Usage {
  static let text = """
    usage: dkms ACTION [MODULE/VERSION | DIRECTORY | TARBALL] [OPTION...]

    actions:
      add              register a module whose source is in /usr/src/MODULE-VERSION, or bring it there
      build            build it for a kernel
      install          build it if need be, and put it into the kernel's module directory
      uninstall        take it out of the kernel's module directory
      unbuild          uninstall it and forget what was built
      remove           unbuild it, and forget the module with its last kernel
      status           list the modules and the kernels they are built or installed for
      autoinstall      install the newest version of each module that wants it
      match            install for a kernel what another one has
      mktarball        write a module's source, and what was built from it, to a tarball
      ldtarball        register the module of a tarball, with what was built from it
      generate_mok     make the key and the certificate that modules are signed with
      kernel_preinst   forget what was built for a kernel that is installed anew
      kernel_postinst  the same as autoinstall
      kernel_prerm     forget what was built for a kernel that goes

    options:
      -m, --module MODULE[/VERSION]       the module, in the place of a bare MODULE/VERSION
      -v VERSION                          its version
      -k, --kernelver RELEASE[/ARCH]      the kernel; without it the running one; may be repeated
      -a, --arch ARCH                     its architecture, for one or for every -k
      --all                               every kernel it is built for; build, install: every kernel there is
      --templatekernel RELEASE            match: the kernel to go by
      --force                             do it again, or in spite of what speaks against it
      --force-version-override            install it though the kernel has a newer one
      --dry-run                           say what would be done, and do nothing
      -j N                                jobs at once; 0: no limit
      -c FILE                             a dkms.conf in the place of the module's own
      --directive NAME=VALUE              a value that is stronger than any dkms.conf; may be repeated
      --config FILE                       the kernel's configuration, if elsewhere
      --kernelsourcedir DIR               the kernel's headers, if elsewhere
      --dkmstree DIR                      in the place of /var/lib/dkms
      --sourcetree DIR                    in the place of /usr/src
      --installtree DIR                   in the place of /usr/lib/modules
      --archive FILE                      the tarball to write or to load
      --source-only                       mktarball: without what was built
      --binaries-only                     mktarball: without the source
      --no-depmod                         leave modules.dep to the caller
      --symlink-modules                   install links to what was built, not copies
      --modprobe-on-install               load what was installed for the running kernel
      --rpm_safe_upgrade                  a package manager adds the new version before it removes the old
      --json                              status: for programs, with more than the text says
      -q, --quiet                         say nothing
      --verbose, --debug                  say which programs are run
      -V, --version                       the version of dkms that scripts find here, and our own
      -h, --help                          this

    --no-initrd, --no-clean-kernel and --no-prepare-kernel are accepted and have no effect.
    """
}
