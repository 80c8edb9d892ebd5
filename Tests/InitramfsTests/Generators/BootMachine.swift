// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import Glibc
import Host
import SystemPackage
import TestSupport
import Testing

@testable import Initramfs

/// A system in a temporary directory, with kernels, modules, and generators that are small scripts.
///
/// Such a script notes how it was called and packs the modules that `included` names into a real cpio archive.
struct BootMachine {
  let directory: TemporaryDirectory
  let system: BootSystem
  static let release = "6.12.1-arch1-1"
  static let otherRelease = "6.6.9-lts"

  /// Makes one; generators find what is added to their environment for its root directory.
  init(_ environment: (FilePath) -> [String: String] = { _ in [:] }) throws {
    directory = try TemporaryDirectory(in: TemporaryDirectory.memory)
    let path = directory.path
    let host = Host(
      environment: ["PATH": "\(path)/bin:/usr/sbin:/usr/bin:/sbin:/bin", "ROOT": path.string]
        .merging(environment(path)) { $1 }, isRoot: true,
      runningRelease: "none", architecture: "x86_64", processorCount: 1, launcher: ProcessLauncher(),
      console: .silent, now: { 0 })
    system = BootSystem(
      root: path, installTree: path.appending("usr/lib/modules".components),
      imageState: path.appending("state"), imageMemory: path.appending("memory"), host: host)
    try Files.makeDirectories(path.appending("bin"))
    for name in ["mkinitcpio", "dracut", "booster"] {
      try Files.write(
        Self.standIn.bytes, to: path.appending("bin").appending(name),
        permissions: [.ownerReadWriteExecute, .groupReadExecute, .otherReadExecute])
    }
    try directory.write("", to: "included")
    try Files.makeDirectories(path.appending("boot"))
  }

  var path: FilePath { directory.path }

  func kernel(_ release: String = Self.release, base: String? = "linux") throws -> BootableKernel {
    try directory.write("", to: "usr/lib/modules/\(release)/modules.dep")
    let kernel = try Kernel(release: KernelRelease(release), architecture: "x86_64")
    return BootableKernel(kernel, packageBase: base)
  }

  /// Installs a module as DKMS does, and has generators put it into images.
  func install(_ module: String, _ contents: String, in release: String = Self.release) throws {
    try directory.write(contents, to: "usr/lib/modules/\(release)/updates/dkms/\(module).ko")
    try list(of: release)
    let included = (text("included") ?? "").split(separator: "\n").map(String.init)
    if !included.contains(module) {
      try directory.write((included + [module]).map { "\($0)\n" }.joined(), to: "included")
    }
  }

  func uninstall(_ module: String, from release: String = Self.release) throws {
    let file = path.appending("usr/lib/modules/\(release)/updates/dkms/\(module).ko".components)
    try #require(Disk.isFile(file))
    try Files.remove(file)
    try list(of: release)
  }

  /// What depmod would write.
  private func list(of release: String) throws {
    let modules = "usr/lib/modules/\(release)"
    let files = Disk.list(path.appending("\(modules)/updates/dkms".components)).filter { $0.hasSuffix(".ko") }
    try directory.write(files.map { "updates/dkms/\($0):\n" }.joined(), to: "\(modules)/modules.dep")
  }

  /// Runs shell words that must succeed, in the root directory.
  @discardableResult
  func run(_ words: String) throws -> String {
    let directory = path
    let output = path.appending("output")
    let code = ShellWords.run("cd '\(directory)' && { \(words); } > '\(output)' 2>&1")
    let text = Disk.text(output) ?? ""
    try #require(code == 0, "\(words): \(text)")
    return text
  }

  /// How generators were called, a line a call: the program and its arguments, without the root directory.
  var calls: [String] {
    (Disk.text(path.appending("calls")) ?? "").split(separator: "\n").map { line in
      line.split(separator: path.string, omittingEmptySubsequences: false).joined()
    }
  }

  func text(_ name: String) -> String? { Disk.text(path.appending(name.components)) }

  func bytes(_ name: String) throws -> [UInt8] { try Files.read(path.appending(name.components)) }

  /// Something that objcopy can put sections into, as the stub of unified kernel images is.
  func addStub() throws {
    try run("echo 'int main;' | gcc -c -x c - -o stub.o && objcopy -O pei-x86-64 stub.o stub.efi")
  }

  // MARK: What is shown

  var maker: ImageMaker { ImageMaker(system) }

  func recipes(_ kind: ImageGenerator, _ kernels: BootableKernel...) async throws -> [ImageRecipe] {
    let found = await ImageSurvey(system).recipes(of: kind, for: kernels)
    if let problem = found.problems.first { throw problem }
    return found.recipes
  }

  func plan(
    _ recipes: [ImageRecipe], policy: ImagePolicy = .auto, unbuilt: [Kernel: Set<String>] = [:]
  ) async -> ImagePlan {
    var facts = ImageFacts(policy: policy, unbuiltModules: unbuilt)
    for recipe in recipes { facts.runs.append(await ImageSurvey(system).run(recipe)) }
    return ImagePlan(facts)
  }

  /// Plans, and makes what the plan says.
  func settle(_ recipes: [ImageRecipe]) async throws {
    for entry in await plan(recipes).generated { try await maker.make(entry) }
  }

  /// The names of the modules in an image.
  func modules(in name: String, _ form: InitramfsImage.Form = .archive) throws -> [String] {
    try ImageReader().contents(of: path.appending(name.components), form: form).modules.map(\.name)
  }

  private static let standIn = #"""
    #!/bin/bash
    set -eu
    name=${0##*/}
    echo "$name $*" >> "$ROOT/calls"
    env | grep -E '^MKINITCPIO' >> "$ROOT/environment" || true
    behaviour=$(cat "$ROOT/behaviour" 2> /dev/null || true)
    archive= unified= kernel=
    arguments=("$@")
    while (($#)); do
      case $1 in
        -g) archive=$2; shift ;;
        -U) unified=$2; shift ;;
        -k | --kver | --kernel-version) kernel=$2; shift ;;
        --nopost) : ;;
        --uefi) archive=; unified=${arguments[-1]} ;;
      esac
      shift
    done
    [[ $name == mkinitcpio || $unified ]] || archive=${arguments[-1]}
    case $kernel in /*) kernel=$(cat "$ROOT$kernel.release") ;; esac
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    tree=usr/lib/modules/$kernel/updates/dkms
    mkdir -p "$work/tree/$tree"
    while read -r module; do
      file=$ROOT/$tree/$module.ko
      [[ $behaviour == forgetful || ! -e $file ]] || cp "$file" "$work/tree/$tree"
    done < "$ROOT/included"
    head -c 4000 /dev/zero > "$work/tree/init"
    mkdir "$work/tree/usr/bin"
    [[ $behaviour == lack ]] || : > "$work/tree/usr/bin/cryptsetup"
    [[ $behaviour == tiny ]] && rm "$work/tree/init"
    [[ $behaviour == large ]] && head -c 90000 /dev/zero > "$work/tree/init"
    (cd "$work/tree" && find . | sort | bsdtar -cnf - --format=newc -T -) > "$work/image"
    if [[ $behaviour == cut ]]; then truncate -s 600 "$work/image"; fi
    [[ ! $archive ]] || cp "$work/image" "$archive"
    [[ ! $unified ]] || objcopy --add-section ".initrd=$work/image" --change-section-vma .initrd=0x3000000 \
      "$ROOT/stub.efi" "$unified"
    case $behaviour in
      complain) echo "==> ERROR: module not found: 'no-such'"; exit 1 ;;
      lack) echo "  -> Running build hook: [encrypt]"; echo "==> ERROR: binary not found: 'cryptsetup'"; exit 1 ;;
    esac
    if [[ $behaviour == fail ]]; then echo "==> ERROR: no such luck"; exit 1; fi
    """#
}

/// A shell, waited for.
enum ShellWords {
  static func run(_ words: String) -> Int32 { system(words) }
}
