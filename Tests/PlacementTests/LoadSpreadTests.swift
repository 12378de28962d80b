// The imbalance figure: known values, and incremental sums against sums from scratch.

import Model
import Placement
import Testing

@Suite("Imbalance")
struct LoadSpreadTests {
    private func cluster(_ shares: [(cpu: Double, memory: Double)], cores: [Int]? = nil) throws
        -> ClusterState
    {
        var cluster = ClusterState()
        for (number, share) in shares.enumerated() {
            let cores = cores?[number] ?? 8
            try cluster.registerHost(
                host("h\(number)", cores: cores, memory: 64) {
                    $0.ownUse = MeasuredUse(
                        cores: share.cpu * Double(cores),
                        memoryBytes: share.memory * Double(64 * gibibyte))
                })
        }
        return cluster
    }

    @Test func `It is the standard deviation of shares in use, processors and memory half each`()
        throws
    {
        let cluster = try cluster([(0.2, 0.5), (0.6, 0.5), (0.4, 0.5), (0.4, 0.5)])
        let spread = LoadSpread(of: cluster) { _ in true }
        #expect(abs(spread.score - 0.5 * 0.02.squareRoot()) < 1e-12)
    }

    @Test func `A host counts by its size`() throws {
        let cluster = try cluster([(0.5, 0), (0.1, 0)], cores: [24, 8])
        let spread = LoadSpread(of: cluster) { _ in true }
        // Mean (0.5·24 + 0.1·8) / 32 = 0.4; variance (24·0.01 + 8·0.09) / 32 = 0.03.
        #expect(abs(spread.score - 0.5 * 0.03.squareRoot()) < 1e-12)
    }

    @Test func `Hosts that do not count do not change it`() throws {
        let cluster = try cluster([(0.2, 0.5), (0.6, 0.5), (1, 1)])
        let spread = LoadSpread(of: cluster) { $0 != 2 }
        #expect(abs(spread.score - 0.5 * 0.2) < 1e-12)
        #expect(spread.hostCount == 2)
        #expect(LoadSpread(of: cluster) { _ in false }.score == 0)
        #expect(LoadSpread(of: ClusterState()) { _ in true }.score == 0)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `After many moves the figure is what a count from scratch gives`(seed: UInt64) throws {
        var random = try RandomCluster(seed: seed, hosts: 15, vms: 80)
        let fixed = random.state.hosts.map { _ in Resources(vcpus: 1, memory: .gibibytes(2)) }
        for figure in [LoadSpread.Figure.measured, .requested(fixed: fixed)] {
            var spread = LoadSpread(of: random.state, measuring: figure) { $0 % 4 != 0 }
            for _ in 0..<200 {
                let vms = random.state.allVMs
                let vm = vms[random.lots.drawNumber(below: vms.count)]
                guard let host = random.anyHostFor(vm) else { continue }
                spread.relocateVM(vm, in: random.state, to: host)
                random.state.relocateVM(vm, to: host)
            }
            let fresh = LoadSpread(of: random.state, measuring: figure) { $0 % 4 != 0 }
            #expect(abs(spread.score - fresh.score) < 1e-9)
        }
    }
}
