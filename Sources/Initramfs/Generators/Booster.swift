// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// booster: one image for each kernel, named after the package base.
struct Booster: StrippingGenerator {
  let kind = ImageGenerator.booster
  static let stripping = ModuleStripping(
    calls: [
      // Without these sections since 0.11.
      ["strip"] + dropped.flatMap { ["-R", $0] } + ["--strip-unneeded"], ["strip", "--strip-unneeded"],
    ],
    leavesSignedModules: false)
  private static let dropped = [
    ".note.*", ".comment", ".go.buildinfo", ".gosymtab", "*orc_unwind*", ".BTF",
  ]
  private let system: BootSystem

  init(_ system: BootSystem) { self.system = system }

  func recipes(for kernels: [BootableKernel]) async -> ImageRecipes {
    let file = system.place(Self.configuration)
    var recipes = ImageRecipes()
    guard let text = recipes.answer({ () throws(HostError) in try Files.text(file) ?? "" }) else {
      return recipes
    }
    let requests = Self.requests(in: text)
    for kernel in kernels {
      guard let base = kernel.packageBase else { continue }
      let path = system.place("/boot/booster-\(base).img")
      // An image that never existed is not wanted unless the kernel is there to be booted.
      let isWanted = recipes.answer { () throws(HostError) -> Bool in
        if try Files.isFile(path) { return true }
        guard try Files.isFile(system.place("/boot/vmlinuz-\(base)")) else { return false }
        return try GeneratorHooks(of: program, on: system).wouldMake(imagesNamed: "booster-")
      }
      guard isWanted == true else { continue }
      let image = InitramfsImage(path: path.string, kernel: kernel.kernel, generator: kind)
      recipes.append(
        ImageRecipe(
          images: [image], options: ["build", "--force", "--kernel-version", "\(kernel.kernel.release)"],
          requests: requests, configurationFiles: [file.string]))
    }
    return recipes
  }

  func recipe(for image: InitramfsImage) async -> ImageRecipe? {
    let file = system.place(Self.configuration)
    guard image.form == .archive, let text = try? Files.text(file) ?? "" else { return nil }
    return ImageRecipe(
      images: [image], options: ["build", "--force", "--kernel-version", "\(image.kernel.release)"],
      requests: Self.requests(in: text), configurationFiles: [file.string])
  }

  func arguments(for recipe: ImageRecipe, writing paths: [String]) -> [String] { recipe.options + paths }

  private static let configuration = "/etc/booster.yaml"

  /// The modules in the two lists of its configuration, which are text with commas.
  ///
  /// Patterns, directories and what is left out by a dash ask for nothing by name.
  static func requests(in text: String) -> [ModuleRequest] {
    var requests: [ModuleRequest] = []
    for line in text.split(whereSeparator: \.isNewline) {
      let parts = line.split(separator: ":", maxSplits: 1).map(String.init)
      guard parts.count == 2, ["modules", "modules_force_load"].contains(parts[0]) else { continue }
      let value = parts[1].prefix { $0 != "#" }.filter { !"\"'".contains($0) }
      for name in value.split(whereSeparator: { $0 == "," || $0.isWhitespace }).map(String.init)
      where !name.hasPrefix("-") && !name.contains("*") && !name.contains("/") {
        requests.append(
          ModuleRequest(module: name.asKernelModuleName, place: "\(parts[0]) in \(configuration)"))
      }
    }
    return requests.firstOfEachModule
  }
}

extension [ModuleRequest] {
  /// Each module once, with the first place that names it.
  var firstOfEachModule: [ModuleRequest] {
    var known: Set<String> = []
    return filter { known.insert($0.module).inserted }
  }
}
