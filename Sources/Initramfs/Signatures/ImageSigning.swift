// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSModel
internal import Host
internal import SystemPackage

/// Keeps unified kernel images signed that are signed, and signs those that sbctl is to sign.
struct ImageSigning: Sendable {
  let system: BootSystem

  /// A note that an image had a signature, which what was made in its place lacked at first.
  ///
  /// It is left only where nothing that follows has signed that.
  static func note(on image: FilePath, in state: FilePath) -> FilePath {
    state.appending("\(image.asOneName).unsigned")
  }

  /// Signs a new image where it has no signature and its place in the plan says who signs it.
  ///
  /// - Returns: What is to be said where it is used without a signature, as the old one was.
  /// - Throws: `GenerationError` where it would lose the signature that the old one has.
  func sign(
    _ path: FilePath, inPlaceOf old: ImageCondition, at place: FilePath? = nil, _ recipe: ImageRecipe
  ) async throws(GenerationError) -> GenerationError? {
    guard old.image.form == .unifiedKernelImage, try isSigned(path) == false else { return nil }
    let wasSigned = try isSigned(place ?? FilePath(old.image.path)) == true
    guard recipe.signer == .sbctl else {
      // Hooks that follow can sign it.
      guard wasSigned, recipe.followUp == nil else { return nil }
      throw lost(old.image, recipe)
    }
    guard let failure = try await sbctl(path) else { return nil }
    let error = GenerationError(
      old.image.path, "sbctl has not signed it: \(failure)",
      remedy: "sbctl sign \(old.image.path.quotedForShell)")
    if wasSigned { throw error }
    return error
  }

  /// That an image would lose its signature.
  private func lost(_ image: InitramfsImage, _ recipe: ImageRecipe) -> GenerationError {
    let command = "alpm-dkms initramfs \(recipe.kernel.release)"
    let remedy =
      system.program("sbctl") != nil
      ? "sbctl sign -s \(image.path.quotedForShell) && \(command)"
      : "have it signed where it is made, then: \(command)"
    return GenerationError(
      image.path,
      "what \(recipe.generator) made is not used: it has no signature, which the old one has, so Secure Boot would refuse it",
      remedy: remedy)
  }

  /// Calls sbctl.
  ///
  /// - Returns: What it said where there is no signature afterwards.
  private func sbctl(_ path: FilePath) async throws(GenerationError) -> String? {
    let command = Command("sbctl", ["sign", path.string], environment: system.host.environment)
    let result: CommandResult
    do { result = try await system.host.launcher.run(command) } catch { return "\(error)" }
    if try isSigned(path) == true { return nil }
    let words = (result.text + "\n" + result.errorText).split(separator: "\n").last.map(String.init)
    return words ?? "it ended with status \(result.status)"
  }

  // MARK: What follows may sign

  /// Notes the signatures that images lose if nothing that follows signs what is put in their places.
  ///
  /// - Throws: `GenerationError` where a signature cannot be looked for, or its loss cannot be noted.
  func noteLosses(_ staged: [FilePath], _ recipe: ImageRecipe) throws(GenerationError) {
    for (image, path) in zip(recipe.images, staged) where image.form == .unifiedKernelImage {
      guard try isSigned(FilePath(image.path)) == true, try isSigned(path) == false else { continue }
      do throws(HostError) {
        try Files.write([], to: Self.note(on: FilePath(image.path), in: system.imageState))
      } catch {
        throw GenerationError(error)
      }
    }
  }

  /// Checks that what was put into the places of signed images is signed now.
  ///
  /// - Throws: `GenerationError` where it is not.
  func checkLosses(_ recipe: ImageRecipe) throws(GenerationError) {
    for image in recipe.images {
      let path = FilePath(image.path)
      let note = Self.note(on: path, in: system.imageState)
      guard (try? Files.exists(note)) == true else { continue }
      guard try isSigned(path) == false else {
        try? Files.remove(note)
        continue
      }
      throw GenerationError(
        image.path, "it was made, but nothing has signed it, as the old one was: Secure Boot would refuse it",
        remedy: try SecureBoot(system).remedy(for: path))
    }
  }

  private func isSigned(_ path: FilePath) throws(GenerationError) -> Bool? {
    do { return try UnifiedKernelImage.isSigned(path) } catch {
      throw GenerationError(path.string, error.reason)
    }
  }
}
