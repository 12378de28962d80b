// The real traces as they are published, held against counts and sums that awk finds in them.

import Placement
import Simulation
import Testing
import Traces

@Suite("Real traces")
struct RealTraceTests {
    private func totals(_ workload: Workload) -> (milliCPUs: Int, memoryBytes: Int) {
        workload.requests.reduce((0, 0)) {
            ($0.0 + Int($1.milliCPUs), $0.1 + Int($1.memoryBytes))
        }
    }

    @Test(.needs("azure-v1/requests.csv"))
    func `Azure's requests of 2017 are read whole, and fast`() throws {
        let path = RealTraces.path("azure-v1/requests.csv")
        let clock = ContinuousClock()
        var workload: Workload?
        let time = try clock.measure { workload = try TraceReader.readWorkload(path: path) }
        let azure = try #require(workload)
        #expect(time < .seconds(5), "took \(time)")
        print("azure-v1: \(time)")
        #expect(azure.requests.count == 259_159)
        #expect(totals(azure).milliCPUs == 557_907_000)
        #expect(azure.requests.count { $0.departure == .never } == 14_317)
        #expect(azure.end == SimTime(seconds: 300_000))
    }

    @Test(.needs("openb"))
    func `Alibaba's nodes and pods are read whole`() throws {
        let all = try TraceReader.readWorkload(path: RealTraces.path("openb"), format: .openbAll)
        #expect(all.hosts.count == 1523)
        #expect(all.hosts.reduce(0) { $0 + $1.capacity.milliCPUs } == 125_514_000)
        #expect(all.hosts.reduce(0) { $0 + $1.capacity.memoryBytes >> 20 } == 612_028_416)
        #expect(all.requests.count == 8152)
        #expect(totals(all) == (85_436_012, 303_546_211 << 20))
        #expect(all.end == SimTime(seconds: 12_902_960))
        let some = try TraceReader.readWorkload(path: RealTraces.path("openb"))
        #expect(some.requests.count == 1088)
        #expect(totals(some) == (19_197_900, 53_149_680 << 20))
    }

    @Test(
        .needs("huawei-topology"),
        arguments: [
            ("C1", 64616, 164_748, 452), ("C2", 62520, 170_704, 534),
        ])
    func `Huawei's servers, racks and requests are read whole`(
        name: String, vcpus: Int, gibibytes: Int, groups: Int
    ) throws {
        let workload = try TraceReader.readWorkload(
            path: RealTraces.path("huawei-topology/VM_data_\(name).csv"))
        #expect(workload.hosts.count == 1710)
        #expect(workload.hosts.reduce(0) { $0 + $1.capacity.milliCPUs } == 141_856_000)
        #expect(workload.hosts.reduce(0) { $0 + $1.capacity.memoryBytes >> 30 } == 262_504)
        #expect(Set(workload.hosts.map(\.domain.rack)).count == 100)
        #expect(workload.requests.count == 4998)
        #expect(totals(workload) == (vcpus * 1000, gibibytes << 30))
        #expect(workload.groups.count == groups)
    }

    @Test(
        .needs("planetlab"), arguments: [("20110303", 1052), ("20110306", 898), ("20110309", 1061)])
    func `Days of PlanetLab are read whole`(day: String, vms: Int) throws {
        let workload = try TraceReader.readWorkload(path: RealTraces.path("planetlab/\(day)"))
        #expect(workload.requests.count == vms)
        #expect(workload.utilisation.series.count == vms)
        #expect(workload.end == SimTime(seconds: 86_400))
    }
}
