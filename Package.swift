// swift-tools-version: 6.3
// One target a layer; a target depends only on targets above it. README.md has the map.
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

/// A folder of Sources: one part of Ferry, with a target in each of its folders.
struct Folder {
    let name: String

    func path(_ target: String) -> String { "Sources/\(name)/\(target)" }

    func library(
        _ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = []
    ) -> Target {
        .target(
            name: name, dependencies: dependencies, path: path(name), resources: resources,
            swiftSettings: settings)
    }

    func executable(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
        .executableTarget(
            name: name, dependencies: dependencies, path: path(name), swiftSettings: settings)
    }

    /// C code of our own.
    func cLibrary(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
        .target(name: name, dependencies: dependencies, path: path(name))
    }

    /// A library of the system, by its pkg-config name and Debian package.
    func systemLibrary(_ name: String, pkgConfig: String, apt: String) -> Target {
        .systemLibrary(
            name: name, path: path(name), pkgConfig: pkgConfig, providers: [.apt([apt])])
    }
}

let foundation = Folder(name: "Foundation")
let vmm = Folder(name: "VMM")
let migration = Folder(name: "Migration")
let cluster = Folder(name: "Cluster")
let lab = Folder(name: "Lab")
let commandLine = Folder(name: "CommandLine")
let tools = Folder(name: "Tools")

func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: [.byName(name: name)] + dependencies,
        swiftSettings: settings)
}

func remote(_ name: String, from version: Version) -> Package.Dependency {
    .package(url: "https://github.com/\(name)", from: version)
}

let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTLS: Target.Dependency = .product(name: "HummingbirdTLS", package: "hummingbird")
let httpClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioTLS: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let lifecycle: Target.Dependency = .product(
    name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals: Target.Dependency = .product(
    name: "UnixSignals", package: "swift-service-lifecycle")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let argumentParser: Target.Dependency = .product(
    name: "ArgumentParser", package: "swift-argument-parser")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

let package = Package(
    name: "ferry",
    products: [
        // Loaded by LD_PRELOAD into agents under test.
        .library(name: "FaultShim", type: .dynamic, targets: ["FaultShim"])
    ],
    dependencies: [
        remote("apple/swift-argument-parser", from: "1.8.2"),
        remote("apple/swift-http-types", from: "1.8.0"),
        remote("apple/swift-log", from: "1.16.2"),
        remote("apple/swift-nio", from: "2.101.2"),
        remote("apple/swift-nio-ssl", from: "2.37.6"),
        // Without its traits it does not bring full Foundation and a configuration reader along.
        .package(
            url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        remote("groue/GRDB.swift", from: "7.10.0"),
        remote("jpsim/Yams", from: "6.2.2"),
        remote("swift-server/async-http-client", from: "1.37.0"),
        remote("swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // Foundation: the C calls, the system libraries, the terms of the system, bytes, Linux
        foundation.cLibrary("CLinux"),
        foundation.systemLibrary("COpenSSL", pkgConfig: "libssl", apt: "libssl-dev"),
        foundation.systemLibrary("CZlib", pkgConfig: "zlib", apt: "zlib1g-dev"),
        foundation.systemLibrary("CZstd", pkgConfig: "libzstd", apt: "libzstd-dev"),
        foundation.systemLibrary("CLZ4", pkgConfig: "liblz4", apt: "liblz4-dev"),
        foundation.systemLibrary("CXXHash", pkgConfig: "libxxhash", apt: "libxxhash-dev"),
        foundation.library("Model"),
        foundation.library("Wire"),
        foundation.library("Host", ["CLinux"]),

        // VMM: KVM, the VMM, and the guest that checks its memory (Scripts/build-pulse builds it)
        vmm.library("VMControl", ["Host", "Model", "Wire"]),
        vmm.library("KVM", ["CLinux", "Host"]),
        vmm.library("Pulse", resources: [.copy("Resources/pulse.elf")]),
        vmm.library("Machine", ["Host", "KVM", "Model", "VMControl", "Wire"]),
        vmm.executable("ferry-vmm", ["Host", "Machine", "Model", argumentParser]),

        // Migration: the protocol as values, pages, TLS, and the drivers
        migration.library("PageCodec", ["Model", "CZlib", "CZstd", "CLZ4", "CXXHash"]),
        migration.library("Ownership", ["Model", "Wire"]),
        migration.library("MigrationProtocol", ["Model", "Ownership", "Wire"]),
        migration.library("PeerLink", ["COpenSSL", "Host", "Model"]),
        migration.library(
            "Migration",
            ["Host", "MigrationProtocol", "Model", "Ownership", "PageCodec", "PeerLink", "Wire"]),

        // Cluster: placement, the controller's decisions, stores, the API, the daemons
        cluster.library("Placement", ["Model"]),
        cluster.library("Keys", ["COpenSSL", "Host", "Model"]),
        cluster.library("ClusterFile", ["Host", "Model", "Placement", yams]),
        cluster.library("API", ["Model"]),
        cluster.library("ClusterCore", ["API", "Model", "Ownership", "Placement"]),
        cluster.library(
            "Store",
            ["ClusterCore", "Host", "Model", grdb, httpClient, nioCore, nioHTTP1, nioPosix, nioTLS]),
        cluster.library(
            "Clients", ["API", "Host", "Model", httpClient, nioCore, nioHTTP1, nioPosix, nioTLS]),
        cluster.library(
            "Serving",
            [
                "API", "Host", "Keys", "Model", hummingbird, hummingbirdCore, hummingbirdTLS,
                httpTypes, lifecycle, logging, nioCore, nioTLS,
            ]),
        cluster.library(
            "Agent",
            [
                "API", "Clients", "ClusterFile", "Host", "Keys", "KVM", "Machine", "Migration",
                "MigrationProtocol", "Model", "Ownership", "PeerLink", "Pulse", "Serving",
                "VMControl",
                hummingbird, httpTypes, lifecycle, signals, logging, nioCore, nioPosix,
            ]),
        cluster.library(
            "Controller",
            [
                "API", "Clients", "ClusterFile", "ClusterCore", "Host", "Keys", "Model",
                "Placement", "Serving", "Store", hummingbird, httpTypes, lifecycle, signals,
                logging, nioCore,
            ]),
        cluster.executable(
            "ferry-agent", ["Agent", "Host", "Model", "Serving", argumentParser, logging]),
        cluster.executable(
            "ferry-controller", ["Controller", "Model", "Serving", argumentParser, logging]),

        // Lab: the simulator around Placement, traces, the published experiment, reports
        lab.library("GanetiFormat", ["Model", "Placement"]),
        lab.library("Simulation", ["Model", "Placement"]),
        lab.library("Traces", ["Host", "Model", "Placement", "Simulation"]),
        lab.library("PlanetLab", ["Model", "Placement", "Simulation", "Traces"]),
        lab.library(
            "SimulationReport", ["Host", "Model", "Placement", "PlanetLab", "Simulation"],
            resources: [.embedInCode("Resources/report.css"), .embedInCode("Resources/report.js")]),
        lab.library("History", ["Host", "Model", "Placement", "Simulation", "Traces"]),

        // Command line
        commandLine.library("ClusterText", ["API", "Model", "Placement"]),
        commandLine.executable(
            "ferry",
            [
                "API", "Clients", "ClusterFile", "ClusterText", "GanetiFormat", "History", "Host",
                "Keys", "Model", "Placement", "PlanetLab", "Simulation", "SimulationReport",
                "Traces", argumentParser,
            ]),

        // Tools: programs that test, measure and demonstrate the product
        tools.library(
            "Explorer", ["Host", "MigrationProtocol", "Model", "Ownership", "VMControl"]),
        tools.executable("ferry-explore", ["Explorer", argumentParser]),
        tools.cLibrary("CFaultControl"),
        .target(
            name: "FaultShim", dependencies: ["CFaultControl"], path: tools.path("FaultShim"),
            publicHeadersPath: "."),
        tools.library(
            "Testbed", ["API", "Clients", "ClusterFile", "Host", "Model", "Pulse", "VMControl"]),
        tools.library(
            "Faults",
            [
                "API", "CFaultControl", "Clients", "Host", "Migration", "Model", "Ownership",
                "Pulse", "Testbed",
            ]),
        tools.executable("ferry-faults", ["Faults", "Host", argumentParser]),
        tools.library(
            "SimulatedAgents",
            ["API", "Clients", "Host", "Model", nioCore, nioHTTP1, nioPosix, nioTLS]),
        tools.executable(
            "ferry-demo", ["API", "Clients", "Host", "Model", "Pulse", "Testbed", argumentParser]),
        tools.executable(
            "ferry-bench",
            ["API", "Clients", "Host", "Keys", "Model", "Pulse", "Testbed", argumentParser]),
        tools.executable(
            "ferry-load",
            [
                "API", "Clients", "Host", "Keys", "Model", "SimulatedAgents", "Testbed",
                argumentParser,
            ]),

        // Test support and tests
        .target(
            name: "MigrationTestSupport",
            dependencies: [
                "Host", "Migration", "MigrationProtocol", "Model", "Ownership", "PeerLink",
            ],
            path: "Tests/MigrationTestSupport", swiftSettings: settings),
        .target(
            name: "MigrationSimulation",
            dependencies: [
                "Explorer", "Host", "Migration", "MigrationProtocol", "Model", "Ownership",
                "PeerLink",
                "VMControl",
            ],
            path: "Tests/MigrationSimulation", swiftSettings: settings),
        // A real etcd for tests of what stands on one
        .target(
            name: "StoreTestSupport", dependencies: ["Host", "MigrationTestSupport"],
            path: "Tests/StoreTestSupport", swiftSettings: settings),

        // What earlier versions stored and sent is still read and written
        .testTarget(
            name: "GoldenTests",
            dependencies: [
                "API", "Agent", "ClusterCore", "ClusterFile", "Controller", "Host", "Machine",
                "Migration", "MigrationProtocol", "Model", "Ownership", "Store", "VMControl",
                "Wire", grdb,
                logging,
            ], exclude: ["Golden"], swiftSettings: settings),
        tests("Keys", ["Host", "Model"]),
        tests("ClusterFile", ["Host", "Model", yams]),
        tests("API", ["Model"]),
        tests(
            "Agent",
            [
                "API", "Clients", "ClusterFile", "Host", "Keys", "Migration", "MigrationProtocol",
                "MigrationTestSupport", "Model", "Ownership", "PeerLink", "Pulse", "VMControl",
                "Wire",
                hummingbird, hummingbirdCore, hummingbirdTLS, httpTypes, lifecycle, logging,
                nioCore, nioTLS, "ferry-agent", "ferry-vmm",
            ]),
        tests("ClusterCore", ["API", "Model", "Ownership", "Placement"]),
        tests(
            "Store",
            ["ClusterCore", "Host", "MigrationTestSupport", "Model", "StoreTestSupport", grdb]),
        tests(
            "Controller",
            [
                "API", "Clients", "ClusterFile", "ClusterCore", "Host", "Keys", "Model", "Serving",
                "Store", "StoreTestSupport", httpTypes, lifecycle, logging, "ferry-controller",
            ]),
        tests("ClusterText", ["API", "Model", "Placement"]),
        .testTarget(
            name: "FerryTests", dependencies: ["Testbed", "ferry"], swiftSettings: settings),
        tests("Model"),
        tests("Wire"),
        tests("Placement", ["Model"]),
        tests("History", ["Host", "Model", "Placement", "Simulation", "Traces"]),
        tests("GanetiFormat", ["Model", "Placement"]),
        tests("Simulation", ["Host", "Model", "Placement", "Traces"]),
        tests("Traces", ["Host", "Model", "Placement", "Simulation"]),
        tests("PlanetLab", ["Host", "Model", "Placement", "Traces"]),
        tests("SimulatedAgents", ["API", "Host", "Model"]),
        tests("Host"),
        tests("VMControl", ["Host", "Model", "Wire"]),
        tests("Pulse"),
        tests("KVM", ["Host"]),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "API", "Clients", "History", "Host", "Migration", "MigrationProtocol",
                "MigrationTestSupport", "Model", "Ownership", "PeerLink", "Placement", "Pulse",
                "Simulation",
                "StoreTestSupport", "Testbed", "ferry",
                "ferry-agent", "ferry-controller", "ferry-load", "ferry-vmm",
            ], swiftSettings: settings),
        .testTarget(
            name: "FaultTests",
            dependencies: [
                "Faults", "Host", "Model", "Ownership", "VMControl", "Wire", "ferry",
                "ferry-agent", "ferry-vmm", "FaultShim",
            ], swiftSettings: settings),
        tests("SimulationReport", ["PlanetLab", "Simulation"]),
        tests("Machine", ["Host", "KVM", "Model", "Pulse", "VMControl", "Wire", "ferry-vmm"]),
        tests("PageCodec", ["Model"]),
        .testTarget(
            name: "MigrationSimulationTests",
            dependencies: ["Explorer", "Migration", "MigrationSimulation", "Model"],
            swiftSettings: settings),
        tests("Ownership", ["Model", "Wire"]),
        tests("MigrationProtocol", ["Model", "Ownership", "Wire"]),
        tests("Explorer"),
        tests("PeerLink", ["Host", "MigrationTestSupport", "Model"]),
        tests(
            "Migration",
            [
                "Host", "MigrationProtocol", "MigrationTestSupport", "Model", "Ownership",
                "PageCodec", "PeerLink",
            ]),
    ]
)
