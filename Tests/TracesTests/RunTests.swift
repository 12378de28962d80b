// Workloads from traces and generators can be run, and Huawei's groups hold where the scheduler places them.

import Model
import Placement
import Simulation
import Testing
import Traces

@Suite("Runs of traces")
struct RunTests {
    private func run(_ workload: Workload) throws -> RunResult {
        let hosts = try HostList(text: "40", shape: HostShape(cores: 64, memory: .gibibytes(512)))
        let scenario = Scenario(
            workload: workload, hosts: hosts.hosts, power: [PowerCurve.standard],
            strategy: Strategy("first", summary: "for a test", placement: FirstFit()), seed: 1)
        return try scenario.runSimulation()
    }

    @Test(arguments: Sample.all)
    func `Every sample can be run`(sample: Sample) throws {
        let workload = try sample.read()
        let result = try run(workload)
        #expect(result.requests == workload.requests.count)
        #expect(result.refused == 0 && result.placed == result.requests)
        for note in workload.notes { #expect(result.notes.contains(note)) }
    }

    @Test(arguments: SyntheticWorkload.allCases)
    func `Every synthetic workload can be run`(kind: SyntheticWorkload) throws {
        let workload = kind.makeWorkload(from: try SyntheticParameters(vms: 300, seed: 4))
        let result = try run(workload)
        #expect(result.requests == 300 && result.placed + result.refused == 300)
        #expect(result.energyKWh.value > 0)
    }

    @Test(.needs("huawei-topology"), arguments: ["C1", "C2"])
    func `Huawei's groups hold for every VM that is placed`(name: String) throws {
        let workload = try TraceReader.readWorkload(
            path: RealTraces.path("huawei-topology/VM_data_\(name).csv"))
        let hosts = try placeAll(workload, by: BestFit())
        let placed = hosts.count { $0 != nil }
        print("huawei-topology \(name): \(placed) of \(hosts.count) placed by best fit")
        #expect(placed > 4000, "\(placed) of \(hosts.count)")

        for (number, group) in workload.groups.enumerated() {
            let set = workload.groupSets.firstIndex(of: [Int32(number)])
            let members = workload.requests.indices.filter {
                Int(workload.requests[$0].groupSet) == set
            }
            let homes = members.compactMap { hosts[$0] }
            let racks = Set(homes.map { workload.hosts[$0].domain.rack })
            switch group.kind {
            case .together: #expect(racks.count <= 1, "\(group.name)")
            case .apart: #expect(Set(homes).count == homes.count, "\(group.name)")
            case .partition(let whole):
                let others = workload.requests.indices.filter { request in
                    workload.groupSets[Int(workload.requests[request].groupSet)].contains {
                        $0 != Int32(number)
                            && workload.groups[Int($0)].kind == .partition(of: whole)
                    }
                }
                let theirs = others.compactMap { hosts[$0] }.map { workload.hosts[$0].domain.rack }
                #expect(racks.isDisjoint(with: theirs), "\(group.name)")
            }
        }
    }

    /// The host of each request; nil where none would take it.
    private func placeAll(
        _ workload: Workload, by policy: some PlacementPolicy
    ) throws -> [HostIndex?] {
        var cluster = ClusterState()
        for host in workload.hosts { try cluster.registerHost(host) }
        for group in workload.groups { try cluster.registerGroup(group) }
        cluster.maintainIndex(for: policy)
        return try workload.requests.indices.map { request in
            let vm = try cluster.registerVM(workload.placementVM(forRequest: request))
            guard let host = cluster.chooseHost(for: vm, using: policy) else { return nil }
            cluster.assignVM(vm, to: host)
            return host
        }
    }
}
