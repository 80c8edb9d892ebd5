// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import TestSupport
import Testing

/// The commands that doctor prints, typed as they stand, leave it nothing to say.
@Suite(.requiresPacman)
struct TypedRemedyTests {
  /// Two kernels with a module, and a repository of the packages that are installed.
  private static let repaired = Task {
    let system = try await System.withTwoKernels()
    try await system.install("hello-world-dkms=1.0").mustSucceed()
    try await system.root.shell(
      """
      set -e
      mkdir /repository && cd /repository
      cp /packages/linux*arch1* /packages/linux-lts* /packages/hello-world-dkms-1.0* .
      version=$(pacman -Q alpm-dkms | cut -d ' ' -f 2)
      cp /suite.pkg.tar "alpm-dkms-$version-x86_64.pkg.tar"
      repo-add -q parts.db.tar.gz ./*.pkg.tar
      printf '%s\\n' '[options]' 'Architecture = x86_64' 'SigLevel = Never' '[parts]' 'Server = file:///repository' \
        > /etc/pacman.conf
      pacman -Sy
      """
    ).mustSucceed()
    return system.root
  }

  /// What people, and losses of power, do to a system.
  private static let damages = [
    "ln -s /dev/null $hooks/70-dkms-install.hook",
    "sed 's,^Exec.*,Exec = /bin/true,' $ours/70-dkms-install.hook > $hooks/70-dkms-install.hook",
    "rm $ours/99-alpm-dkms-verify.hook",
    "pacman --noconfirm -Rdd linux-headers",
    "rm -r $modules/$stable/build",
    "rm $database/linux-lts-6*/files",
    "truncate -s 0 $database/hello-world-dkms-*/files",
    "cp -r $modules/$stable $modules/9.9.9-copy",
    "mkdir -p $modules/9.9.9-gone/updates/dkms && : > $modules/9.9.9-gone/modules.dep",
    "rm -r $modules/$stable",
    "rm $modules/$stable/modules.dep.bin",
    "rm $modules/$stable/updates/dkms/*",
    "truncate -s 100 $modules/$stable/updates/dkms/*",
    "cp $tree/hello-world/1.0/$lts/x86_64/module/hello_world.ko* $modules/$stable/updates/dkms",
    "touch $modules/$stable/updates/dkms/stranger.ko",
    "rm -r $tree",
    "rm -r $tree/hello-world/1.0/$stable",
    "rm $tree/hello-world/1.0/source",
    "rm $tree/hello-world/kernel-$stable-x86_64",
    "sed -i 's/^symbols .*/symbols 0/' $tree/hello-world/1.0/$stable/x86_64/.[a-z]*",
    "dkms remove hello-world/1.0 --all",
    "mkdir -p $tree/old/0.1",
    "rm -r /usr/src/hello-world-1.0",
    "echo 'AUTOINSTALL=$(' >> /usr/src/hello-world-1.0/dkms.conf",
    "chown -R nobody /usr/src/hello-world-1.0",
    "chmod go+w $tree",
    "mv /etc/dkms/framework.conf /etc/dkms/framework.conf.pacsave && echo sign_file=/s >> /etc/dkms/framework.conf.pacsave",
    "echo mok_signing_key=/root/a.key > /etc/dkms/framework.conf && touch /root/a.key",
  ]

  private static let names = """
    hooks=/etc/pacman.d/hooks ours=/usr/share/libalpm/hooks modules=/usr/lib/modules tree=/var/lib/dkms
    database=/var/lib/pacman/local stable=\(System.stable) lts=\(System.lts)
    mkdir -p $hooks

    """

  @Test("What doctor prints ends what it finds", arguments: damages)
  func typed(_ damage: String) async throws {
    let system = System(root: try await ThrowawayRoot(from: Self.repaired.value))
    let damaged = try await system.root.shell(Self.names + damage)
    #expect(damaged.status == 0, "\(damaged)")
    var said = try await system.root.run(["alpm-dkms", "doctor"])
    #expect(said.status != 0 && !Self.commands(in: said).isEmpty, "\(said)")
    var all = "\(said)"
    // A command may bring to light what another one fixes, but not for ever.
    for _ in 0..<3 where said.status != 0 {
      all += "\(try await system.root.shell(Self.commands(in: said).joined(separator: "\n")))"
      said = try await system.root.run(["alpm-dkms", "doctor"])
      all += "\(said)"
    }
    #expect(said.status == 0, "\(all)")
    let verdict = try await system.root.run(["alpm-dkms", "verify"])
    #expect(verdict.status == 0, "\(verdict)")
  }

  /// The lines that can be typed, with the answers that people give when they are asked.
  private static func commands(in run: Run) -> [String] {
    let lines = run.lines.filter { $0.hasPrefix("     ") && !$0.hasPrefix("      ") }.map { $0.dropFirst(5) }
    return lines.filter { Remedy.programs.contains(String($0.prefix { $0 != " " })) }.map { line in
      line.replacing("pacman -", with: "pacman --noconfirm -")
        .replacing("alpm-dkms prune", with: "alpm-dkms prune --yes")
    }
  }
}
