// Runs of published traces: every policy keeps its bounds there too. Skipped where the traces are not.

import Foundation
import Host
import Model
import Placement
import Simulation
import Testing
import Traces

private let folder: String = {
    if let named = ProcessInfo.processInfo.environment["FERRY_TRACES"] { return named }
    let package = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    return "/\(package)/../shared/traces"
}()

extension Trait where Self == ConditionTrait {
    fileprivate static func needs(_ trace: String) -> ConditionTrait {
        let path = "\(folder)/\(trace)"
        return .enabled(
            if: Folder.isPresent(at: path) || File.isPresent(at: path),
            "no \(trace) in \(folder); set FERRY_TRACES")
    }
}

@Suite("Runs of real traces", .serialized)
struct RealTraceRunTests {
    /// - Parameter scans: with policies that look at every host, too.
    private func runs(
        _ workload: Workload, on hosts: [PlacementHost], scans: Bool = true
    ) throws {
        for strategy in Strategies.allStrategies(seed: 1)
        where scans || strategy.placement.choice != .all {
            let scene = scenario(workload, on: hosts, strategy)
            var run: RunResult?
            let time = try ContinuousClock().measure { run = try scene.runSimulation() }
            let result = try #require(run)
            print(
                "\(workload.name), \(strategy.name): placed \(result.placed), refused "
                    + "\(result.refused), hosts \(result.hostsInUseMax.value) of at least "
                    + "\(result.hostsInUseMax.bound ?? 0), mean \(result.hostsInUseMean.value) of "
                    + "\(result.hostsInUseMean.bound ?? 0), \(result.energyKWh.value) kWh of "
                    + "\(result.energyKWh.bound ?? 0), \(result.migrations) moves, \(time)")
            for figure in [result.hostsInUseMax, result.hostsInUseMean, result.energyKWh] {
                #expect((figure.bound ?? 0) <= figure.value)
            }
            #expect(result.placed == result.departed + result.running)
        }
    }

    @Test(.needs("azure-v1/requests.csv"))
    func `Azure's requests of 2017`() throws {
        try runs(
            try TraceReader.readWorkload(path: "\(folder)/azure-v1/requests.csv"),
            on: hosts(1000, cores: 64, memory: 256), scans: false)
    }

    @Test(.needs("openb"))
    func `Alibaba's pods without GPUs`() throws {
        try runs(try TraceReader.readWorkload(path: "\(folder)/openb"), on: [])
    }

    @Test(.needs("huawei-topology"))
    func `Huawei's requests with groups`() throws {
        try runs(
            try TraceReader.readWorkload(path: "\(folder)/huawei-topology/VM_data_C1.csv"), on: [])
    }

    @Test(.needs("planetlab"))
    func `A day of PlanetLab`() throws {
        try runs(
            try TraceReader.readWorkload(path: "\(folder)/planetlab/20110303"),
            on: hosts(100, cores: 32, memory: 128))
    }
}
