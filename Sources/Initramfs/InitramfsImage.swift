// SPDX-License-Identifier: GPL-2.0-or-later

public import DKMSModel

/// A file that a kernel boots with, and what makes it.
public struct InitramfsImage: Codable, Hashable, Sendable {
  /// Where it is, or belongs.
  public var path: String
  /// How the archive lies in it.
  public var form: Form
  /// The kernel whose modules it holds.
  public var kernel: Kernel
  /// What makes it; nil where nothing here can.
  public var generator: ImageGenerator?
  /// What the generator calls it, where its configuration has a name for it, such as `linux/default`.
  public var preset: String?

  /// Describes an image.
  public init(
    path: String, form: Form = .archive, kernel: Kernel, generator: ImageGenerator?, preset: String? = nil
  ) {
    self.path = path
    self.form = form
    self.kernel = kernel
    self.generator = generator
    self.preset = preset
  }

  /// How an archive lies in a file.
  public enum Form: Codable, Hashable, Sendable {
    /// The file is the archive.
    case archive
    /// It is the `.initrd` section of a PE file.
    case unifiedKernelImage
  }
}

/// One run of a generator, and the images that come of it.
public struct ImageRecipe: Codable, Hashable, Sendable {
  /// What the run makes, all of it for one kernel: one image, or an archive and a unified kernel image of it.
  public var images: [InitramfsImage]
  /// What makes the images, which may call what has left its marks in them.
  public var generator: ImageGenerator
  /// The generator's options, except where its images go.
  public var options: [String]
  /// What is added to the generator's environment.
  public var environment: [String: String]
  /// The kernel modules that the generator's configuration names, each once.
  public var requests: [ModuleRequest]
  /// The files that the generator's configuration is read from.
  public var configurationFiles: [String]
  /// What follows once the images are in place.
  public var followUp: FollowUp?
  /// What signs the unified kernel images among them; nil where the generator does, or what follows, or nobody.
  public var signer: ImageSigner?

  /// Describes a run.
  public init(
    images: [InitramfsImage], generator: ImageGenerator? = nil, options: [String],
    environment: [String: String] = [:], requests: [ModuleRequest] = [], configurationFiles: [String] = [],
    followUp: FollowUp? = nil
  ) {
    guard let generator = generator ?? images.first?.generator else {
      preconditionFailure("a run of a generator makes something")
    }
    self.images = images
    self.generator = generator
    self.options = options
    self.environment = environment
    self.requests = requests
    self.configurationFiles = configurationFiles
    self.followUp = followUp
  }

  /// Reads a run from a record.
  ///
  /// - Throws: `DecodingError`, also where it makes nothing.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    images = try container.decode([InitramfsImage].self, forKey: .images)
    guard let generator = images.first?.generator else {
      throw DecodingError.dataCorruptedError(
        forKey: .images, in: container, debugDescription: "a run of a generator makes something")
    }
    self.generator = try container.decodeIfPresent(ImageGenerator.self, forKey: .generator) ?? generator
    options = try container.decode([String].self, forKey: .options)
    environment = try container.decode([String: String].self, forKey: .environment)
    requests = try container.decode([ModuleRequest].self, forKey: .requests)
    configurationFiles = try container.decode([String].self, forKey: .configurationFiles)
    followUp = try container.decodeIfPresent(FollowUp.self, forKey: .followUp)
    signer = try container.decodeIfPresent(ImageSigner.self, forKey: .signer)
  }

  /// The kernel whose modules the images hold.
  public var kernel: Kernel { images[0].kernel }

  /// What the generator would be called with to write the images to their places, with its name first.
  ///
  /// It is only shown: the generator is called to write them elsewhere, where they are checked.
  public func command(on system: BootSystem) -> [String] {
    let generator = generator.generator(on: system)
    return [generator.program] + generator.arguments(for: self, writing: images.map(\.path))
  }

  /// The hooks that mkinitcpio runs when its images are there: they are told the names of the images.
  public struct FollowUp: Codable, Hashable, Sendable {
    /// The directories with the hooks; of those with one name the first counts.
    public var directories: [String]
    /// The kernel itself; empty where nobody knows where it is.
    public var kernelImage: String
    /// Where the kernel lies that is booted.
    public var kernelDestination: String
    /// What is added to their environment.
    public var environment: [String: String]

    /// Describes them.
    public init(
      directories: [String], kernelImage: String, kernelDestination: String,
      environment: [String: String] = [:]
    ) {
      self.directories = directories
      self.kernelImage = kernelImage
      self.kernelDestination = kernelDestination
      self.environment = environment
    }
  }
}

/// A kernel module that a generator's configuration names.
public struct ModuleRequest: Codable, Hashable, Sendable {
  /// The name of the module, with underscores for dashes.
  public var module: String
  /// The place that names it, for people.
  public var place: String

  // A module version is what JSON calls a module.
  private enum CodingKeys: String, CodingKey {
    case module = "kernelModule"
    case place
  }

  /// Makes a request.
  public init(module: String, place: String) {
    self.module = module
    self.place = place
  }
}
