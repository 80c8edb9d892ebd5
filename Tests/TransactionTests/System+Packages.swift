// SPDX-License-Identifier: GPL-2.0-or-later

import TestSupport
import Testing

/// Packages that one test needs, made in its system.
extension System {
  /// Makes a package of what a shell script lays into its working directory; the file to install.
  ///
  /// `information` is more lines of its .PKGINFO, as `conflict = other`; `scriptlet` is its .INSTALL file.
  func makePackage(
    _ name: String, _ version: String = "1-1", information: [String] = [], scriptlet: String = "",
    content: String
  ) async throws -> String {
    let file = "/made/\(name)-\(version).pkg.tar"
    let lines = ["pkgname = \(name)", "pkgver = \(version)", "arch = any", "builddate = 1700000000"]
    try await root.shell(
      """
      set -eu
      mkdir -p /made
      cd "$(mktemp -d)"
      \(content)
      cat > .PKGINFO <<'INFO'
      \((lines + information).joined(separator: "\n"))
      INFO
      cat > .INSTALL <<'SCRIPTLET'
      \(scriptlet)
      SCRIPTLET
      tar -cf \(file) .PKGINFO .INSTALL *
      """
    ).mustSucceed()
    return file
  }

  /// A shell script that lays the source of a module package with these modules, each of one small file, below a
  /// directory.
  static func source(
    _ name: String, _ version: String, modules: [String], extra: String = "", below directory: String = "."
  ) -> String {
    let arrays = modules.enumerated().map { index, module in
      "BUILT_MODULE_NAME[\(index)]=\(module)\nDEST_MODULE_LOCATION[\(index)]=/extra"
    }.joined(separator: "\n")
    return """
      rm -rf \(directory)/usr/src/\(name)-\(version)
      mkdir -p \(directory)/usr/src/\(name)-\(version)
      (
        cd \(directory)/usr/src/\(name)-\(version)
        printf '%s\\n' 'PACKAGE_NAME=\(name)' 'PACKAGE_VERSION=\(version)' 'AUTOINSTALL=yes' > dkms.conf
        cat >> dkms.conf <<'CONF'
      \(arrays)
      \(extra)
      CONF
        echo 'obj-m := \(modules.map { "\($0).o" }.joined(separator: " "))' > Makefile
        for module in \(modules.joined(separator: " ")); do
          printf '#include <linux/module.h>\\nMODULE_LICENSE("GPL");\\nMODULE_VERSION("\(version)");\\n' > $module.c
        done
      )
      """
  }

  /// What makes the build of such a source fail.
  static let failing = "MAKE[0]='echo no such luck; false'"

  /// Makes packages of a kernel and its headers, which lead to those of the LTS kernel; the files to install.
  ///
  /// Each `build` of one release gives other versions to the symbols that modules use. A `bare` kernel has neither
  /// pkgbase nor vmlinuz in its directory.
  func makeKernel(
    _ name: String, release: String, build: Int = 1, bare: Bool = false
  ) async throws -> [String] {
    let directory = "usr/lib/modules/\(release)"
    let kernel = try await makePackage(
      name, "1-\(build)",
      content: """
        mkdir -p \(directory)/kernel
        cd \(directory)
        echo \(name) > pkgbase
        echo '\(release) \(build)' > vmlinuz
        touch modules.order modules.builtin modules.builtin.modinfo kernel/no-modules
        \(bare ? "rm pkgbase vmlinuz" : "")
        cd "$OLDPWD"
        """)
    let headers = try await makePackage(
      "\(name)-headers", "1-\(build)",
      content: """
        old=/usr/lib/modules/\(Self.lts)/build
        new=$PWD/\(directory)/build
        mkdir -p $new/include/config $new/include/generated
        for place in / /include/ /include/config/ /include/generated/; do
          for file in $old$place* $old$place.[!.]*; do
            [ ! -e "$file" ] || [ -e "$new$place${file##*/}" ] || ln -s "$file" "$new$place"
          done
        done
        for file in .kernelvariables include/config/kernel.release include/generated/utsrelease.h; do
          [ -e $old/$file ] || continue
          rm $new/$file
          sed 's/\(Self.lts)/\(release)/' $old/$file > $new/$file
        done
        rm $new/Module.symvers
        sed 's/^0x[0-9a-f]*\\(\\tmodule_layout\\t\\)/0x0000000\(build)\\1/' $old/Module.symvers > $new/Module.symvers
        """)
    return [kernel, headers]
  }
}
