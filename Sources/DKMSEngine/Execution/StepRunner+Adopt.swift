// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

extension StepRunner {
  /// Puts what a kernel holds of a module into the tree as its build, and leaves the kernel's directory as it is.
  func adopt(_ id: ModuleID, _ kernel: Kernel, _ basis: Basis) async throws(DKMSError) -> [String] {
    let products = layout.products(id, kernel.release)
    // Only a build would remove this directory, and no build runs here.
    defer { LeftoverSweeper(layout).removeBuildDirectory(of: id) }
    return try await lockedModule(id, .shared) { () throws(DKMSError) in
      try await locked(products, .exclusive, "\(id) for \(kernel.release)") { () throws(DKMSError) in
        defer { Files.removeEmptyDirectories(from: products, upTo: layout.registration(id)) }
        return try await lockedKernel(kernel.release) { () throws(DKMSError) in
          try onFiles { () throws(HostError) in try record(basis, of: id, kernel) }
          return []
        }
      }
    }
  }

  private func record(_ basis: Basis, of id: ModuleID, _ kernel: Kernel) throws(HostError) {
    let product = Product(id, kernel, in: layout)
    let (modules, log) = (product.staged.appending("module"), product.staged.appending("log"))
    try Files.remove(product.staged)
    for directory in [modules, log] { try Files.makeDirectories(directory) }
    let files = (basis.installation?.files ?? []).map { FilePath($0.path) }
    for file in files { try Files.copy(file, to: modules.appending(file.components.suffix(1))) }
    let names = files.map { "\($0)\n" }.joined()
    try Files.write(
      Array("Not built, but found where modules are installed:\n\(names)".utf8),
      to: log.appending("make.log"))
    if let fingerprint = basis.fingerprint {
      let note = product.staged.appending(layout.fingerprint(id, kernel).components.suffix(1))
      try Files.write(Array(fingerprint.text.utf8), to: note)
    }
    for directory in [modules, log, product.staged] { try Files.synchronize(directory) }
    try product.publish()
    try Files.link(
      layout.activeLink(id.name, kernel),
      to: FilePath("\(id.version)/\(kernel.release)/\(kernel.architecture)"))
    try Files.synchronize(layout.module(id.name))
  }
}
