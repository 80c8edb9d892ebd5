// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel
internal import Host
internal import SystemPackage

/// Makes images: beside their places, checked, and only then put there.
public struct ImageMaker: Sendable {
  private let system: BootSystem
  private let state: FilePath
  private let survey: ImageSurvey
  private let signing: ImageSigning
  private let memory: ImageMemory

  /// Makes images of a system.
  public init(_ system: BootSystem) {
    self.system = system
    state = system.imageState
    survey = ImageSurvey(system)
    signing = ImageSigning(system: system)
    memory = ImageMemory(directory: system.imageMemory)
  }

  /// Removes what a killed run left half made beside images.
  ///
  /// - Returns: The looks that failed, so that something may be left.
  public func sweep(beside recipes: [ImageRecipe]) -> [GenerationError] {
    var directories: Set<FilePath> = [state]
    var problems = ImageRecipes()
    for image in recipes.flatMap(\.images) {
      let goal = problems.answer { () throws(HostError) -> FilePath in try self.goal(of: image) }
      if let goal { directories.insert(goal.removingLastComponent()) }
    }
    for directory in directories {
      let names = problems.answer { () throws(HostError) in try Files.list(directory) } ?? []
      for name in names where name.hasPrefix(".") && name.hasSuffix(Files.stagingSuffix) {
        try? Files.remove(directory.appending(name))
      }
    }
    try? Files.remove(archive)
    _ = problems.answer { () throws(HostError) in try KeptImages.resume(in: state) }
    memory.sweep()
    return problems.problems
  }

  /// Makes the images of a run anew, or signs those that are there, as the plan says; where anything goes wrong those
  /// that are there stay as they are.
  ///
  /// - Returns: What the generator complained of though its images are as good as the old ones.
  /// - Throws: `GenerationError`, also where what follows the images went wrong.
  @discardableResult
  public func make(_ entry: ImagePlan.Entry) async throws(GenerationError) -> [GenerationError] {
    if entry.isOnlySigned {
      try await sign(entry)
      return []
    }
    let recipe = entry.recipe
    var goals: [FilePath] = []
    for image in recipe.images { goals.append(try usableGoal(of: image, recipe)) }
    guard recipe.generator.generator(on: system).writesElsewhere else {
      return try await makeInPlace(entry, goals)
    }
    let placement = try ImagePlacement(goals, recipe, elsewhere: state)
    let staged = placement.staged
    // Only what follows a unified kernel image alone asks for the archive in it.
    let needsArchive = recipe.followUp != nil && !recipe.images.contains { $0.form == .archive }
    let archive = needsArchive ? archive : nil
    defer {
      for path in staged + [archive].compactMap({ $0 }) { try? Files.remove(path) }
      staged.forEach(memory.forget)
    }
    let complaint = try await generate(recipe, to: staged + [archive].compactMap { $0 })
    var complaints = complaint?.complaints ?? []
    do throws(GenerationError) {
      for (index, path) in staged.enumerated() {
        try await check(path, against: entry.conditions[index], recipe)
        if complaint != nil { try await checkWholeness(path, against: entry.conditions[index]) }
      }
    } catch {
      throw complaint?.failure ?? error
    }
    // A signature and another place change nothing of what is in them.
    let known = zip(staged, recipe.images).map { memory.contents(of: $0, form: $1.form) }
    for (path, old) in zip(staged, entry.conditions) {
      if let unsigned = try await signing.sign(path, inPlaceOf: old, recipe) { complaints.append(unsigned) }
    }
    if recipe.followUp != nil {
      try signing.noteLosses(staged, recipe)
      try look { () throws(HostError) in
        try Files.write([], to: note(recipe))
        try Files.synchronize(state)
      }
    }
    let files = placement.staged.map { try? Files.identity($0) }
    try placement.place(recipe)
    remember(known, files, recipe)
    try await follow(recipe, archive: archive)
    try signing.checkLosses(recipe)
    return complaints
  }

  /// Notes what is in images that have just been put into their places.
  private func remember(_ known: [ImageContents?], _ files: [Files.Identity?], _ recipe: ImageRecipe) {
    for (index, image) in recipe.images.enumerated() {
      guard let contents = known[index] else { continue }
      memory.keep(contents, of: FilePath(image.path), form: image.form, renamedFrom: files[index])
    }
  }

  /// Has a program make images that it puts into their places by itself; what is worse than before is taken back.
  private func makeInPlace(
    _ entry: ImagePlan.Entry, _ goals: [FilePath]
  ) async throws(GenerationError) -> [GenerationError] {
    let recipe = entry.recipe
    let kept = try KeptImages(goals, recipe.kernel.release, in: state)
    var complaints: [GenerationError] = []
    do throws(GenerationError) {
      if let complaint = try await generate(recipe, to: []) { throw complaint.failure }
      for (goal, old) in zip(goals, entry.conditions) {
        let file = kept.file(of: goal)
        try await check(goal, against: old, at: file, recipe)
        let unsigned = try await signing.sign(goal, inPlaceOf: old, at: file, recipe)
        complaints += unsigned.map { [$0] } ?? []
      }
    } catch {
      try kept.putBack()
      throw error
    }
    kept.discard()
    return complaints
  }

  /// Puts signed copies of images into their places.
  private func sign(_ entry: ImagePlan.Entry) async throws(GenerationError) {
    let unsigned = entry.conditions.filter { $0.flaws.contains(where: \.isUnsigned) }
    var recipe = entry.recipe
    recipe.images = unsigned.map(\.image)
    var goals: [FilePath] = []
    for image in recipe.images { goals.append(try usableGoal(of: image, recipe)) }
    let known = recipe.images.map { memory.contents(of: FilePath($0.path), form: $0.form) }
    let placement = try ImagePlacement(goals, recipe, elsewhere: state)
    defer { for path in placement.staged { try? Files.remove(path) } }
    for (index, path) in placement.staged.enumerated() {
      try look { () throws(HostError) in try Files.duplicate(goals[index], to: path) }
      if let failure = try await signing.sign(path, inPlaceOf: unsigned[index], recipe) { throw failure }
    }
    let files = placement.staged.map { try? Files.identity($0) }
    try placement.place(recipe)
    remember(known, files, recipe)
  }

  /// Runs what should have followed images that were put in place by a run that was killed just then.
  ///
  /// - Throws: `GenerationError` where an image cannot be put in its place, or what follows failed.
  public func resume(_ recipe: ImageRecipe) async throws(GenerationError) {
    try look { () throws(HostError) in
      let goals = try recipe.images.map { image throws(HostError) in try goal(of: image) }
      try ImagePlacement.resume(recipe, at: goals, in: state)
    }
    let isUnfinished = try look { () throws(HostError) in try Files.exists(note(recipe)) }
    if isUnfinished { try await follow(recipe, archive: nil) }
  }

  /// Where a link leads, since it must stay one.
  private func goal(of image: InitramfsImage) throws(HostError) -> FilePath {
    try Files.resolved(FilePath(image.path)) ?? FilePath(image.path)
  }

  /// Where an image is put: in an existing directory, in the place of a file or of nothing.
  private func usableGoal(
    of image: InitramfsImage, _ recipe: ImageRecipe
  ) throws(GenerationError) -> FilePath {
    let goal = try look { () throws(HostError) -> FilePath in try self.goal(of: image) }
    let (kind, hasDirectory) = try look { () throws(HostError) -> (Files.Kind?, Bool) in
      (try Files.kind(goal), try Files.isDirectory(goal.removingLastComponent()))
    }
    guard hasDirectory else {
      throw GenerationError(
        goal.string, "its directory does not exist", remedy: "mount or make it first")
    }
    // The only links that get here are those that lead nowhere.
    guard kind == nil || kind == .file || kind == .link else {
      let words = kind == .directory ? "a directory" : "a pipe, a socket or a device"
      throw GenerationError(
        image.path, "it is \(words), and no image is put in its place",
        remedy: Self.otherName(for: image, recipe))
    }
    return goal
  }

  private static func otherName(for image: InitramfsImage, _ recipe: ImageRecipe) -> String {
    guard image.generator == .mkinitcpio, let preset = recipe.configurationFiles.last else {
      let (place, aside) = (image.path.quotedForShell, "\(image.path).old".quotedForShell)
      return "mv \(place) \(aside) && alpm-dkms initramfs \(recipe.kernel.release)"
    }
    return "name a file for the image in \(preset), then: alpm-dkms initramfs \(recipe.kernel.release)"
  }

  private func look<Value>(_ question: () throws(HostError) -> Value) throws(GenerationError) -> Value {
    do { return try question() } catch { throw GenerationError(error) }
  }

  /// The archive in a unified kernel image, for what follows that.
  private var archive: FilePath { state.appending("archive.img") }

  // MARK: Generating

  /// What a generator said that ended with an error.
  private struct Complaint {
    /// That it failed.
    let failure: GenerationError
    /// What it missed, each with what is to be done about it.
    let complaints: [GenerationError]
  }

  /// Runs the generator.
  ///
  /// - Returns: What it complained of, where it wrote all the same.
  private func generate(
    _ recipe: ImageRecipe, to paths: [FilePath]
  ) async throws(GenerationError) -> Complaint? {
    let subject = recipe.images[0].path
    for path in paths { try? Files.remove(path) }
    let generator = recipe.generator.generator(on: system)
    let command = Command(
      generator.program, generator.arguments(for: recipe, writing: paths.map(\.string)),
      environment: system.host.environment.merging(recipe.environment) { $1 })
    let result: CommandResult
    do {
      try Files.makeDirectories(state)
      result = try await system.host.launcher.run(command)
    } catch {
      throw GenerationError(subject, "\(error)")
    }
    let log = log(recipe)
    if result.isSuccess {
      try? Files.remove(log)
      return nil
    }
    try? Files.write(result.output + result.errorOutput, to: log)
    let lines = (result.text + result.errorText).split(separator: "\n")
    let telling = lines.last { $0.contains("ERROR") || $0.contains("No space left") } ?? lines.last
    let words = result.text + "\n" + result.errorText
    let complaints = try look { () throws(HostError) in
      try generator.complaints(in: words, recipe.configurationFiles.map { FilePath($0) })
    }
    let advice = complaints.compactMap(\.remedy).first.map { "\($0); the log is \(log)" }
    let failure = GenerationError(
      subject,
      "\(generator.program) ended with status \(result.status)\(telling.map { ": \($0)" } ?? "")",
      remedy: advice ?? "the log is \(log)")
    let isWritten = try look { () throws(HostError) in try paths.where(Files.isFile).count == paths.count }
    guard !complaints.isEmpty, isWritten else { throw failure }
    return Complaint(failure: failure, complaints: complaints)
  }

  private func log(_ recipe: ImageRecipe) -> FilePath { state.appending("\(name(of: recipe)).log") }

  private func name(of recipe: ImageRecipe) -> String {
    FilePath(recipe.images[0].path).asOneName
  }

  // MARK: Checking

  /// Checks a new image; the old one lies in its place, or where it is kept.
  private func check(
    _ path: FilePath, against old: ImageCondition, at place: FilePath? = nil, _ recipe: ImageRecipe
  ) async throws(GenerationError) {
    let oldFile = place ?? FilePath(old.image.path)
    var image = old.image
    image.path = path.string
    let new = await survey.condition(of: image, recipe)
    let refused = { (reason: String) in
      GenerationError(old.image.path, "what \(recipe.generator) made is not used: \(reason)")
    }
    if let flaw = new.flaws.first { throw refused(flaw.words) }
    if image.form == .unifiedKernelImage {
      let lost: [String]
      do { lost = try UnifiedKernelImage.parts(of: oldFile, notIn: path) } catch {
        throw refused("\(error)")
      }
      guard lost.isEmpty else {
        throw GenerationError(
          old.image.path,
          "what \(recipe.generator) made is not used: it lacks \(lost.joined(separator: ", ")), which the old one has",
          remedy: "if it is to do without, move the old one away, "
            + "then: alpm-dkms initramfs \(recipe.kernel.release)")
      }
    }
    let shrinkage = try look { () throws(HostError) -> String? in
      guard let oldSize = try Files.size(oldFile), let newSize = try Files.size(path),
        newSize < oldSize / 2, try !mayShrink(old, at: oldFile, recipe)
      else { return nil }
      return "it has \(newSize) bytes where the old one has \(oldSize), and nothing explains why"
    }
    if let shrinkage { throw refused(shrinkage) }
  }

  /// Checks that an image of a generator that missed something has all that the old one had.
  ///
  /// Libraries and modules come and go with versions; programs, hooks and files that were put in do not.
  private func checkWholeness(
    _ path: FilePath, against old: ImageCondition
  ) async throws(GenerationError) {
    guard !old.isUnusable else { return }
    do throws(ImageError) {
      let had = try await survey.contents(of: FilePath(old.image.path), form: old.image.form)
      let has = try await survey.contents(of: path, form: old.image.form)
      guard let lost = had.programs.subtracting(has.programs).min() else { return }
      throw ImageError(path: old.image.path, reason: "the new one lacks \(lost)")
    } catch {
      throw GenerationError(old.image.path, "\(error)")
    }
  }

  /// Whether there is a reason for an image to become less than half its size.
  private func mayShrink(
    _ old: ImageCondition, at file: FilePath, _ recipe: ImageRecipe
  ) throws(HostError) -> Bool {
    let lostModules = old.flaws.contains { if case .gone = $0 { true } else { false } }
    if old.isUnusable || lostModules { return true }
    return try recipe.configurationFiles.hasAny { configuration throws(HostError) in
      try Files.isNewer(FilePath(configuration), than: file)
    }
  }

  // MARK: What follows

  /// It exists while images are in place that still have to be followed up.
  private func note(_ recipe: ImageRecipe) -> FilePath { state.appending("\(name(of: recipe)).unfinished") }

  private func follow(_ recipe: ImageRecipe, archive: FilePath?) async throws(GenerationError) {
    guard let followUp = recipe.followUp else { return }
    let images = [archive?.string].compactMap { $0 } + recipe.images.map(\.path)
    let environment = system.host.environment.merging(followUp.environment) { $1 }.merging([
      "KERNELVERSION": recipe.kernel.release.description, "KERNELDESTINATION": followUp.kernelDestination,
    ]) { $1 }
    let hooks: [FilePath]
    do { hooks = try self.hooks(of: followUp) } catch {
      throw GenerationError(recipe.images[0].path, "it was made, but \(error)")
    }
    for hook in hooks {
      let command = Command(hook.string, [followUp.kernelImage] + images, environment: environment)
      let result: CommandResult
      do { result = try await system.host.launcher.run(command) } catch {
        throw GenerationError(recipe.images[0].path, "\(error)")
      }
      guard result.isSuccess else {
        let lastWords = (result.text + result.errorText).split(separator: "\n").last.map { ": \($0)" } ?? ""
        throw GenerationError(
          recipe.images[0].path, "it was made, but \(hook) ended with status \(result.status)\(lastWords)")
      }
    }
    try? Files.remove(note(recipe))
  }

  /// The programs of the directories, of those with one name the first.
  private func hooks(of followUp: ImageRecipe.FollowUp) throws(HostError) -> [FilePath] {
    var known: Set<String> = []
    return try followUp.directories.map { FilePath($0) }.collect { directory throws(HostError) in
      try Files.list(directory).filter { !$0.hasPrefix(".") && known.insert($0).inserted }
        .map { directory.appending($0) }
    }.where(Files.isExecutable)
  }
}

/// Why an image could not be made, or a generator's configuration not be read.
public struct GenerationError: Error, Codable, Hashable, Sendable, CustomStringConvertible {
  /// The image, or the file of the configuration.
  public let subject: String
  /// What went wrong.
  public let reason: String
  /// What is to be done.
  public let fix: Remedy?
  /// Whether it is only that this user may not look.
  public let isDenied: Bool

  private enum CodingKeys: String, CodingKey {
    case subject, reason, isDenied
    case fix = "remedy"
  }

  /// What is to be done, for people.
  public var remedy: String? { fix?.words }

  /// Describes a failure.
  public init(_ subject: String, _ reason: String, remedy: String? = nil, isDenied: Bool = false) {
    self.subject = subject
    self.reason = reason
    fix = remedy.map(Remedy.init)
    self.isDenied = isDenied
  }

  /// A look at a file or directory that failed.
  init(_ error: HostError) {
    let remedy =
      switch error.reason {
      case .system: "make it readable, then: alpm-dkms initramfs"
      case .unanswered: "alpm-dkms initramfs"
      case .notAFile, .tooLarge: "put the right file there or remove it, then: alpm-dkms initramfs"
      }
    self.init(
      error.path.string, "cannot \(error.operation) it: \(error.reason)", remedy: remedy,
      isDenied: error.errno == .permissionDenied)
  }

  /// What went wrong with what.
  public var description: String { "\(subject): \(reason)" }
}
