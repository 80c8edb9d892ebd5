// SPDX-License-Identifier: GPL-2.0-or-later

import Archives
import DKMSModel
import Glibc
import Host
import JSON
import Synchronization
import SystemPackage

@testable import DKMSEngine
@testable import Initramfs
@testable import Inspection
@testable import Journal
@testable import Pacman

/// Something that reads what others wrote: it may refuse any bytes, but must come to an end without a trap.
struct Reader: Sendable {
  let name: String
  /// What it reads in real life, to begin with.
  let seeds: [[UInt8]]
  let read: @Sendable ([UInt8]) -> Void

  init(_ name: String, _ seeds: [[UInt8]], _ read: @escaping @Sendable ([UInt8]) -> Void) {
    (self.name, self.seeds, self.read) = (name, seeds, read)
  }

  init(_ name: String, _ texts: [String], _ read: @escaping @Sendable ([UInt8]) -> Void) {
    self.init(name, texts.map { Array($0.utf8) }, read)
  }

  static let all =
    [
      configuration, framework, suite, hook, pacmanConfiguration, log, database, json, journal,
      moduleInformation,
      moduleIndex, kernelOptions, newc, unifiedKernelImage, bootLoaders, tarball, initcpioHook, versions,
      names,
      patterns,
      expressions, text,
    ]

  // MARK: Configuration

  static let configuration = Reader(
    "dkms.conf",
    fixtures("dkms.conf") + [
      Array(
        #"PACKAGE_NAME="a" PACKAGE_VERSION=1; MAKE[0]='make -C "${kernel_source_dir}"'; STRIP[3]+=no"#.utf8),
      Array("A=(a 'b c' \"$A\")\nBUILD_EXCLUSIVE_KERNEL='^(6\\.[0-9]+)'\nMAKE_MATCH[1]=x\\\n\r\n".utf8),
    ]
  ) { bytes in
    let environment = ["kernelver": "6.1.0-1", "arch": "x86_64", "module": "a", "HOME": "/root"]
    let names = ConfigurationInterpreter.directives + ["A"]
    guard
      let variables = try? PlainEvaluator.evaluate([bytes], reading: names, environment: environment)
    else { return }
    _ = try? ConfigurationInterpreter(
      variables: variables, file: "dkms.conf", kernel: kernel, kernelHeaders: "/usr/src/linux",
      buildDirectory: { "/var/lib/dkms/\($0)/build" }, hasKernelOption: { $0 == "CONFIG_A" }
    ).configuration()
    compareWithBash(bytes, variables, reading: names, environment: environment)
  }

  /// What was read without a shell means the same to bash.
  private static func compareWithBash(
    _ bytes: [UInt8], _ variables: Variables, reading names: [String], environment: [String: String]
  ) {
    guard bytes.count < 2000 else { return }
    let evaluator = BashEvaluator(host: .live())
    let file = scratch("bash", bytes)
    let result = wait {
      try? await evaluator.evaluate(
        [file], reading: names, environment: evaluator.environment(adding: environment))
    }
    precondition(result == variables, "bash reads \(String(describing: result)), we read \(variables)")
  }

  static let framework = Reader(
    "framework.conf", ["dkms_tree=\"/var/lib/dkms\"\nparallel_jobs=4\n# c\nsymlink_modules=yes\n"]
  ) { bytes in
    _ = try? PlainEvaluator.evaluate(
      [bytes], reading: Framework.names, environment: ["kernelver": KernelText.placeholder])
  }

  static let suite = Reader("alpm-dkms.conf", [file("packaging/alpm-dkms.conf")]) {
    _ = SuiteConfiguration.parse($0, of: "alpm-dkms.conf")
  }

  static let kernelOptions = Reader(
    "auto.conf", ["CONFIG_A=y\nCONFIG_B=m\nCONFIG_CC_VERSION_TEXT=\"gcc (GCC) 15\"\n# CONFIG_C is not set\n"]
  ) { bytes in
    _ = KernelOptions(bytes).values(of: ["CONFIG_A", "CONFIG_C", "CONFIG_CC_VERSION_TEXT"])
  }

  // MARK: pacman

  static let hook = Reader(
    "hook",
    Disk.hooks + [Array("[Trigger]\nType=Path\nTarget=!a\nTarget=\\!b\n[Action]\nExec=/a 'b c' \\\"\n".utf8)]
  ) { bytes in
    let file = try? HookFile(name: "a.hook", text: String(decoding: bytes, as: UTF8.self))
    guard let file else { return }
    let operations = LoggedTransaction(
      number: 1, time: "", operations: [PackageOperation("a", .installed(version: "1"))], end: .completed)
    _ = FiredHooks(
      operations, hooks: [file], packages: ["a": KnownPackage(version: "1", files: ["usr/src/a-1/dkms.conf"])]
    )
  }

  static let pacmanConfiguration = Reader(
    "pacman.conf", ["[options]\nDBPath = /var/lib/pacman/\nHookDir=/etc/a\n\n[core]\nServer = x\n#\n"]
  ) { bytes in
    let root = scratchDirectory.appending("pacman.conf")
    write(bytes, to: "pacman.conf/etc/pacman.conf")
    _ = PacmanConfiguration(root: root)
  }

  static let log = Reader(
    "pacman.log",
    [
      "[2025-01-01T00:00:00+0000] [ALPM] transaction started\n[x] [ALPM] upgraded a (1 -> 2)\n"
        + "[x] [ALPM] installed b (1-1)\n[x] [ALPM-SCRIPTLET] hi\n[x] [ALPM] transaction completed\n"
    ]
  ) { bytes in
    let file = scratch("log", bytes)
    for choice in [PacmanLog.Choice.last, .number(2)] {
      guard let reader = try? LineReader(file, chunkSize: 7, lineLimit: 64) else { return }
      _ = try? PacmanLog.find(choice, in: reader)
    }
  }

  static let database = Reader(
    "local",
    [
      "%NAME%\na\n\n%VERSION%\n1-1\n\n%BUILDDATE%\n1700000000\n\n",
      "%FILES%\nusr/\nusr/lib/\nusr/lib/modules/6.1/vmlinuz\n\n%BACKUP%\netc/a\t0123\n",
    ]
  ) { bytes in
    for name in ["desc", "files"] { write(bytes, to: "db/local/a-1-1/\(name)") }
    write(Array("9\n".utf8), to: "db/local/ALPM_DB_VERSION")
    guard
      let database = try? LocalDatabase(
        root: scratchDirectory, databasePath: scratchDirectory.appending("db"), source: .files)
    else { return }
    _ = database.packages()
    _ = database.package(named: "a")
    _ = try? database.files(of: "a")
    _ = database.owners(of: "usr/lib/modules/6.1/vmlinuz")
    _ = database.entries(matching: "usr/lib/modules/*/vmlinuz")
  }

  static let patterns = Reader(
    "patterns", ["usr/lib/modules/*/vmlinuz\nusr/lib/modules/6.1/vmlinuz", "[!a-]*\nb"]
  ) {
    let lines = String(decoding: $0, as: UTF8.self).split(separator: "\n", maxSplits: 1)
    guard lines.count == 2 else { return }
    _ = PathPattern(String(lines[0])).matches(String(lines[1]))
    _ = TargetLine(Array(lines[1].utf8)).target
  }

  // MARK: JSON

  static let json = Reader("json", [#"{"a": [1, -2.5e3, "é\u00e9\n", null, true], "b": {}}"#]) { bytes in
    guard let value = try? JSONParser.parse(bytes) else { return }
    let again = try? JSONParser.parse(Array(value.text.utf8))
    precondition(again == value, "\(value) is read as \(String(describing: again))")
  }

  static let journal = Reader("journal", [Array("{\"schema\": 1}".utf8), recordSeed]) { bytes in
    _ = try? JournalRecord(bytes, of: "record")
    _ = try? JSONParser.parse(bytes).decode() as Plan
  }

  private static var recordSeed: [UInt8] {
    var plan = Plan()
    if let id = try? ModuleID(name: "a", version: "1") {
      plan.append(.build(id, kernel), because: .requested)
      plan.append(.install(id, kernel), because: .notInstalled, requires: [0])
    }
    return Array(JSON(encoding: plan).text.utf8)
  }

  // MARK: Kernels

  static let moduleInformation = Reader("modinfo", [elf]) { bytes in
    let information = ModuleInformation(bytes)
    _ = (information.release, information.identity)
  }

  static let moduleIndex = Reader(
    "modules.dep", ["updates/dkms/a.ko.zst: kernel/b.ko\nkernel/b.ko:\n"]
  ) { bytes in
    for name in ["dep", "dep.bin", "alias", "alias.bin", "symbols.bin"] {
      write(bytes, to: "6.1/modules.\(name)")
    }
    guard let index = try? ModuleIndex(of: scratchDirectory.appending("6.1")) else { return }
    _ = index.lists(scratchDirectory.appending("6.1/updates/dkms/a.ko.zst"))
    _ = try? index.flaw(modules: [scratchDirectory.appending("6.1/updates/dkms/a.ko.zst")], now: 0)
  }

  /// The least that is a module: an ELF file with one section beside its names.
  private static let elf: [UInt8] = {
    let number = { (value: UInt64, length: Int) in
      (0..<length).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    let names = Array("\0.shstrtab\0.modinfo\0".utf8)
    let contents = Array("version=1\0vermagic=6.1.0-1 SMP\0srcversion=AB\0depends=b\0".utf8)
    let header: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9)
    let start = UInt64(64 + names.count + contents.count)
    let fields =
      number(1, 2) + number(62, 2) + number(1, 4) + number(0, 8) + number(0, 8) + number(start, 8)
      + number(0, 4)
      + number(64, 2) + number(0, 2) + number(0, 2) + number(64, 2) + number(3, 2) + number(1, 2)
    let section = { (name: UInt64, kind: UInt64, offset: Int, size: Int) in
      number(name, 4) + number(kind, 4) + number(0, 16) + number(UInt64(offset), 8) + number(UInt64(size), 8)
        + number(0, 24)
    }
    let sections =
      section(0, 0, 0, 0) + section(1, 3, 64, names.count) + section(11, 1, 64 + names.count, contents.count)
    return header + fields + names + contents + sections
  }()

  // MARK: Archives

  static let newc = Reader("initramfs", [archive, gzip(archive)]) { bytes in
    _ = try? ImageReader(limits: limits).contents(of: scratch("image", bytes), form: .archive)
  }

  static let unifiedKernelImage = Reader("uki", [portableExecutable(archive), signed]) { bytes in
    let file = scratch("uki", bytes)
    _ = try? ImageReader(limits: limits).contents(of: file, form: .unifiedKernelImage)
    _ = try? UnifiedKernelImage.isSigned(file)
  }

  static let bootLoaders = Reader(
    "boot-loaders",
    [
      "title A\nlinux /vmlinuz\ninitrd /a /b\noptions root=x initrd=\\c\n",
      "/+A\n//B\n  path: boot():/vmlinuz#00\n  module_path: uuid(1):/a\n",
      "submenu 'A' {\nmenuentry \"B\\\"\" {\nlinux ($root)/vmlinuz\ninitrd /a\nsubmenuentry C {\n}\n}\n}\n",
      "\"A\" \"root=x initrd=boot\\a-%v.img\"\n",
    ]
  ) { bytes in
    for format in [BootConfiguration.Format.loaderEntry, .limine, .menu, .lines] {
      _ = BootConfiguration(bytes, format).entries.map(\.allImages)
    }
  }

  static let tarball = Reader("tarball", [archive]) { bytes in
    write([], to: "unpacked/.keep")
    let goal = scratchDirectory.appending("unpacked")
    try? Files.remove(goal)
    try? Files.makeDirectories(goal)
    _ = try? ArchiveUnpacker(limits: unpackLimits).unpack(scratch("tarball", bytes), into: goal)
    let left = (try? Files.list(scratchDirectory)) ?? []
    precondition(!left.contains("escaped"), "something was unpacked outside")
  }

  private static var limits: ImageLimits {
    var limits = ImageLimits()
    limits.bytes = 1 << 20
    limits.allModuleBytes = 1 << 20
    return limits
  }

  private static var unpackLimits: UnpackLimits {
    var limits = UnpackLimits()
    limits.bytes = 1 << 16
    limits.entries = 100
    return limits
  }

  private static let archive: [UInt8] = {
    let entry = { (name: String, mode: Int, contents: String) -> [UInt8] in
      let fields = [1, mode, 0, 0, 1, 0, contents.utf8.count, 0, 0, 0, 0, name.utf8.count + 1, 0]
      let hexadecimal = fields.map { field in
        let digits = String(field, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
      }
      var bytes = Array("070701\(hexadecimal.joined())\(name)\0".utf8)
      while bytes.count % 4 != 0 { bytes.append(0) }
      bytes += contents.utf8
      while bytes.count % 4 != 0 { bytes.append(0) }
      return bytes
    }
    return entry("usr/lib/modules/6.1/a.ko", 0o100644, "module") + entry("lib", 0o120777, "usr/lib")
      + entry("../escaped", 0o100644, "x") + entry("TRAILER!!!", 0, "")
  }()

  /// Stored, not compressed.
  private static func gzip(_ bytes: [UInt8]) -> [UInt8] {
    let (low, high) = (UInt8(bytes.count & 0xFF), UInt8(bytes.count >> 8))
    return [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 1, low, high, ~low, ~high] + bytes + [0, 0, 0, 0, 0, 0, 0, 0]
  }

  private static func portableExecutable(_ initrd: [UInt8]) -> [UInt8] {
    let number = { (value: Int) in (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
    let stub = Array("MZ".utf8) + [UInt8](repeating: 0, count: 58) + number(64)
    let header = Array("PE\0\0".utf8) + [0x64, 0x86, 1, 0] + [UInt8](repeating: 0, count: 16)
    let section =
      Array(".initrd\0".utf8) + number(initrd.count) + number(0) + number(initrd.count) + number(128)
      + [UInt8](repeating: 0, count: 16)
    return stub + header + section + initrd
  }

  /// A PE32+ file of nothing but headers and a certificate.
  private static let signed: [UInt8] = {
    let number = { (value: Int) in (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
    let stub = Array("MZ".utf8) + [UInt8](repeating: 0, count: 58) + number(64)
    let header =
      Array("PE\0\0".utf8) + [0x64, 0x86, 0, 0] + [UInt8](repeating: 0, count: 12) + [152, 0, 0, 0]
    let directories = number(5) + [UInt8](repeating: 0, count: 32) + number(240) + number(16)
    let optional = [0x0B, 0x02] + [UInt8](repeating: 0, count: 106) + directories
    return stub + header + optional + number(16) + [0, 2, 2, 0] + [UInt8](repeating: 0x30, count: 8)
  }()

  // MARK: Generators of images

  static let initcpioHook = Reader(
    "initcpio-hook", ["build() {\n  add_module 'a' b; add_all_modules \\\n x\n}\n"]
  ) {
    _ = MkinitcpioConfiguration.namedModules(in: String(decoding: $0, as: UTF8.self))
  }

  // MARK: Names and text

  static let versions = Reader("versions", ["1.0\n1.0.1\n1.0a", "007\n7\n1e9"]) { bytes in
    let versions = String(decoding: bytes, as: UTF8.self).split(separator: "\n").prefix(3).map {
      VersionOrder(String($0))
    }
    for left in versions {
      precondition(!(left < left))
      for right in versions {
        precondition(!(left < right && right < left))
        for last in versions where left < right && right < last { precondition(left < last) }
      }
    }
  }

  static let names = Reader("names", ["hello/1.0", "6.1.0-1/x86_64", "usr/src/hello-1.0/dkms.conf"]) {
    bytes in
    let words = String(decoding: bytes, as: UTF8.self).split(separator: "/", maxSplits: 1).map(String.init)
    _ = TargetLine(bytes).target
    _ = KernelFingerprint(text: String(decoding: bytes, as: UTF8.self))
    guard words.count == 2 else { return }
    if let id = try? ModuleID(name: words[0], version: words[1]) {
      precondition(!"\(Layout().registration(id))".contains("/../"))
    }
    _ = try? Kernel(release: KernelRelease(words[0]), architecture: words[1])
  }

  /// Regular expressions of a dkms.conf, which glibc compiles.
  static let expressions = Reader("expressions", ["^6\\.[0-9]+\n6.1", "(a|b)*c{2,3}\nabcc"]) { bytes in
    let pattern = String(decoding: bytes.prefix(64), as: UTF8.self)
    var variables = Variables()
    for (name, value) in [
      ("PACKAGE_NAME", "a"), ("PACKAGE_VERSION", "1"), ("BUILD_EXCLUSIVE_KERNEL", pattern),
      ("BUILD_EXCLUSIVE_ARCH", pattern), ("MAKE_MATCH", pattern), ("MAKE", "make"),
    ] { variables[name] = value }
    _ = try? ConfigurationInterpreter(
      variables: variables, file: "dkms.conf", kernel: kernel, kernelHeaders: "/usr/src/linux",
      buildDirectory: { "/var/lib/dkms/\($0)/build" }, hasKernelOption: { _ in nil }
    ).configuration()
  }

  static let text = Reader("text", ["a\nb\nabab", "\nx\ny", "é\n\nééé"]) { bytes in
    let lines = String(decoding: bytes, as: UTF8.self).split(
      separator: "\n", maxSplits: 2, omittingEmptySubsequences: false
    ).map(String.init)
    guard lines.count == 3 else { return }
    let parts = lines[2].parts(between: lines[0])
    if !lines[0].isEmpty { precondition(parts.map(String.init).joined(separator: lines[0]) == lines[2]) }
    _ = lines[2].replacing(lines[0], with: lines[1])
    _ = lines[2].contains(lines[0])
  }

  // MARK: Below

  private static let kernel: Kernel = {
    guard let release = try? KernelRelease("6.1.0-1"),
      let kernel = try? Kernel(release: release, architecture: "x86_64")
    else { preconditionFailure("no such kernel") }
    return kernel
  }()

  /// Where readers of files find what they are to read.
  private static let scratchDirectory: FilePath = {
    let parent: FilePath = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    guard let path = try? Files.makeTemporaryDirectory(in: parent, prefix: "alpm-dkms-fuzz.") else {
      preconditionFailure("no place to write to")
    }
    scratchToRemove.withLock { $0 = path }
    atexit { try? Files.remove(scratchToRemove.withLock { $0 }) }
    return path
  }()

  private static let scratchToRemove = Mutex<FilePath>("/nonexistent")

  private static func scratch(_ name: String, _ bytes: [UInt8]) -> FilePath {
    write(bytes, to: name)
    return scratchDirectory.appending(name)
  }

  /// Not through `Files.write`, which brings everything to the disk.
  private static func write(_ bytes: [UInt8], to name: String) {
    let path = scratchDirectory.appending(FilePath(name).components)
    let options: FileDescriptor.OpenOptions = [.create, .truncate]
    var descriptor = try? FileDescriptor.open(
      path, .writeOnly, options: options, permissions: .ownerReadWrite)
    if descriptor == nil {
      try? Files.makeDirectories(path.removingLastComponent())
      descriptor = try? FileDescriptor.open(path, .writeOnly, options: options, permissions: .ownerReadWrite)
    }
    guard let descriptor, (try? descriptor.closeAfter { try descriptor.writeAll(bytes) }) != nil else {
      preconditionFailure("cannot write \(path)")
    }
  }

  private static let repository = FilePath(#filePath).removingLastComponent().removingLastComponent()
    .removingLastComponent()

  private static func file(_ name: String) -> [UInt8] {
    (try? Files.read(repository.appending(FilePath(name).components))) ?? []
  }

  /// All fixtures of that name.
  private static func fixtures(_ name: String) -> [[UInt8]] {
    let packages: FilePath = "Fixtures/packages"
    return ((try? Files.list(repository.appending(packages.components))) ?? []).map {
      file("\(packages)/\($0)/\(name)")
    }.filter { !$0.isEmpty }
  }

  private enum Disk {
    static let hooks = ((try? Files.list(repository.appending("hooks"))) ?? []).map { file("hooks/\($0)") }
  }

  /// The result of something that takes its time.
  private static func wait<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) -> Value {
    let result = Mutex<Value?>(nil)
    let done = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    sem_init(done, 0, 0)
    defer { done.deallocate() }
    let address = UInt(bitPattern: done)
    Task.detached {
      let value = await body()
      result.withLock { $0 = value }
      _ = UnsafeMutablePointer<sem_t>(bitPattern: address).map { sem_post($0) }
    }
    while sem_wait(done) != 0 {}
    guard let value = result.withLock({ $0 }) else { preconditionFailure("no result") }
    return value
  }
}
