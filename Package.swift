// swift-tools-version: 6.3
// One target a layer; arrows only downward. README.md has the map in reading order.
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: [.byName(name: name)] + dependencies,
        swiftSettings: settings)
}

let package = Package(
    name: "ferry",
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    targets: [
        // Floor 0: C and system libraries
        .target(name: "CLinux"),
        // Floor 1: the words of the system, the operating system, bytes
        library("Model"),
        library("Wire"),
        library("Host", ["CLinux"]),
        // Floor 2
        library("VMControl", ["Host", "Model", "Wire"]),
        library("KVM", ["CLinux", "Host"]),
        // The guest that checks itself; its own code is in PulseGuest, built by Scripts/build-pulse
        .target(
            name: "Pulse", resources: [.copy("Resources/pulse.elf")], swiftSettings: settings),
        // Floor 3
        library("Machine", ["Host", "KVM", "Model", "VMControl", "Wire"]),
        // Floor 6
        .executableTarget(
            name: "ferry-vmm",
            dependencies: [
                "Host", "Machine", "Model",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: settings),

        tests("Model"),
        tests("Wire"),
        tests("Host"),
        tests("VMControl", ["Model", "Wire"]),
        tests("KVM", ["Host"]),
        tests("Machine", ["Host", "KVM", "Model", "Pulse", "VMControl", "Wire", "ferry-vmm"]),
    ]
)
