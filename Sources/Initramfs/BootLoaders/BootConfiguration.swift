// SPDX-License-Identifier: GPL-2.0-or-later

/// The entries in the configuration of a boot loader, which may be cut off or be no configuration at all.
struct BootConfiguration {
  /// The entries that name any file, in their order; one without a title has what stands outside of all others.
  private(set) var entries: [Entry] = [Entry()]

  /// What one entry names, but for the device before a path and the hash after it.
  struct Entry: Hashable {
    /// What the menu calls it, below its submenus; nil where it has no name.
    var title: String?
    /// The kernels, or other programs in their place.
    var kernels: [String] = []
    /// The initramfs images.
    var images: [String] = []
    fileprivate var inheritsKernels = false
    fileprivate var inheritsImages = false

    /// The images, and what can be a unified kernel image among the kernels.
    var allImages: [String] { images + kernels.filter { $0.lowercased().hasSuffix(".efi") } }
  }

  /// How entries are written.
  enum Format: Hashable {
    /// One in each file, as the Boot Loader Specification says.
    case loaderEntry
    /// `/Title` before the lines of an entry, `//Title` for one below it: limine.conf.
    case limine
    /// `menuentry 'Title' {` and `}`: grub.cfg and refind.conf.
    case menu
    /// `"Title" "options"`, one entry on each line: refind_linux.conf.
    case lines
  }

  /// The entry that the lines belong to now.
  private var current = 0
  /// The titles of the submenus and entries around the current line, each with the entry around it.
  private var levels: [(title: String?, around: Int)] = []

  /// Finds them; lines that make no sense name nothing.
  init(_ bytes: [UInt8], _ format: Format) {
    for line in bytes.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) {
      let line = line.trimmed
      guard let first = line.first, first != UInt8(ascii: "#") else { continue }
      switch format {
      case .loaderEntry: readTitle(line)
      case .limine: readHeading(line)
      case .menu: readBraces(line)
      case .lines:
        levels = []
        begin(BootWords(line).first ?? "")
      }
      addFiles(in: line)
    }
    entries.removeAll { $0.kernels.isEmpty && $0.images.isEmpty }
  }

  // MARK: Entries

  private mutating func readTitle(_ line: ArraySlice<UInt8>) {
    let keyword = line.prefix { !$0.isBlank }
    if keyword.elementsEqual("title".utf8) { entries[0].title = line.dropFirst(keyword.count).trimmed.text }
  }

  private mutating func readHeading(_ line: ArraySlice<UInt8>) {
    let depth = line.prefix { $0 == UInt8(ascii: "/") }.count
    guard depth > 0 else { return }
    let rest = line.dropFirst(depth)
    levels = Array(levels.prefix(depth - 1))
    // A plus sign has the loader show what is below it.
    begin((rest.first == UInt8(ascii: "+") ? rest.dropFirst() : rest).trimmed.text)
  }

  private mutating func readBraces(_ line: ArraySlice<UInt8>) {
    let words = BootWords(line)
    if words.first == "}" { current = levels.popLast()?.around ?? 0 }
    guard line.last == UInt8(ascii: "{") else { return }
    switch words.first {
    case "menuentry": begin(words.second ?? "")
    case "submenuentry": begin(words.second ?? "", inheriting: entries[current])
    case "submenu": levels.append((words.second, current))
    default: levels.append((nil, current))
    }
  }

  /// Begins an entry; one that inherits has the files of another until it names its own.
  private mutating func begin(_ title: String, inheriting other: Entry = Entry()) {
    let titles = levels.compactMap(\.title) + [title]
    levels.append((title, current))
    current = entries.count
    var entry = other
    entry.title = titles.joined(separator: " > ")
    (entry.inheritsKernels, entry.inheritsImages) = (true, true)
    entries.append(entry)
  }

  // MARK: Files

  private static let kernelKeywords: Set<String> = [
    "linux", "linuxefi", "linux16", "kernel_path", "path", "loader", "efi", "uki", "image_path",
    "chainloader",
  ]
  private static let imageKeywords: Set<String> = ["initrd", "initrdefi", "initrd16", "module_path"]
  private static let imageOption = Array("initrd=".utf8)

  private mutating func addFiles(in line: ArraySlice<UInt8>) {
    let words = line.split { $0.isBlank || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "'") }
    guard let first = words.first else { return }
    let keyword = (first.last == UInt8(ascii: ":") ? first.dropLast() : first).text.lowercased()
    if Self.kernelKeywords.contains(keyword) {
      entries[current].addKernels(words.dropFirst().prefix(1).compactMap(Self.path))
    }
    if Self.imageKeywords.contains(keyword) {
      entries[current].addImages(words.dropFirst().compactMap(Self.path))
    }
    let options = words.filter { $0.starts(with: Self.imageOption) }
    // Firmware takes them from the root of a file system, with a backslash before them or without.
    let named = options.map { $0.dropFirst(Self.imageOption.count) }.compactMap { name in
      Self.path([UInt8(ascii: "/")] + name.drop { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") })
    }
    if !named.isEmpty { entries[current].addImages(named) }
  }

  /// A path without the device before it and the hash after it, with the slashes of this system; nil where it is none.
  private static func path(_ word: some Collection<UInt8>) -> String? {
    let slash = UInt8(ascii: "/")
    let path = Array(word.prefix { $0 != UInt8(ascii: "#") }.map { $0 == UInt8(ascii: "\\") ? slash : $0 })
    guard let start = path.firstIndex(of: slash) else { return nil }
    // `boot():`, `uuid(1234):` and `($root)` name devices.
    let hasDevice = start > 0 && [UInt8(ascii: ":"), UInt8(ascii: ")")].contains(path[start - 1])
    return (start == 0 || hasDevice) && start + 1 < path.count ? path[start...].text : nil
  }
}

extension BootConfiguration.Entry {
  fileprivate mutating func addKernels(_ names: [String]) {
    kernels = inheritsKernels ? names : kernels + names
    inheritsKernels = false
  }

  fileprivate mutating func addImages(_ names: [String]) {
    images = inheritsImages ? names : images + names
    inheritsImages = false
  }
}

/// The first words of a line, with quotes as shells understand them.
private struct BootWords {
  private(set) var first: String?
  private(set) var second: String?

  init(_ line: ArraySlice<UInt8>) {
    var rest = line
    first = Self.word(&rest)
    second = Self.word(&rest)
  }

  private static func word(_ rest: inout ArraySlice<UInt8>) -> String? {
    rest = rest.drop(while: \.isBlank)
    guard !rest.isEmpty else { return nil }
    var word: [UInt8] = []
    var quote: UInt8?
    while let byte = rest.first, quote != nil || !byte.isBlank {
      rest = rest.dropFirst()
      if byte == quote {
        quote = nil
      } else if quote == nil, byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
        quote = byte
      } else if byte == UInt8(ascii: "\\"), quote != UInt8(ascii: "'"), let next = rest.first {
        word.append(next)
        rest = rest.dropFirst()
      } else {
        word.append(byte)
      }
    }
    return word[...].text
  }
}

extension UInt8 {
  fileprivate var isBlank: Bool { self == 0x20 || self == 0x09 }
}

extension ArraySlice<UInt8> {
  /// Without the blanks before and after it.
  fileprivate var trimmed: ArraySlice<UInt8> {
    let start = drop(while: \.isBlank)
    guard let last = start.lastIndex(where: { !$0.isBlank }) else { return [] }
    return start[...last]
  }

  /// As UTF-8, with what is none replaced.
  fileprivate var text: String { String(decoding: self, as: UTF8.self) }
}
