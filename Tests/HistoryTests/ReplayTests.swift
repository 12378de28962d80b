// A run of what was recorded repeats it: each VM where it was, at every moment.

import History
import Model
import Placement
import Simulation
import Synchronization
import Testing

@Suite("Replaying a history")
struct ReplayTests {
    private let power = [PowerCurve(watts: (0...10).map { 100 + 10 * Double($0) })]

    @Test func `Recorded decisions are repeated: every VM is where it was, at every moment`() throws
    {
        let history = try HistoryFile(storyLines).read()
        let watch = Watch(history)
        var strategy = history.recordedStrategy
        strategy.moves = WatchedMoves(inner: strategy.moves, watch: watch)
        let result = try history.scenario(strategy, power: power, seed: 1).run()
        #expect(watch.differences.isEmpty, "\(watch.differences.first ?? "")")
        #expect(watch.looks > 500)
        #expect(watch.last == history.placement(at: history.end - 1))
        #expect((result.requests, result.placed, result.refused) == (5, 4, 1))
        #expect(result.migrations == 1 && result.migrationsDropped == 0)
    }

    @Test(arguments: 1...6)
    func `So are random histories, full hosts and moves in a row among them`(_ seed: UInt64) throws {
        var random = RandomHistory(seed: seed)
        let file = try random.file()
        let history = try file.read()
        #expect(history.stays.contains { $0.moves.count > 1 })
        let watch = Watch(history)
        var strategy = history.recordedStrategy
        strategy.moves = WatchedMoves(inner: strategy.moves, watch: watch)
        let result = try history.scenario(strategy, power: power, seed: 1).run()
        #expect(watch.differences.isEmpty, "seed \(seed): \(watch.differences.first ?? "")")
        #expect(watch.last == history.placement(at: history.end - 1), "seed \(seed)")
        #expect(result.refused == 0)
    }

    @Test func `Another policy begins from the same places and decides what comes after`() throws {
        let history = try HistoryFile(storyLines).read()
        let strategy = Strategy("best-fit", "", placement: BestFit())
        let scenario = history.scenario(strategy, power: power, seed: 1)
        #expect(scenario.events == history.hostEvents)
        let result = try scenario.run()
        #expect(result.requests == 5 && result.refused == 1)
        // Best fit puts the job beside db instead of on a host of its own.
        #expect(result.course[20].hostsInUse == 2)
        #expect(result.drains == 1 && result.hostFailures == 1)
        #expect(try scenario.run() == result)
    }
}

/// Looks at a run each second of it.
private final class Watch: Sendable {
    private struct State {
        var differences: [String] = []
        var looks = 0
        var last: [String: String] = [:]
    }

    private let history: History
    private let names: [String]
    private let state = Mutex(State())

    init(_ history: History) {
        self.history = history
        names = history.workload.names
    }

    var differences: [String] { state.withLock { $0.differences } }
    var looks: Int { state.withLock { $0.looks } }
    var last: [String: String] { state.withLock { $0.last } }

    func look(_ cluster: ClusterState, at now: SimTime) {
        let t = now.nanoseconds / 1_000_000
        var found: [String: String] = [:]
        var moved: Set<String> = []
        for vm in cluster.allVMs {
            let name = String(
                names[Int(cluster.description(of: vm).id.low)].prefix { $0 != "~" })
            found[name] = cluster.host(of: vm).map { cluster.hosts[$0].name }
            if cluster.target(of: vm) != nil { moved.insert(name) }
        }
        var expected = history.placement(at: t)
        // While it is moved, here or there, it is at one end or the other.
        for stay in history.stays {
            let name = history.vms[stay.vm].name.text
            if stay.moves.contains(where: { $0.begin <= t && t < $0.end }) { moved.insert(name) }
        }
        state.withLock { state in
            state.last = found
            state.looks += 1
            for name in moved { (found[name], expected[name]) = (nil, nil) }
            if found != expected {
                state.differences.append("at \(t) ms: \(found), recorded \(expected)")
            }
        }
    }
}

private struct WatchedMoves: MovePolicy {
    var inner: (any MovePolicy)?
    let watch: Watch
    let name = "recorded"
    let interval = Duration.seconds(1)

    mutating func plan(_ cluster: ClusterState, at now: SimTime) -> MovePlan {
        watch.look(cluster, at: now)
        return inner?.plan(cluster, at: now) ?? MovePlan()
    }

    func nextRound(after now: SimTime) -> SimTime {
        min(inner?.nextRound(after: now) ?? .never, now + interval)
    }
}

/// VMs that come, are moved one after the other, some at once, and go: each on a host with room, which is what a
/// cluster would have done; hosts become full.
private struct RandomHistory {
    private var lots: SplitMix64
    private var entries: [(Int64, HistoryLine)] = []
    /// GiB free on each host, and where each VM is.
    private var free = [24, 24, 24, 24]
    private var vms: [(name: String, host: Int, memory: Int)] = []
    private var count: UInt64 = 0

    init(seed: UInt64) { lots = SplitMix64(seed: seed) }

    mutating func file() throws -> HistoryFile {
        for host in free.indices {
            // One more than VMs get: what migrations need beside the guests' memory.
            entries.append((0, .host(HistoryTests.host("host-\(host)", memory: 25))))
        }
        for _ in 0..<12 { come(at: 0) }
        var t: Int64 = 5000
        for _ in 0..<120 {
            switch lots.number(below: 5) {
            case 0, 1: come(at: t)
            case 2: go(at: t)
            default: move(at: t)
            }
            // A move of the model takes up to some 12 s here.
            t += 1 + Int64(lots.number(below: 25_000))
        }
        entries.append((t + 60_000, .end))
        return try HistoryFile(entries.sorted { $0.0 < $1.0 })
    }

    private mutating func hostWithRoom(_ memory: Int) -> Int? {
        let hosts = free.indices.filter { free[$0] >= memory }
        return hosts.isEmpty ? nil : hosts[lots.number(below: hosts.count)]
    }

    private mutating func come(at t: Int64) {
        let memory = [1, 2, 4, 8][lots.number(below: 4)]
        guard let host = hostWithRoom(memory) else { return }
        count += 1
        let name = "vm-\(count)"
        free[host] -= memory
        vms.append((name, host, memory))
        entries.append((t, .vm(vm(name, count, vcpus: 1, memory: Int64(memory)))))
        entries.append((t, .place(place(name, .running, on: "host-\(host)"))))
    }

    private mutating func go(at t: Int64) {
        guard !vms.isEmpty else { return }
        let vm = vms.remove(at: lots.number(below: vms.count))
        free[vm.host] += vm.memory
        entries.append((t, .gone(RecordedEnd(.vm, vm.name))))
    }

    private mutating func move(at t: Int64) {
        guard !vms.isEmpty else { return }
        let index = lots.number(below: vms.count)
        let vm = vms[index]
        guard let target = hostWithRoom(vm.memory), target != vm.host else { return }
        free[vm.host] += vm.memory
        free[target] -= vm.memory
        vms[index].host = target
        entries.append(
            (t, .place(place(vm.name, .migrating, on: "host-\(vm.host)", to: "host-\(target)"))))
        entries.append((t, .place(place(vm.name, .running, on: "host-\(target)"))))
    }
}
