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

func executable(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: settings)
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
let x509: Target.Dependency = .product(name: "X509", package: "swift-certificates")
let asn1: Target.Dependency = .product(name: "SwiftASN1", package: "swift-asn1")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
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
        remote("apple/swift-asn1", from: "1.7.4"),
        remote("apple/swift-certificates", from: "1.21.1"),
        remote("apple/swift-crypto", from: "4.5.2"),
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
        // Floor 0: C and system libraries
        .target(name: "CLinux"),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
        .systemLibrary(
            name: "CXXHash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"])]),
        // Floor 1: the words of the system, the operating system, bytes
        library("Model"),
        library("Wire"),
        library("Host", ["CLinux"]),
        // Floor 2
        library("VMControl", ["Host", "Model", "Wire"]),
        library("PageCodec", ["Model", "CZlib", "CZstd", "CLZ4", "CXXHash"]),
        library("MigrationProtocol", ["Model", "Wire"]),
        library("Placement", ["Model"]),
        library("PeerLink", ["COpenSSL", "Host", "Model"]),
        library("KVM", ["CLinux", "Host"]),
        // The guest that checks itself; its own code is in PulseGuest, built by Scripts/build-pulse
        .target(
            name: "Pulse", resources: [.copy("Resources/pulse.elf")], swiftSettings: settings),
        // Floor 3
        library("Machine", ["Host", "KVM", "Model", "VMControl", "Wire"]),
        // Floor 4
        library("Keys", ["Host", "Model", x509, asn1, crypto]),
        library("ClusterFile", ["Host", "Model", "Placement", yams]),
        library("API", ["Model"]),
        library("GanetiFormat", ["Model", "Placement"]),
        library(
            "Migration", ["Host", "MigrationProtocol", "Model", "PageCodec", "PeerLink", "Wire"]),
        // The cluster's mind: hosts, VMs and operations as values; what a store and an agent must be able to do
        library("Control", ["API", "MigrationProtocol", "Model", "Placement"]),
        // The discrete-event cluster around Placement; traces as workloads; the published experiment; reports
        library("Simulation", ["Model", "Placement"]),
        library("Traces", ["Host", "Model", "Placement", "Simulation"]),
        // The published consolidation experiment, to the digit, and what it looks like with its costs counted
        library("PlanetLab", ["Model", "Placement", "Simulation", "Traces"]),
        // Statistics over seeds, sweeps and their parts, reports; what a page needs is in the code
        .target(
            name: "SimulationReport",
            dependencies: ["Host", "Model", "Placement", "PlanetLab", "Simulation"],
            resources: [
                .embedInCode("Resources/report.css"), .embedInCode("Resources/report.js"),
            ], swiftSettings: settings),
        // What a cluster did, as `ferry record` writes it and as a run repeats it
        library("History", ["Host", "Model", "Placement", "Simulation", "Traces"]),
        // Every interleaving of the protocol's machines, within bounds
        library("Explorer", ["Host", "MigrationProtocol", "Model", "VMControl"]),
        // Floor 5
        library(
            "Store",
            ["Control", "Host", "Model", grdb, httpClient, nioCore, nioHTTP1, nioPosix, nioTLS]),
        // The cluster's messages as people read and write them
        library("ClusterText", ["API", "Model", "Placement"]),
        library(
            "Client",
            ["API", "Host", "Model", httpClient, nioCore, nioHTTP1, nioPosix, nioTLS]),
        // What the servers of agent and controller share
        library(
            "Serving",
            [
                "API", "Host", "Keys", "Model", hummingbird, hummingbirdCore, hummingbirdTLS,
                httpTypes, lifecycle, logging, nioCore, nioTLS,
            ]),
        library(
            "Agent",
            [
                "API", "Client", "ClusterFile", "Host", "Keys", "KVM", "Machine", "Migration",
                "MigrationProtocol", "Model", "PeerLink", "Pulse", "Serving", "VMControl",
                hummingbird, httpTypes, lifecycle, signals, logging, nioCore, nioPosix,
            ]),
        // The controller; it also serves the description of its API
        .target(
            name: "Controller",
            dependencies: [
                "API", "Client", "ClusterFile", "Control", "Host", "Keys", "Model", "Placement",
                "Serving", "Store", hummingbird, httpTypes, lifecycle, signals, logging, nioCore,
                crypto,
            ], resources: [.copy("Resources/openapi.json")], swiftSettings: settings),
        // A cluster of real processes and the eyes that watch it: for demo, bench and end-to-end tests
        library(
            "Testbed", ["API", "Client", "ClusterFile", "Host", "Model", "Pulse", "VMControl"]),
        // Agents with VMs in memory only: for what a controller does with a thousand hosts
        library(
            "SimulatedAgents",
            ["API", "Client", "Host", "Model", nioCore, nioHTTP1, nioPosix, nioTLS]),
        // Floor 6
        executable(
            "ferry-agent", ["Agent", "Host", "Model", "Serving", argumentParser, logging]),
        executable(
            "ferry",
            [
                "API", "Client", "ClusterFile", "ClusterText", "GanetiFormat", "History", "Host",
                "Keys", "Model", "Placement", "PlanetLab", "Simulation", "SimulationReport",
                "Traces", argumentParser,
            ]),
        executable(
            "ferry-controller", ["Controller", "Model", "Serving", argumentParser, logging]),
        executable("ferry-vmm", ["Host", "Machine", "Model", argumentParser]),
        executable(
            "ferry-demo", ["API", "Client", "Host", "Model", "Pulse", "Testbed", argumentParser]),
        executable(
            "ferry-bench",
            ["API", "Client", "Host", "Keys", "Model", "Pulse", "Testbed", argumentParser]),
        executable("ferry-faults", ["Faults", "Host", argumentParser]),
        executable(
            "ferry-load",
            [
                "API", "Client", "Host", "Keys", "Model", "SimulatedAgents", "Testbed",
                argumentParser,
            ]),

        // Real faults on real processes: the shim that finds the place, and what injects and judges
        .target(name: "CFaultControl"),
        .target(name: "FaultShim", dependencies: ["CFaultControl"], publicHeadersPath: "."),
        library(
            "Faults",
            [
                "API", "CFaultControl", "Client", "Host", "Migration", "MigrationProtocol", "Model",
                "Pulse", "Testbed",
            ]),

        executable("ferry-explore", ["Explorer", argumentParser]),

        // Test support and tests
        .target(
            name: "MigrationTestSupport",
            dependencies: ["Host", "Migration", "MigrationProtocol", "Model", "PeerLink"],
            path: "Tests/MigrationTestSupport", swiftSettings: settings),
        .target(
            name: "MigrationSimulation",
            dependencies: [
                "Host", "Migration", "MigrationProtocol", "Model", "PeerLink", "VMControl",
            ],
            path: "Tests/MigrationSimulation", swiftSettings: settings),
        // A real etcd for tests of what stands on one
        .target(
            name: "StoreTestSupport", dependencies: ["Host", "MigrationTestSupport"],
            path: "Tests/StoreTestSupport", swiftSettings: settings),

        tests("Keys", ["Host", "Model"]),
        tests("ClusterFile", ["Host", "Model", yams]),
        tests("API", ["Model"]),
        tests(
            "Agent",
            [
                "API", "Client", "ClusterFile", "Host", "Keys", "Migration", "MigrationProtocol",
                "MigrationTestSupport",
                "Model", "PeerLink", "Pulse", "VMControl", "Wire", x509, asn1, crypto,
                hummingbird, hummingbirdCore, hummingbirdTLS, httpTypes, lifecycle, logging,
                nioCore, nioTLS, "ferry-agent", "ferry-vmm",
            ]),
        tests("Control", ["API", "MigrationProtocol", "Model", "Placement"]),
        tests(
            "Store",
            ["Control", "Host", "MigrationTestSupport", "Model", "StoreTestSupport", grdb]),
        tests(
            "Controller",
            [
                "API", "Client", "ClusterFile", "Control", "Host", "Keys", "Model", "Serving",
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
                "API", "Client", "History", "Host", "Migration", "MigrationProtocol",
                "MigrationTestSupport", "Model", "PeerLink", "Placement", "Pulse", "Simulation",
                "StoreTestSupport", "Testbed", "ferry",
                "ferry-agent", "ferry-controller", "ferry-load", "ferry-vmm",
            ], swiftSettings: settings),
        .testTarget(
            name: "FaultTests",
            dependencies: [
                "Faults", "Host", "MigrationProtocol", "Model", "VMControl", "Wire", "ferry",
                "ferry-agent", "ferry-vmm", "FaultShim",
            ], swiftSettings: settings),
        tests("SimulationReport", ["PlanetLab", "Simulation"]),
        tests("Machine", ["Host", "KVM", "Model", "Pulse", "VMControl", "Wire", "ferry-vmm"]),
        tests("PageCodec", ["Model"]),
        .testTarget(
            name: "MigrationSimulationTests", dependencies: ["MigrationSimulation", "Model"],
            swiftSettings: settings),
        tests("MigrationProtocol", ["Model", "Wire"]),
        tests("Explorer"),
        tests("PeerLink", ["Host", "MigrationTestSupport", "Model"]),
        tests(
            "Migration",
            [
                "Host", "MigrationProtocol", "MigrationTestSupport", "Model", "PageCodec",
                "PeerLink",
            ]),
    ]
)
