// SPDX-License-Identifier: GPL-2.0-or-later

import TestSupport
import Testing

/// What must hold after every transaction.
extension System {
  /// Checks the tree, its links, the kernels' directories and modules.dep against what should be there, and that the
  /// hook, run again with the targets of the last transaction, changes nothing of them.
  ///
  /// It ends with the status `again` then: 1 where something cannot be built. The verdict is that every kernel can be
  /// booted as before, unless told otherwise.
  func expectSettled(
    _ status: [String], again: Int32 = 0, isDegraded: Bool? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    #expect(try await self.status() == status, sourceLocation: sourceLocation)
    let found = try await root.shell(Self.contradictions)
    #expect(found.all.isEmpty, "\(found)", sourceLocation: sourceLocation)
    let installed = status.filter { $0.hasSuffix(": installed") }.count
    let links = try await root.shell("find /var/lib/dkms -name 'kernel-*' -type l").lines
    #expect(links.count == installed, "\(links)", sourceLocation: sourceLocation)
    try await expectTidy(sourceLocation: sourceLocation)
    let verdict = try await root.run(["alpm-dkms", "verify"])
    #expect(
      (verdict.status != 0) == (isDegraded ?? (again != 0)), "\(verdict)", sourceLocation: sourceLocation)
    try await expectReplayable(sourceLocation: sourceLocation)
    let repeated = try await root.shell(Self.hookAgain)
    #expect(repeated.lines == ["status \(again)"], "\(repeated)", sourceLocation: sourceLocation)
    #expect(try await self.status() == status, sourceLocation: sourceLocation)
  }

  /// Checks that the last call of the installing hook is on record with its targets and its end, and that what each
  /// call on record saw gives just what it planned.
  func expectReplayable(sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let found = try await root.shell(
      """
      alpm-dkms replay --check > /tmp/replay 2>&1 || cat /tmp/replay
      number=$(alpm-dkms history | awk '$4 == "install" { number = $1 } END { print number }')
      alpm-dkms show "$number" > /tmp/show
      sed -n '/^targets:/,/^[^ ]/s/^  //p' /tmp/show | diff /targets - || cat /tmp/show
      alpm-dkms history | tail -n 1 | grep 'did not end'
      true
      """)
    #expect(found.all.isEmpty, "\(found)", sourceLocation: sourceLocation)
  }

  /// The lines of `dkms status` for a module that is installed for kernels.
  static func installed(_ module: String, _ releases: String...) -> [String] {
    releases.map { "\(module), \($0), x86_64: installed" }
  }

  /// Everything that DKMS and the kernels have, with kinds, targets of links and contents; not the headers, not the
  /// journal, and neither how long builds took nor what a compiler said, which has times in it.
  static let snapshot = """
    (
      cd /
      find var/lib/dkms usr/lib/modules var/lib/alpm-dkms -path 'usr/lib/modules/*/build/?*' -prune \
        -o \\( -path var/lib/alpm-dkms/journal -o -name build-times \\) -prune -o -printf '%p %y %m %l\\n'
      find var/lib/dkms usr/lib/modules var/lib/alpm-dkms -path 'usr/lib/modules/*/build' -prune \
        -o \\( -path var/lib/alpm-dkms/journal -o -name build-times \\) -prune -o -type f ! -name make.log -exec sha256sum {} +
    ) 2> /dev/null | LC_ALL=C sort
    """

  /// Prints each thing that is not as another thing says.
  private static let contradictions = """
    cd /var/lib/dkms
    for link in */kernel-*; do
      [ -L "$link" ] || continue
      product=${link%/*}/$(readlink "$link")
      [ -d "$product/module" ] || echo "$link leads nowhere"
      release=${product#*/*/}
      release=${release%/*}
      for file in "$product"/module/*.ko*; do
        name=${file##*/}
        installed=/usr/lib/modules/$release/updates/dkms/$name
        cmp "$file" "$installed"
        case $(modinfo -F vermagic "$installed") in
          "$release "*) ;;
          *) echo "$installed is for another kernel" ;;
        esac
        grep -q "^updates/dkms/$name:" "/usr/lib/modules/$release/modules.dep" || echo "$installed: not in modules.dep"
      done
    done
    cd /usr/lib/modules
    for file in */updates/dkms/*.ko*; do
      [ -e "$file" ] || continue
      ls /var/lib/dkms/*/kernel-"${file%%/*}"-x86_64/module/"${file##*/}" > /dev/null || echo "nothing declares $file"
      grep -q "^updates/dkms/${file##*/}:" "${file%%/*}/modules.dep" || echo "$file: not in modules.dep"
    done
    for dependencies in */modules.dep; do
      [ -e "$dependencies" ] || continue
      sed 's/:.*//' "$dependencies" | while read -r file; do
        [ -e "${dependencies%/*}/$file" ] || echo "$dependencies names $file"
      done
    done
    true
    """

  /// Runs the hook with the last transaction's targets, and prints how it ended and all that it changed.
  private static let hookAgain = """
    \(snapshot) > /tmp/before
    /usr/lib/alpm-dkms/alpm-dkms-install < /targets > /tmp/words 2>&1
    echo "status $?"
    \(snapshot) > /tmp/after
    diff /tmp/before /tmp/after || cat /tmp/words
    """

  /// A hook of the administrator's that notes what the installing hook was given.
  static let noteTargets = """
    sed -e 's/^Description = .*/Description = Noting targets.../' \
      -e 's|^Exec = .*|Exec = /usr/bin/dd of=/targets status=none|' \
      /usr/share/libalpm/hooks/70-dkms-install.hook > /etc/pacman.d/hooks/90-note-targets.hook
    """
}
