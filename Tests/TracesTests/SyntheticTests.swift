// Generated workloads: the same for the same seed, and with the distributions that their sources publish.

import Foundation
import Model
import Placement
import Simulation
import Testing
import Traces

@Suite("Synthetic workloads")
struct SyntheticTests {
    private func make(
        _ kind: SyntheticWorkload, vms: Int, days: Int = 1, seed: UInt64 = 1
    ) throws -> Workload {
        kind.makeWorkload(
            from: try SyntheticParameters(vms: vms, duration: .seconds(days * 86_400), seed: seed))
    }

    /// FNV-1a over all that a run reads.
    private func fingerprint(_ workload: Workload) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func add(_ word: UInt64) { hash = (hash ^ word) &* 0x100_0000_01b3 }
        for request in workload.requests {
            add(UInt64(bitPattern: request.arrival.nanoseconds))
            add(UInt64(bitPattern: request.departure.nanoseconds))
            add(UInt64(request.milliCPUs))
            add(UInt64(request.memoryBytes))
            add(UInt64(bitPattern: Int64(request.kind)))
            add(UInt64(bitPattern: Int64(request.series)))
            guard request.series >= 0 else { continue }
            add(
                workload.utilisation.sampledCPUShare(inRow: request.series, after: .seconds(600))
                    .bitPattern)
        }
        return hash
    }

    /// Another figure on another machine, or after a change, is another workload under the old name.
    @Test(arguments: [
        (SyntheticWorkload.azureLike, 10_128_739_280_472_799_587 as UInt64),
        (.steady, 18_009_315_951_407_133_889), (.diurnal, 17_885_756_128_871_353_221),
        (.batch, 15_624_014_307_176_147_679),
    ])
    func `A seed makes the same workload on every machine`(
        kind: SyntheticWorkload, expected: UInt64
    ) throws {
        let workload = try make(kind, vms: 2000)
        #expect(fingerprint(workload) == expected)
        #expect(fingerprint(workload) == fingerprint(try make(kind, vms: 2000)))
        #expect(fingerprint(workload) != fingerprint(try make(kind, vms: 2000, seed: 2)))
    }

    @Test(arguments: SyntheticWorkload.allCases, [1, 7, 5000])
    func `As many VMs as asked for, in order, none leaves before it comes`(
        kind: SyntheticWorkload, vms: Int
    ) throws {
        let workload = try make(kind, vms: vms)
        let requests = workload.requests
        #expect(requests.count == vms)
        #expect(zip(requests, requests.dropFirst()).allSatisfy { $0.arrival <= $1.arrival })
        #expect(requests.allSatisfy { $0.departure >= $0.arrival && $0.arrival <= workload.end })
        #expect(requests.allSatisfy { $0.milliCPUs > 0 && $0.memoryBytes > 0 })
        #expect(
            requests.allSatisfy { $0.series >= 0 && $0.series < workload.utilisation.series.count })
        #expect(workload.end == SimTime(seconds: 86_400))
        for row in workload.utilisation.series.indices {
            for step in 0..<3 {
                let share = workload.utilisation.sampledCPUShare(
                    inRow: Int32(row), after: .seconds(step * 300))
                #expect((0...1).contains(share))
            }
        }
    }

    @Test func `Hosts are as listed`() throws {
        let hosts = try HostList(
            text: "2,1x64c/512GiB", shape: HostShape(cores: 32, memory: .gibibytes(256)))
        let parameters = try SyntheticParameters(vms: 10, seed: 1, hosts: hosts)
        let workload = SyntheticWorkload.steady.makeWorkload(from: parameters)
        #expect(workload.hosts.map(\.name) == ["host-0", "host-1", "host-2"])
        #expect(workload.hosts.map(\.capacity.milliCPUs) == [32_000, 32_000, 64_000])
    }

    @Test(arguments: [(0, 1), (Int.max, 1), (1, 0), (1, 2_000_000_000)])
    func `What is out of range is refused`(vms: Int, seconds: Int) {
        #expect(throws: SyntheticError.self) {
            try SyntheticParameters(vms: vms, duration: .seconds(seconds), seed: 1)
        }
    }

    // MARK: - Distributions

    @Test func `A cloud like Azure has its lifetimes, shapes and population`() throws {
        let workload = try make(.azureLike, vms: 60_000, days: 4)
        let arriving = workload.requests.filter { $0.arrival > .start }
        func share(below seconds: Double) -> Double {
            Double(arriving.count { ($0.departure - $0.arrival).seconds <= seconds })
                / Double(arriving.count)
        }
        // Batches make few independent lifetimes of many VMs: the tolerance is wide.
        #expect(abs(share(below: 900) - 0.34) < 0.05)
        #expect(abs(share(below: 3600) - 0.69) < 0.05)
        #expect(abs(share(below: 86_400) - 0.953) < 0.02)
        let small = arriving.count { $0.milliCPUs <= 2000 }
        #expect(abs(Double(small) / Double(arriving.count) - 0.805) < 0.05)

        // In equilibrium from the start: as many VMs after a while as at the beginning.
        func population(_ moment: Double) -> Int {
            let time = SimTime(seconds: moment)
            return workload.requests.count { $0.arrival <= time && $0.departure > time }
        }
        let first = population(0)
        let later = [1.0, 2, 3].map { population($0 * 86_400) }
        #expect(first > 1000)
        for count in later { #expect(abs(Double(count) / Double(first) - 1) < 0.35, "\(later)") }
    }

    @Test func `Half of the VMs of a steady workload are there at any time`() throws {
        let workload = try make(.steady, vms: 20_000)
        for hour in [0, 6, 12, 18, 24] {
            let time = SimTime(seconds: Double(hour) * 3600)
            let there = workload.requests.count { $0.arrival <= time && $0.departure > time }
            #expect(abs(there - 10_000) < 500, "\(there) at \(hour) h")
        }
    }

    @Test func `CPU use has PlanetLab's published quartiles and mean`() throws {
        let use = try make(.steady, vms: 1500).utilisation
        var shares: [Double] = []
        for row in use.series.indices {
            for step in 0..<288 {
                shares.append(use.sampledCPUShare(inRow: Int32(row), after: .seconds(step * 300)))
            }
        }
        shares.sort()
        let quartiles = [1, 2, 3].map { shares[shares.count * $0 / 4] }
        #expect(abs(quartiles[0] - 0.02) < 0.006, "\(quartiles)")
        #expect(abs(quartiles[1] - 0.055) < 0.012, "\(quartiles)")
        #expect(abs(quartiles[2] - 0.15) < 0.03, "\(quartiles)")
        let mean = shares.reduce(0, +) / Double(shares.count)
        #expect(abs(mean - 0.1231) < 0.02, "\(mean)")
    }

    @Test func `A diurnal fleet uses 10 percent by night and 50 by day`() throws {
        let use = try make(.diurnal, vms: 2000, days: 2).utilisation
        func mean(hour: Int) -> Double {
            let shares = use.series.indices.map {
                use.sampledCPUShare(inRow: Int32($0), after: .seconds(hour * 3600))
            }
            return shares.reduce(0, +) / Double(shares.count)
        }
        #expect(abs(mean(hour: 2) - 0.1) < 0.02)
        #expect(abs(mean(hour: 14) - 0.5) < 0.08, "cut at what a VM has")
        #expect(abs(mean(hour: 38) - mean(hour: 14)) < 0.05)
    }

    @Test func `Jobs have the sizes and running times of their model`() throws {
        let workload = try make(.batch, vms: 50_000, days: 30)
        let jobs = Dictionary(grouping: workload.requests, by: \.kind).values
        for job in jobs {
            #expect(Set(job.map(\.arrival)).count == 1 && Set(job.map(\.departure)).count == 1)
        }
        let serial = Double(jobs.count { $0.count == 1 }) / Double(jobs.count)
        #expect(abs(serial - 0.244) < 0.03, "\(serial)")
        let powers = jobs.count { $0.count > 1 && $0.count & ($0.count - 1) == 0 }
        #expect(Double(powers) / Double(jobs.count) > 0.55)
        #expect(jobs.map(\.count).max().map { (100...128).contains($0) } == true)
        // exp(4.2 x 0.94) s is a typical short job, exp(312 x 0.03) s a typical long one.
        let times = jobs.compactMap { $0.first.map { ($0.departure - $0.arrival).seconds } }
        let long = Double(times.count { $0 > 3600 }) / Double(times.count)
        #expect((0.22...0.45).contains(long), "\(long)")
        #expect(times.allSatisfy { $0 <= 162_755 })
    }

    @Test func `A million VMs are made in seconds`() throws {
        let clock = ContinuousClock()
        let time = try clock.measure { _ = try make(.azureLike, vms: 1_000_000) }
        #expect(time < .seconds(20), "\(time)")
    }
}
