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
    targets: [
        // Floor 0: C and system libraries
        .target(name: "CLinux"),
        // Floor 1: the words of the system, the operating system, bytes
        library("Model"),
        library("Wire"),
        library("Host", ["CLinux"]),
        // Floor 2
        library("VMControl", ["Host", "Model", "Wire"]),

        tests("Model"),
        tests("Wire"),
        tests("Host"),
        tests("VMControl", ["Model", "Wire"]),
    ]
)
