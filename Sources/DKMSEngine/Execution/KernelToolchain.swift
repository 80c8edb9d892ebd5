// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// The compiler and linker that a kernel was built with, and which of them are installed.
///
/// They are taken from the kernel's configuration. The reference asks vmlinux first if there is one beside
/// the headers. But its `.comment` also names compilers of single files, and a vmlinux left by another build
/// misleads.
struct KernelToolchain {
  private let options: [String: String]
  private let path: ProgramPath
  /// What Debian's headers tell their Makefile; nil where there is no such file.
  private let kernelVariables: String?

  init(of kernel: KernelTree, path: ProgramPath) throws(HostError) {
    options = try kernel.options().values(of: Self.names)
    kernelVariables = try Files.text(kernel.headers.appending(".kernelvariables"))
    self.path = path
  }

  private static let names: Set = [
    "CONFIG_CC_IS_CLANG", "CONFIG_CC_VERSION_TEXT", "CONFIG_CLANG_VERSION", "CONFIG_GCC_VERSION",
    "CONFIG_LD_IS_LLD",
  ]

  // MARK: What the kernel was built with

  var isClang: Bool { options["CONFIG_CC_IS_CLANG"] == "y" }
  private var isLinkedByLLD: Bool { options["CONFIG_LD_IS_LLD"] == "y" }

  /// `gcc-12 (Debian 12.2.0-14) 12.2.0` names gcc-12; clang's text begins with the name of the distribution.
  private var namedCompiler: String? {
    guard !isClang else { return "clang" }
    let words = options["CONFIG_CC_VERSION_TEXT"]?.split(separator: " ").map(String.init) ?? []
    return words.first { !Self.caches.contains(Self.name(of: $0)) }
  }

  private static let caches: Set = ["ccache", "distcc", "sccache"]

  private static func name(of path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? ""
  }

  /// What Debian's headers give their Makefile, where that is a plain name.
  private var assignedCompiler: String? {
    let lines = kernelVariables?.split(separator: "\n") ?? []
    let parts = lines.map { $0.split(whereSeparator: \.isWhitespace) }.last { parts in
      parts.count == 3 && parts[0] == "CC" && ["=", ":="].contains(parts[1])
    }
    return parts.map { String($0[2]) }.flatMap { $0.contains("$") ? nil : $0 }
  }

  /// The major version of the kernel's compiler; the configuration has 12.2.0 as 120200.
  private var majorVersion: Int? {
    options[isClang ? "CONFIG_CLANG_VERSION" : "CONFIG_GCC_VERSION"].flatMap { Int($0) }.map { $0 / 10_000 }
  }

  // MARK: What there is

  /// The compiler for modules: the kernel's own, else the distribution's of that kind; nil for whatever make takes.
  private var compiler: String? {
    let named = namedCompiler.map { [$0, Self.name(of: $0)] } ?? []
    let others =
      isClang ? versioned("clang") : [assignedCompiler, named.isEmpty ? nil : "gcc"].compactMap { $0 }
    return (named + others).first(where: path.contains)
  }

  private var linker: String? {
    guard isLinkedByLLD else { return nil }
    let plain = ["ld.lld"]
    let names = suffix.isEmpty ? plain + versioned("ld.lld") : ["ld.lld\(suffix)"] + plain
    return names.first(where: path.contains)
  }

  private func versioned(_ program: String) -> [String] { majorVersion.map { ["\(program)-\($0)"] } ?? [] }

  /// What follows the names of the tools where only one version of them is installed: `-19`.
  private var suffix: String { isClang ? String(compiler?.dropFirst("clang".count) ?? "") : "" }

  /// The program that strips modules; nil where clang built the kernel and its own program is missing, since
  /// another one may damage modules.
  var strip: String? {
    guard isClang else { return "strip" }
    return ["llvm-strip\(suffix)", "llvm-strip"].first(where: path.contains)
  }

  /// Why nothing can be compiled; nil if it can, or if the requirements are not known.
  func error(for kernel: Kernel) -> DKMSError? {
    guard let namedCompiler else { return nil }
    let packages = isClang ? "clang llvm lld" : "gcc"
    if compiler == nil { return .compilerMissing(kernel, program: namedCompiler, packages: packages) }
    if isLinkedByLLD, linker == nil {
      return .compilerMissing(kernel, program: "ld.lld", packages: isClang ? packages : "lld")
    }
    return path.contains("make") ? nil : .compilerMissing(kernel, program: "make", packages: "make")
  }

  /// What the user should know of a compiler that is not the kernel's own.
  func remark(_ kernel: Kernel, on host: Host, environment: [String: String]) async -> String? {
    guard !isClang, let namedCompiler, let compiler, let majorVersion,
      Self.name(of: compiler) != Self.name(of: namedCompiler)
    else { return nil }
    let command = Command(compiler, ["-dumpversion"], environment: environment)
    guard let result = try? await host.launcher.run(command), result.isSuccess,
      let version = result.text.split(whereSeparator: { !$0.isNumber }).first.flatMap({ Int($0) }),
      version != majorVersion
    else { return nil }
    return """
      kernel \(kernel.release) was built with \(namedCompiler), version \(majorVersion), which is not installed; \
      \(compiler), version \(version), builds its modules
      """
  }

  /// Programs whose version shows in what is built; some may be missing.
  var programs: [String] {
    ["cc", "ld", "as", "make", "objcopy", "pahole"] + [compiler ?? "gcc", linker, strip].compactMap { $0 }
  }

  // MARK: What builds are told

  /// Variables for the kernel's own build system, and for Makefiles that do without it.
  var variables: [String: String] {
    var variables: [String: String] = [:]
    if let compiler {
      variables["CC"] = compiler
      variables["KERNEL_CC"] = compiler
    }
    if let linker {
      variables["LD"] = linker
      variables["KERNEL_LD"] = linker
    }
    // LLVM selects the linker, too, so it is only set for a kernel built with both.
    if isClang, compiler != nil, linker != nil { variables["LLVM"] = suffix.isEmpty ? "1" : suffix }
    return variables
  }

  /// The variables that must override what a Makefile sets.
  ///
  /// The kernel's Makefile sets CC to plain gcc, or to what .kernelvariables says; so a compiler is passed on
  /// unless it is the one that this gives anyway.
  var strongVariables: [String] {
    let isDefault = compiler == "gcc" && kernelVariables == nil
    return (isDefault ? ["LD"] : ["LLVM", "CC", "LD"]).filter { variables[$0] != nil }
  }
}

/// The directories in which programs are found.
struct ProgramPath: Hashable, Sendable {
  private let directories: [String]

  /// Those of an environment's `PATH`.
  init(_ environment: [String: String]) {
    directories = (environment["PATH"] ?? BashEvaluator.defaultPath).split(separator: ":").map(String.init)
  }

  /// Whether there is a program of this name or path.
  ///
  /// A directory that cannot be looked into holds no program that could be run.
  func contains(_ program: String) -> Bool {
    candidates(program).contains { (try? Files.isExecutable($0)) == true }
  }

  /// Every place where there is such a program: the first may be a wrapper that calls the next.
  func places(of program: String) -> [FilePath] {
    candidates(program).filter { (try? Files.isExecutable($0)) == true }
  }

  private func candidates(_ program: String) -> [FilePath] {
    program.contains("/")
      ? [FilePath(program)] : directories.map { FilePath($0).appending(program) }
  }
}
