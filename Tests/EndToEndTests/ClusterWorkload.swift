// What people do to a cluster all day, at random, from a seed: create and delete VMs, drain hosts, balance. A controller
// that dies in between may lose an answer, never the truth: what was not answered is asked again until it is.

import API
import Clients
import Foundation
import Host
import Model
import Pulse
import Synchronization
import Testbed

/// One after another, until it is told to stop.
actor ClusterWorkload {
    private let cluster: LocalCluster
    private let controller: ControllerClient
    private var random: SplitMix64
    private let lasting: Int
    private var isOver = false
    private var counter = 0
    /// VMs whose creation was acknowledged and whose deletion was not asked for.
    private(set) var expected: [VMName: VMID] = [:]
    private var passing: [VMName] = []
    private(set) var done: [String: Int] = [:]

    /// Small, and quiet enough for two cores.
    static let pulse = PulseOptions(
        fillBytes: 12 << 20, workingSetBytes: 2 << 20, rate: .pagesPerSecond(200),
        content: .mixed, period: .milliseconds(50), checksPerSecond: 200)

    init(_ cluster: LocalCluster, _ controller: ControllerClient, lasting: Int, seed: UInt64) {
        self.cluster = cluster
        self.controller = controller
        self.lasting = lasting
        random = SplitMix64(seed: seed)
    }

    static func lastingName(_ number: Int) throws -> VMName { try VMName("lasting-\(number)") }

    /// The VMs that stay to the end.
    func createLasting() async throws {
        for number in 0..<lasting { try await create(try Self.lastingName(number)) }
    }

    func stop() { isOver = true }

    func run() async throws {
        while !isOver {
            switch random.drawNumber(below: 8) {
            case 0, 1, 2: if passing.count < 6 { try await createPassing() }
            case 3, 4: try await deletePassing()
            case 5: try await drain()
            case 6: try await balance()
            default: try await migrate()
            }
        }
        for host in cluster.hosts { try await activate(host) }
    }

    private func createPassing() async throws {
        counter += 1
        let name = try VMName("passing-\(counter)")
        try await create(name)
        passing.append(name)
    }

    private func create(_ name: VMName) async throws {
        var request = CreateClusterVM(
            VMSpec(
                name: name, memory: .mebibytes(32), downtimeLimit: .milliseconds(10_000),
                commandLine: try Self.pulse.commandLine()))
        request.id = .random()
        let vm = try await untilAnswered { [controller, request] in
            try await controller.createVM(with: request)
        }
        expected[name] = vm.id
        done["creates", default: 0] += 1
    }

    private func deletePassing() async throws {
        guard !passing.isEmpty else { return }
        let name = passing.remove(at: random.drawNumber(below: passing.count))
        expected[name] = nil
        do {
            _ = try await untilAnswered { [controller] in try await controller.deleteVM(named: name)
            }
        } catch ClientError.problem(let problem, _) where problem.knownCode == .vmNotFound {
            // The answer to an earlier request for it was lost.
        }
        done["deletes", default: 0] += 1
    }

    /// Waits for its end now and then only: the next thing may come while it goes on.
    private func drain() async throws {
        let host = cluster.hosts[random.drawNumber(below: cluster.hosts.count)]
        do {
            let drain = try await untilAnswered { [controller] in
                try await controller.drainHost(named: host)
            }
            done["drains", default: 0] += 1
            if random.drawNumber(below: 2) == 0 { try await waitForEnd(drain.id) }
        } catch ClientError.problem(let problem, _) where problem.status == 409 {
            // It is being drained, or no host would be left.
        }
        try await Task.sleep(for: .milliseconds(random.drawNumber(below: 800)))
        try await activate(host)
    }

    private func activate(_ host: HostName) async throws {
        do {
            _ = try await untilAnswered { [controller] in
                try await controller.activateHost(named: host, bringBack: false)
            }
        } catch ClientError.problem(let problem, _) where problem.status == 409 {
            // It is active.
        }
    }

    private func balance() async throws {
        do {
            _ = try await untilAnswered { [controller] in try await controller.runBalance() }
            done["balance runs", default: 0] += 1
        } catch ClientError.problem(let problem, _) where problem.status == 409 {
            // One runs.
        }
    }

    private func migrate() async throws {
        guard let name = expected.keys.sorted().randomElement(using: &random) else { return }
        do {
            _ = try await untilAnswered { [controller] in
                try await controller.migrateVM(named: name)
            }
            done["migrations", default: 0] += 1
        } catch ClientError.problem(let problem, _) where problem.status == 409 {
            // It is busy, or no other host can take it.
        }
    }

    private func waitForEnd(_ id: OperationID) async throws {
        let end = Instant.now + .seconds(30)
        while Instant.now < end {
            let operation = try await untilAnswered { [controller] in
                try await controller.operation(withID: id)
            }
            if operation.isOver { return }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Asks again while no controller answers.
    private func untilAnswered<Answer: Sendable>(
        _ ask: @Sendable () async throws -> Answer
    ) async throws -> Answer {
        let end = Instant.now + .seconds(60)
        while true {
            do { return try await ask() } catch let error as ClientError {
                guard error.isPassing, Instant.now < end else { throw error }
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}

extension ClientError {
    /// There is no controller just now, or it just learns what its predecessor knew.
    fileprivate var isPassing: Bool {
        switch self {
        case .unreachable: true
        case .problem(let problem, _): problem.status == 503
        case .notTrusted, .unexpected, .keys: false
        }
    }
}
