// SPDX-License-Identifier: GPL-2.0-or-later

import TestSupport
import Testing

/// Systems whose images a program makes that takes mkinitcpio's arguments and presets, and writes real archives.
extension System {
  /// Has a package called mkinitcpio, with hooks for pacman that do what those of the real one do.
  func addMkinitcpio() async throws {
    try await root.shell("echo 'MODULES=(hello_world)\nHOOKS=(base)' > /etc/mkinitcpio.conf").mustSucceed()
    try await pacman("-U", [mkinitcpioPackage("1-1")]).mustSucceed()
  }

  /// The package in a version; the file to install.
  func mkinitcpioPackage(_ version: String) async throws -> String {
    try await makePackage(
      "mkinitcpio", version,
      content: """
        mkdir -p usr/bin usr/lib/initcpio/install usr/share/libalpm/hooks usr/share/libalpm/scripts etc/mkinitcpio.d
        touch usr/lib/initcpio/install/base
        cat > usr/bin/mkinitcpio << 'SCRIPT'
        \(Self.mkinitcpio)
        SCRIPT
        cat > usr/share/libalpm/scripts/mkinitcpio << 'SCRIPT'
        \(Self.mkinitcpioHook)
        SCRIPT
        chmod +x usr/bin/mkinitcpio usr/share/libalpm/scripts/mkinitcpio
        printf '%s\\n' \(Self.stockTriggers) > usr/share/libalpm/hooks/90-mkinitcpio-install.hook
        """)
  }

  /// Notes each call, but for those that it makes itself for presets.
  private static let mkinitcpio = #"""
    #!/bin/bash
    set -eu
    [[ ${MKINITCPIO_NESTED:-} ]] || echo "$*" >> /mkinitcpio-calls
    archive= kernel= presets=()
    while (($#)); do
      case $1 in
        -P) presets=(/etc/mkinitcpio.d/*.preset) ;;
        -p) presets+=("/etc/mkinitcpio.d/$2.preset"); shift ;;
        -g) archive=$2; shift ;;
        -k) kernel=$2; shift ;;
        --nopost) : ;;
      esac
      shift
    done
    for preset in "${presets[@]}"; do
      . "$preset"
      for name in "${PRESETS[@]}"; do
        image=${name}_image
        MKINITCPIO_NESTED=1 "$0" -k "$ALL_kver" -g "${!image}"
      done
    done
    [[ $archive ]] || exit 0
    for base in /usr/lib/modules/*/pkgbase; do
      [[ $kernel != "/boot/vmlinuz-$(< "$base")" ]] || release=${base%/pkgbase}
    done
    . /etc/mkinitcpio.conf
    cd "$(mktemp -d)"
    head -c 4000 /dev/zero > init
    for module in "${MODULES[@]}"; do
      for file in "$release/updates/dkms/$module".ko*; do
        [[ ! -e $file ]] || install -D "$file" ".$file"
      done
    done
    bsdtar -cf "$archive" --format=newc *
    """#

  /// New kernels get a preset and an image; any other target means every preset.
  private static let mkinitcpioHook = #"""
    #!/bin/bash
    set -eu
    arguments=() all=
    add() {
      base=$(< "$1/pkgbase")
      cp "$1/vmlinuz" "/boot/vmlinuz-$base"
      printf '%s\n' "ALL_kver=/boot/vmlinuz-$base" "PRESETS=(default)" \
        "default_image=/boot/initramfs-$base.img" > "/etc/mkinitcpio.d/$base.preset"
    }
    while read -r target; do
      case $target in
        usr/lib/modules/*/vmlinuz)
          add "/${target%/vmlinuz}"
          arguments+=(-p "$base")
          ;;
        *) all=1 ;;
      esac
    done
    if [[ $all ]]; then
      for directory in /usr/lib/modules/*/; do add "${directory%/}"; done
      arguments=(-P)
    fi
    exec mkinitcpio "${arguments[@]}"
    """#

  private static let stockTriggers = [
    "[Trigger]", "Type = Path", "Operation = Install", "Operation = Upgrade", "Operation = Remove",
    "Target = usr/lib/initcpio/*", "Target = usr/src/*/dkms.conf", "[Trigger]", "Type = Path",
    "Operation = Install", "Operation = Upgrade", "Target = usr/lib/modules/*/vmlinuz", "[Action]",
    "When = PostTransaction", "Exec = /usr/share/libalpm/scripts/mkinitcpio install", "NeedsTargets",
  ].map { "'\($0)'" }.joined(separator: " ")

  /// The calls of mkinitcpio since this was last asked, without where images that are made beside others go.
  func mkinitcpioCalls() async throws -> [String] {
    try await root.shell(
      """
      sed -E 's|-g /boot/[.](.*)[.]alpm-dkms-new|-g beside \\1|' /mkinitcpio-calls 2> /dev/null
      rm -f /mkinitcpio-calls
      """
    ).lines
  }

  /// Checks that the archive of a kernel holds its installed module byte for byte, and no other.
  func expectOwnModule(
    in image: String, of release: String, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let run = try await root.shell(
      """
      module=$(cd / && ls usr/lib/modules/\(release)/updates/dkms/hello_world.ko*)
      bsdtar -tf \(image) | grep '[.]ko'
      bsdtar -xOf \(image) "$module" | cmp - "/$module"
      """)
    #expect(run.status == 0 && run.lines.count == 1, "\(run)", sourceLocation: sourceLocation)
  }
}
