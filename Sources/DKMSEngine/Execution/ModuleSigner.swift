// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// Signs built modules for a kernel that verifies signatures.
struct ModuleSigner: Sendable {
  /// Whether the kernel loads no module without a signature.
  let isEnforced: Bool
  private let keys: SigningKeys
  private let hash: String
  private let program: FilePath
  private let hasProgram: Bool
  private let host: Host

  /// Prepares signing; nil where modules are not to be signed.
  init?(
    for kernel: KernelTree, _ options: SigningOptions, in layout: Layout, on host: Host
  ) throws(HostError) {
    guard Self.isAllowed(options.policy, on: host) else { return nil }
    let names: Set = ["CONFIG_MODULE_SIG_FORCE", "CONFIG_MODULE_SIG_HASH"]
    let configuration = try kernel.options().values(of: names)
    guard let hash = configuration["CONFIG_MODULE_SIG_HASH"] else { return nil }
    self.hash = hash
    isEnforced =
      configuration["CONFIG_MODULE_SIG_FORCE"] == "y"
      || kernel.release.description == host.runningRelease && host.enforcesSignatures()
    keys = SigningKeys(for: kernel.release, options, in: layout)
    program = try Self.program(for: kernel, options)
    hasProgram = try Files.isExecutable(program)
    self.host = host
  }

  private static func isAllowed(_ policy: SigningOptions.Policy, on host: Host) -> Bool {
    switch policy {
    case .always: true
    case .never: false
    case .outsideChroots: !host.isInChroot()
    }
  }

  /// Whether modules are left unsigned only because this is a chroot, although the kernel will not load them.
  static func isForgone(
    for kernel: KernelTree, _ options: SigningOptions, on host: Host
  ) throws(HostError) -> Bool {
    guard options.policy == .outsideChroots, host.isInChroot() else { return false }
    let option = "CONFIG_MODULE_SIG_FORCE"
    return try kernel.options().values(of: [option])[option] == "y"
  }

  /// What a plan needs to know of signing for a kernel.
  static func facts(
    _ kernel: KernelTree, _ options: SigningOptions, in layout: Layout, on host: Host
  ) throws(HostError) -> SigningFacts {
    let keys = SigningKeys(for: kernel.release, options, in: layout)
    // No keys are made if no module could be signed with them.
    let isWanted = try ModuleSigner(for: kernel, options, in: layout, on: host)?.hasProgram == true
    return SigningFacts(isWanted: isWanted, keys: keys.pair, state: try keys.state())
  }

  private static func program(
    for kernel: KernelTree, _ options: SigningOptions
  ) throws(HostError) -> FilePath {
    let candidates = candidates(for: kernel, options)
    return try candidates.firstWhere(Files.isExecutable) ?? candidates[0]
  }

  /// Where the program may be: it comes with the headers; Debian's have it in a package of their own.
  static func candidates(for kernel: KernelTree, _ options: SigningOptions) -> [FilePath] {
    let release = kernel.release.description
    if let program = options.program { return [FilePath(program.value(for: release))] }
    let series = release.split(separator: ".").prefix(2).map { $0.prefix { $0.isASCII && $0.isNumber } }
    return [
      kernel.headers.appending("scripts/sign-file"),
      FilePath("/usr/lib/linux-kbuild-\(series.joined(separator: "."))/scripts/sign-file"),
    ]
  }

  /// What keeps the kernel's modules from being signed, as far as that can be known before anything is built.
  func problem() throws(HostError) -> SigningProblem? {
    guard hasProgram else { return .programMissing(path: program.string) }
    return SigningProblem(keys.pair, try keys.state())
  }

  /// The command without secrets, for the log.
  func description(of module: FilePath) -> String {
    "\(program) \(hash) \(keys.pair.keyName) \(keys.pair.certificate) \(module)"
  }

  /// Appends a signature to a module; the same key gives the same bytes.
  func sign(_ module: FilePath, environment: [String: String]) async -> SigningProblem? {
    let command = Command(
      program.string, [hash, keys.pair.key, keys.pair.certificate, module.string], environment: environment)
    do {
      let result = try await host.run(command)
      if result.isSuccess {
        return Self.isSigned(module)
          ? nil : .programFailed(path: program.string, detail: "it left no signature")
      }
      let complaint = result.errorText.split(separator: "\n").last.map(String.init)
      return .programFailed(
        path: program.string, detail: complaint ?? "it ended with status \(result.status)")
    } catch {
      return .programFailed(path: program.string, detail: "\(error)")
    }
  }

  private static func isSigned(_ module: FilePath) -> Bool {
    (try? Files.read(module)).map { ModuleInformation($0).isSigned } == true
  }
}
