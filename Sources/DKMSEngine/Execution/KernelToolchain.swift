// SPDX-License-Identifier: GPL-2.0-or-later

internal import Host
internal import SystemPackage

/// The compiler and linker that a kernel was built with, as its configuration tells.
struct KernelToolchain {
  private let options: KernelOptions
  private let host: Host

  init(of kernel: KernelTree, host: Host) {
    options = KernelOptions(file: kernel.configuration)
    self.host = host
  }

  /// The environment with what the kernel's own build system needs to choose the same tools.
  func environment(over environment: [String: String]) -> [String: String] {
    var environment = environment
    if let compiler {
      environment["CC"] = compiler
      environment["KERNEL_CC"] = compiler
    }
    if options.value(of: "CONFIG_LD_IS_LLD") == "y", isInPath("ld.lld") {
      environment["LD"] = "ld.lld"
      environment["KERNEL_LD"] = "ld.lld"
    }
    if options.value(of: "CONFIG_CC_IS_CLANG") == "y" { environment["LLVM"] = "1" }
    return environment
  }

  private var compiler: String? {
    if options.value(of: "CONFIG_CC_IS_CLANG") == "y", isInPath("clang") { return "clang" }
    let text = options.value(of: "CONFIG_CC_VERSION_TEXT")
    return text?.split(separator: " ").first.map(String.init).flatMap { isInPath($0) ? $0 : nil }
  }

  private func isInPath(_ program: String) -> Bool {
    let path = host.environment["PATH"] ?? BashEvaluator.defaultPath
    return path.split(separator: ":").contains { Files.isExecutable(FilePath("\($0)/\(program)")) }
  }
}
