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
        let result = try history.makeScenario(using: strategy, power: power, seed: 1)
            .runSimulation()
        #expect(watch.differences.isEmpty, "\(watch.differences.first ?? "")")
        #expect(watch.looks > 500)
        #expect(watch.last == history.placement(at: history.end - 1))
        #expect((result.requests, result.placed, result.refused) == (5, 4, 1))
        #expect(result.migrations == 1 && result.migrationsDropped == 0)
    }

    @Test(arguments: 1...6)
    func `So are random histories: every VM visits the same hosts in the same order`(
        _ seed: UInt64
    ) throws {
        var random = RandomHistory(seed: seed)
        let file = try random.file()
        let history = try file.read()
        #expect(history.stays.contains { $0.moves.count > 1 })
        let watch = Watch(history)
        var strategy = history.recordedStrategy
        strategy.moves = WatchedMoves(inner: strategy.moves, watch: watch)
        let result = try history.makeScenario(using: strategy, power: power, seed: 1)
            .runSimulation()
        for stay in history.stays {
            let name = history.vms[stay.vm].name.text
            let hosts = ([stay.host] + stay.moves.map(\.to)).map {
                history.hosts[$0 ?? 0].name.text
            }
            let visited = watch.visited[name] ?? []
            // A VM may end while the model still moves it.
            let isSame = stay.end == nil ? visited == hosts : hosts.starts(with: visited)
            #expect(isSame, "seed \(seed), \(name): \(visited), recorded \(hosts)")
        }
        #expect(watch.last == history.placement(at: history.end - 1), "seed \(seed)")
        #expect(result.refused == 0 && result.migrationsDropped == 0)
    }

    @Test func `Another policy begins from the same places and decides what comes after`() throws {
        let history = try HistoryFile(storyLines).read()
        let strategy = Strategy("best-fit", summary: "", placement: BestFit())
        let scenario = history.makeScenario(using: strategy, power: power, seed: 1)
        #expect(scenario.events == history.hostEvents)
        let result = try scenario.runSimulation()
        #expect(result.requests == 5 && result.refused == 1)
        // Best fit puts the job beside db instead of on a host of its own.
        #expect(result.course[20].hostsInUse == 2)
        #expect(result.drains == 1 && result.hostFailures == 1)
        #expect(try scenario.runSimulation() == result)
    }
}

/// Looks at a run each second of it.
private final class Watch: Sendable {
    private struct State {
        var differences: [String] = []
        var looks = 0
        var last: [String: String] = [:]
        var visited: [String: [String]] = [:]
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
    /// The hosts of each VM, in order.
    var visited: [String: [String]] { state.withLock { $0.visited } }
    var last: [String: String] { state.withLock { $0.last } }

    func look(_ cluster: ClusterState, at now: SimTime) {
        let t = now.nanoseconds / 1_000_000
        var found: [String: String] = [:]
        var moved: Set<String> = []
        for vm in cluster.allVMs {
            let name = String(
                names[Int(cluster.description(of: vm).id.low)].prefix { $0 != "~" })
            found[name] = cluster.currentHost(of: vm).map { cluster.hosts[$0].name }
            if cluster.migrationTarget(of: vm) != nil { moved.insert(name) }
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
            for (name, host) in found where state.visited[name]?.last != host {
                state.visited[name, default: []].append(host)
            }
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
    let waitsForMoves = false

    mutating func planMoves(in cluster: ClusterState, at now: SimTime) -> MovePlan {
        watch.look(cluster, at: now)
        return inner?.planMoves(in: cluster, at: now) ?? MovePlan()
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
    private var vms: [(name: String, host: Int, memory: Int, move: (end: Int64, to: Int)?)] = []
    private var count: UInt64 = 0
    /// Less than some moves take by the model.
    private static let moveTime: Int64 = 6000

    init(seed: UInt64) { lots = SplitMix64(seed: seed) }

    mutating func file() throws -> HistoryFile {
        for host in free.indices {
            // One more than VMs get: what migrations need beside the guests' memory.
            entries.append((0, .host(HistoryTests.host("host-\(host)", cores: 32, memory: 25))))
        }
        for _ in 0..<12 { come(at: 0) }
        var t: Int64 = 5000
        for _ in 0..<120 {
            settle(at: t)
            switch lots.drawNumber(below: 5) {
            case 0, 1: come(at: t)
            case 2: go(at: t)
            default: move(at: t)
            }
            t += 1 + Int64(lots.drawNumber(below: 12_000))
        }
        settle(at: t + Self.moveTime)
        entries.append((t + 60_000, .end))
        return try HistoryFile(inOrder)
    }

    /// Ends of moves are noted late; what is noted at one moment stays in its order.
    private var inOrder: [(Int64, HistoryLine)] {
        entries.enumerated().sorted { ($0.element.0, $0.offset) < ($1.element.0, $1.offset) }
            .map(\.element)
    }

    /// Moves that are over by now.
    private mutating func settle(at t: Int64) {
        for index in vms.indices {
            guard let move = vms[index].move, move.end <= t else { continue }
            free[vms[index].host] += vms[index].memory
            vms[index].host = move.to
            vms[index].move = nil
            entries.append(
                (move.end, .place(place(vms[index].name, .running, on: "host-\(move.to)"))))
        }
    }

    private mutating func hostWithRoom(_ memory: Int) -> Int? {
        let hosts = free.indices.filter { free[$0] >= memory }
        return hosts.isEmpty ? nil : hosts[lots.drawNumber(below: hosts.count)]
    }

    private mutating func come(at t: Int64) {
        let memory = [1, 2, 4, 8][lots.drawNumber(below: 4)]
        guard let host = hostWithRoom(memory) else { return }
        count += 1
        let name = "vm-\(count)"
        free[host] -= memory
        vms.append((name, host, memory, nil))
        entries.append((t, .vm(vm(name, count, vcpus: 1, memory: Int64(memory)))))
        entries.append((t, .place(place(name, .running, on: "host-\(host)"))))
    }

    private mutating func go(at t: Int64) {
        guard let index = lot() else { return }
        let vm = vms.remove(at: index)
        free[vm.host] += vm.memory
        entries.append((t, .gone(RecordedEnd(.vm, name: vm.name))))
    }

    private mutating func move(at t: Int64) {
        guard let index = lot() else { return }
        let vm = vms[index]
        guard let target = hostWithRoom(vm.memory), target != vm.host else { return }
        free[target] -= vm.memory
        vms[index].move = (t + Self.moveTime, target)
        entries.append(
            (t, .place(place(vm.name, .migrating, on: "host-\(vm.host)", to: "host-\(target)"))))
    }

    /// A VM that is not being moved.
    private mutating func lot() -> Int? {
        let still = vms.indices.filter { vms[$0].move == nil }
        return still.isEmpty ? nil : still[lots.drawNumber(below: still.count)]
    }
}
