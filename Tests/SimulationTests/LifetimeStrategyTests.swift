// What observers tell the cluster, and that a decision is explained as it was made.

import Model
import Placement
import Simulation
import Testing

@Suite("Observers")
struct LifetimeStrategyTests {
    private let shape = Resources(milliCPUs: 1000, memoryBytes: 1 << 30)

    private func cluster(hosts: Int) throws -> ClusterState {
        var cluster = ClusterState()
        for number in 0..<hosts {
            try cluster.registerHost(
                PlacementHost(
                    name: "h\(number)", capacity: Resources(milliCPUs: 8000, memoryBytes: 8 << 30)))
        }
        return cluster
    }

    private func add(_ number: Int, to cluster: inout ClusterState) throws -> VMIndex {
        try cluster.registerVM(
            PlacementVM(
                id: VMID(high: 1, low: UInt64(number)), name: "vm-\(number)", request: shape))
    }

    private func request(from arrival: Double, to departure: Double?) -> VMRequest {
        VMRequest(
            arrival: SimTime(seconds: arrival),
            departure: departure.map { SimTime(seconds: $0) } ?? .never, request: shape)
    }

    @Test func `Known lifetimes are told as the trace has them`() throws {
        var cluster = try cluster(hosts: 1)
        var observer: any RunObserver = TrueLifetimes()
        let (first, second) = (try add(0, to: &cluster), try add(1, to: &cluster))
        observer.observeEvent(
            .arrived(request(from: 5, to: 90)), of: first, in: &cluster, at: SimTime(seconds: 5))
        observer.observeEvent(
            .arrived(request(from: 6, to: nil)), of: second, in: &cluster, at: SimTime(seconds: 6))
        #expect(cluster.expectedDeparture(of: first) == 90)
        #expect(cluster.expectedDeparture(of: second) == ClusterState.never)
        #expect(cluster.now == 6)
    }

    @Test func `Learnt lifetimes come near to what VMs live for`() throws {
        var cluster = try cluster(hosts: 1)
        var observer: any RunObserver = LearntLifetimes()
        var errors: [Int] = []
        for number in 0..<200 {
            let vm = try add(number, to: &cluster)
            let born = Double(number * 2000)
            observer.observeEvent(
                .arrived(request(from: born, to: nil)), of: vm, in: &cluster,
                at: SimTime(seconds: born))
            cluster.assignVM(vm, to: 0)
            errors.append(abs(cluster.expectedDeparture(of: vm) - Int(born) - 1500))
            observer.observeEvent(
                .departed, of: vm, in: &cluster, at: SimTime(seconds: born + 1500))
            cluster.unregisterVM(vm)
        }
        #expect(errors[0] > 1000)
        #expect(errors.suffix(50).allSatisfy { $0 < 300 }, "\(errors.suffix(3))")
    }

    @Test func `A decision that was asked for is explained as it was made`() throws {
        var cluster = try cluster(hosts: 3)
        let log = DecisionLog()
        let strategy = try Strategies.findStrategy(named: "worst-fit", seed: 1)
            .explainingPlacement(of: ["vm-1"], in: log)
        var observer = try #require(strategy.observer)
        #expect(!observer.knowsDepartures)
        for number in 0..<3 {
            let vm = try add(number, to: &cluster)
            let now = SimTime(seconds: Double(number))
            observer.observeEvent(
                .arrived(request(from: now.seconds, to: nil)), of: vm, in: &cluster, at: now)
            let host = cluster.chooseHost(for: vm, using: strategy.placement)
            cluster.assignVM(vm, to: try #require(host))
        }
        #expect(log.decisions.count == 1)
        #expect(log.decisions[0].at == SimTime(seconds: 1))
        #expect(log.decisions[0].explanation.vm == "vm-1")
        #expect(log.decisions[0].explanation.chosen == 1)
        #expect(log.decisions[0].explanation.verdicts.count == 3)
    }

    @Test func `An oracle that is explained still sees what it sees`() throws {
        let strategy = try Strategies.findStrategy(named: "lifetime-oracle", seed: 1)
        #expect(
            strategy.explainingPlacement(of: ["a"], in: DecisionLog()).observer?.knowsDepartures
                == true)
    }
}
