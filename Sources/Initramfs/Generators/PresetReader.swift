// SPDX-License-Identifier: GPL-2.0-or-later

internal import Host
internal import SystemPackage

/// A preset of mkinitcpio: one call of it, and what the call makes.
struct Preset: Hashable, Sendable {
  /// The name of its file without `.preset`.
  var file: String
  /// Its own name in the file.
  var name: String
  /// Its keys, `kver` and `image` among them, those for all presets where it does not set them itself.
  var values: [String: String]
  /// What else mkinitcpio is told.
  var options: [String]

  /// As mkinitcpio names it to its hooks.
  var fullName: String { "\(file)-\(name)" }
}

/// Reads preset files as mkinitcpio reads them: by running them.
struct PresetReader: Sendable {
  private let system: BootSystem

  init(_ system: BootSystem) { self.system = system }

  /// The files in /etc/mkinitcpio.d that hold presets.
  ///
  /// - Throws: `HostError` where the look failed.
  func files() throws(HostError) -> [FilePath] {
    let directory = system.place("/etc/mkinitcpio.d")
    return try Files.list(directory).filter { $0.hasSuffix(".preset") && !$0.hasPrefix(".") }
      .map { directory.appending($0) }
  }

  /// The presets in a file, in its own order.
  ///
  /// - Throws: `GenerationError` where it is not a regular file, too large, or bash cannot read it.
  func presets(in file: FilePath) async throws(GenerationError) -> [Preset] {
    let reader = BashReader(host: system.host)
    // A link that leads nowhere counts as a preset, too, and mkinitcpio fails on it.
    _ = try reader.present([file])
    let fields = try await reader.fields(of: Self.script, [file.string], about: file.string)
    guard let presets = Self.presets(in: fields, of: file.stem ?? "") else {
      throw GenerationError(file.string, "something in it prints among the values that bash reads from it")
    }
    return presets
  }

  /// The presets that fields tell of, in pairs of a key and a value; nil where they make no sense.
  private static func presets(in fields: [String], of file: String) -> [Preset]? {
    guard fields.count.isMultiple(of: 2) else { return nil }
    var presets: [Preset] = []
    for index in stride(from: 0, to: fields.count, by: 2) {
      let (key, value) = (fields[index], fields[index + 1])
      if key == "preset" {
        presets.append(Preset(file: file, name: value, values: [:], options: []))
        continue
      }
      guard var preset = presets.popLast() else { return nil }
      if key != "option" {
        preset.values[key] = value
      } else if !value.isEmpty {
        preset.options.append(value)
      }
      presets.append(preset)
    }
    return presets
  }

  /// Images and options have no default for all presets; `efi_image` is the old name of `uki`.
  private static let script = #"""
    __dkms_value() {
      local own="$1_$2"
      if [[ -n ${!own} ]]; then __dkms_say "$2" "${!own}"
      elif [[ -n $3 ]]; then __dkms_say "$2" "$3"; fi
    }
    . "$1" || exit 1
    set +eu
    __dkms_begin
    for __dkms_preset in "${PRESETS[@]}"; do
      [[ $__dkms_preset =~ ^[A-Za-z0-9_]+$ ]] || continue
      __dkms_say preset "$__dkms_preset"
      for __dkms_key in kver kerneldest config cmdline splash; do
        __dkms_all=ALL_$__dkms_key
        __dkms_value "$__dkms_preset" "$__dkms_key" "${!__dkms_all}"
      done
      __dkms_old=${__dkms_preset}_efi_image
      [[ -v ${__dkms_preset}_uki ]] && __dkms_old=__dkms_nothing
      __dkms_value "$__dkms_preset" uki "${!__dkms_old}"
      __dkms_value "$__dkms_preset" image ''
      unset -n __dkms_options
      declare -n __dkms_options=${__dkms_preset}_options
      if [[ ${__dkms_options@a} == *a* ]]; then
        __dkms_words=("${__dkms_options[@]}")
      else
        IFS=' ' read -r -a __dkms_words <<<"$__dkms_options"
      fi
      for __dkms_word in "${__dkms_words[@]}"; do __dkms_say option "$__dkms_word"; done
    done
    __dkms_say end
    """#
}
