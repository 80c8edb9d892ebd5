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

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies + ["TestSupport"], swiftSettings: settings)
}

let package = Package(
  name: "alpm-dkms",
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
  ],
  targets: [
    .systemLibrary(name: "CAlpm"),
    library("Alpm", ["CAlpm", "Host", systemPackage]),
    .systemLibrary(name: "CArchive"),
    library("Archives", ["CArchive", "Host", systemPackage]),

    library("DKMSModel"),
    .systemLibrary(name: "CLinux"),
    library("Host", ["CLinux", "DKMSModel", systemPackage]),
    library("DKMSEngine", ["Archives", "DKMSModel", "Host", systemPackage]),
    library("Initramfs", ["Archives", "DKMSModel", "Host", systemPackage]),
    library("HookKit", ["Alpm", "Archives", "DKMSEngine", "DKMSModel", "Host", "Initramfs", systemPackage]),
    library("DKMSCommand", ["DKMSEngine", "DKMSModel", "Host", systemPackage]),

    program("dkms", ["DKMSCommand"]),
    program("dkms-pages", ["DKMSCommand", "Host", systemPackage]),
    program("alpm-dkms-install", ["HookKit"]),
    program("alpm-dkms-remove", ["HookKit"]),
    program("alpm-dkms-initramfs", ["HookKit"]),
    program("alpm-dkms-verify", ["HookKit"]),
    program("alpm-dkms", [argumentParser, "DKMSEngine", "HookKit"]),

    .target(
      name: "TestSupport", dependencies: ["Host", systemPackage],
      path: "Tests/TestSupport", swiftSettings: settings),
    tests("AlpmTests", ["Alpm", systemPackage]),
    tests("ArchivesTests", ["Archives", "Host", systemPackage]),
    tests("DKMSModelTests", ["DKMSModel"]),
    tests("HostTests", ["Host", "DKMSModel", systemPackage]),
    tests("DKMSEngineTests", ["Archives", "DKMSEngine", "DKMSModel", "Host", systemPackage]),
    tests("InitramfsTests", ["Initramfs", "Archives", "DKMSModel", "Host", systemPackage]),
    tests(
      "HookKitTests",
      ["Archives", "HookKit", "DKMSEngine", "DKMSModel", "Host", "Initramfs", systemPackage]),
    tests("DKMSCommandTests", ["DKMSCommand", "DKMSModel", "Host", systemPackage]),
    tests("TransactionTests", ["Host", systemPackage]),
  ],
  swiftLanguageModes: [.v6]
)
