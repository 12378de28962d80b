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
        .systemLibrary(name: "COpenSSL", pkgConfig: "libssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
        .systemLibrary(name: "CXXHash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"])]),
        // Floor 1: the words of the system, the operating system, bytes
        library("Model"),
        library("Wire"),
        library("Host", ["CLinux"]),
        // Floor 2
        library("VMControl", ["Host", "Model", "Wire"]),
        library("PageCodec", ["Model", "CZlib", "CZstd", "CLZ4", "CXXHash"]),
        library("MigrationProtocol", ["Model", "Wire"]),
        library("PeerLink", ["COpenSSL", "Host", "Model"]),
        // Floor 4
        library("Migration", ["Host", "MigrationProtocol", "Model", "PageCodec", "PeerLink", "Wire"]),

        // Test support and tests
        .target(
            name: "MigrationTestSupport",
            dependencies: ["Host", "Migration", "MigrationProtocol", "Model", "PeerLink"],
            path: "Tests/MigrationTestSupport", swiftSettings: settings),
        .executableTarget(
            name: "migration-bench",
            dependencies: [
                "Host", "Migration", "MigrationProtocol", "MigrationTestSupport", "Model", "PeerLink",
            ],
            path: "Benchmarks/migration-bench", swiftSettings: settings),

        tests("PageCodec", ["Model"]),
        tests("MigrationProtocol", ["Model", "Wire"]),
        tests("PeerLink", ["Host", "MigrationTestSupport", "Model"]),
        tests(
            "Migration",
            ["Host", "MigrationProtocol", "MigrationTestSupport", "Model", "PeerLink"]),
        // tests("Model"),
        // tests("Wire"),
        // tests("Host"),
    ]
)
