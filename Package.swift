// swift-tools-version: 6.2
// SPDX-License-Identifier: GPL-2.0-or-later

import PackageDescription

let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")

// String processing, once imported, puts its engine of regular expressions into every program.
let programSettings: [SwiftSetting] =
  settings + [.unsafeFlags(["-Xfrontend", "-disable-implicit-string-processing-module-import"])]

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: programSettings)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(name: name, dependencies: dependencies, swiftSettings: programSettings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies + ["TestSupport"], swiftSettings: settings)
}

// Readers under fuzz: a test like others, or, for `make fuzz`, a program with libFuzzer's main loop in the place of tests.
let isFuzzing = Context.environment["ALPM_DKMS_FUZZ"] != nil
let fuzzDependencies: [Target.Dependency] = [
  "Archives", "DKMSEngine", "DKMSModel", "Host", "Initramfs", "Inspection", "Journal", "JSON", "Pacman",
  systemPackage,
]
let fuzz =
  isFuzzing
  ? Target.executableTarget(
    name: "fuzz", dependencies: fuzzDependencies, path: "Tests/FuzzTests", exclude: ["ReaderTests.swift"],
    swiftSettings: settings)
  : .testTarget(
    name: "FuzzTests", dependencies: fuzzDependencies + ["TestSupport"], path: "Tests/FuzzTests",
    exclude: ["Fuzz.swift"], swiftSettings: settings)

let package = Package(
  name: "alpm-dkms",
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
  ],
  targets: [
    .systemLibrary(name: "CAlpm"),
    library("Pacman", ["CAlpm", "Host", systemPackage]),
    .systemLibrary(name: "CArchive"),
    library("Archives", ["CArchive", "Host", systemPackage]),

    library("JSON"),
    library("DKMSModel", ["JSON"]),
    .systemLibrary(name: "CLinux"),
    library("Host", ["CLinux", "DKMSModel", systemPackage]),
    library("DKMSEngine", ["Archives", "DKMSModel", "Host", systemPackage]),
    library("Initramfs", ["Archives", "DKMSModel", "Host", "JSON", systemPackage]),
    library(
      "Inspection",
      ["DKMSEngine", "DKMSModel", "Host", "Initramfs", "JSON", "Pacman", systemPackage]),
    library("Journal", ["DKMSModel", "Host", "JSON", systemPackage]),
    library(
      "Hooks",
      ["DKMSEngine", "DKMSModel", "Host", "Initramfs", "Inspection", "Journal", "JSON", systemPackage]),
    library(
      "Maintenance",
      [
        "Archives", "DKMSEngine", "DKMSModel", "Hooks", "Host", "Initramfs", "Inspection", "Journal", "JSON",
        "Pacman", systemPackage,
      ]),
    library("DKMSCommand", ["DKMSEngine", "DKMSModel", "Host", "JSON", systemPackage]),

    program("dkms", ["DKMSCommand"]),
    program("dkms-pages", ["DKMSCommand", "DKMSModel", "Host", systemPackage]),
    program("alpm-dkms-hook", ["Hooks"]),
    program("alpm-dkms", [argumentParser, "DKMSEngine", "DKMSModel", "Hooks", "Host", "Maintenance"]),

    .target(
      name: "TestSupport", dependencies: ["Host", "JSON", systemPackage],
      path: "Tests/TestSupport", swiftSettings: settings),
    .target(
      name: "SystemSupport",
      dependencies: [
        "DKMSEngine", "DKMSModel", "Hooks", "Host", "Inspection", "Journal", "TestSupport", systemPackage,
      ],
      path: "Tests/SystemSupport", swiftSettings: settings),
    tests("PacmanTests", ["Pacman", "Host", systemPackage]),
    tests("ArchivesTests", ["Archives", "Host", systemPackage]),
    tests("JSONTests", ["JSON"]),
    tests("DKMSModelTests", ["DKMSModel", "JSON"]),
    tests("HostTests", ["Host", "DKMSModel", systemPackage]),
    tests("DKMSEngineTests", ["Archives", "DKMSEngine", "DKMSModel", "Host", systemPackage]),
    tests("InitramfsTests", ["Initramfs", "Archives", "DKMSModel", "Host", systemPackage]),
    tests(
      "InspectionTests",
      ["DKMSEngine", "DKMSModel", "Host", "Initramfs", "Inspection", "SystemSupport", systemPackage]),
    tests("JournalTests", ["Host", "Journal", "JSON", systemPackage]),
    tests(
      "HooksTests",
      [
        "DKMSEngine", "DKMSModel", "Hooks", "Host", "Inspection", "Journal", "JSON", "Maintenance",
        "SystemSupport", systemPackage,
      ]),
    tests(
      "MaintenanceTests",
      [
        "Archives", "DKMSEngine", "DKMSModel", "Hooks", "Host", "Initramfs", "Inspection", "Journal",
        "JSON", "Maintenance", "Pacman", "SystemSupport", systemPackage,
      ]),
    tests("DKMSCommandTests", ["DKMSCommand", "DKMSModel", "Host", "JSON", systemPackage]),
    tests("TransactionTests", ["Host", "JSON", systemPackage]),
    fuzz,
  ],
  swiftLanguageModes: [.v6]
)
