// Histories to test with: lines by hand, and a file for them that goes with its owner.

import Glibc
import History
import Host
import Model
import Traces

let gibibyte: Int64 = 1 << 30
let mebibyte: Int64 = 1 << 20

func hostName(_ text: String) -> HostName { try! HostName(text) }
func vmName(_ text: String) -> VMName { try! VMName(text) }

func header(_ cluster: String = "blue", every seconds: Double = 10) -> HistoryHeader {
    HistoryHeader(
        cluster: try! ClusterName(cluster), policy: "worst-fit", startedAtMs: 1_760_000_000_000,
        everySeconds: seconds)
}

func host(
    _ name: String, cores: Int = 8, memory: Int64 = 64, state: HostState = .active,
    _ change: (inout RecordedHost) -> Void = { _ in }
) -> RecordedHost {
    var host = RecordedHost(
        name: hostName(name), cores: cores, memoryBytes: memory * gibibyte)
    host.state = state
    change(&host)
    return host
}

func vm(
    _ name: String, _ number: UInt64 = 1, vcpus: Int = 2, memory: Int64 = 4,
    _ change: (inout RecordedVM) -> Void = { _ in }
) -> RecordedVM {
    var vm = RecordedVM(
        name: vmName(name), id: VMID(high: 0, low: number), vcpus: vcpus,
        memoryBytes: memory * gibibyte)
    change(&vm)
    return vm
}

func place(
    _ vm: String, _ state: RecordedPlace.State, on host: String? = nil,
    to destination: String? = nil
) -> RecordedPlace {
    RecordedPlace(
        vm: vmName(vm), state: state, host: host.map { hostName($0) },
        destination: destination.map { hostName($0) })
}

func load(_ readings: [(String, cores: Double, memory: Int64)]) -> HistoryLine {
    var load = RecordedLoad()
    for (name, cores, memory) in readings {
        load.vms.append(
            (
                vmName(name),
                VMReading(
                    cores: cores, memoryBytes: memory * gibibyte, dirtyBytesPerSecond: 3 * mebibyte)
            ))
    }
    return .load(load)
}

func move(
    _ vm: String, from: String, to: String, operation: UInt64 = 9,
    _ change: (inout RecordedMove) -> Void = { _ in }
) -> RecordedMove {
    var move = RecordedMove(
        vm: vmName(vm), from: hostName(from), to: hostName(to), outcome: .done, attempts: 1,
        plannedFor: "request", operation: Identifier128(high: 0, low: operation),
        predictedSeconds: RecordedEstimate(low: 4, expected: 5, high: 7),
        predictedDowntimeMs: RecordedEstimate(low: 8, expected: 10, high: 20),
        predictedBytes: RecordedEstimate(low: 4e9, expected: 4.5e9, high: 6e9))
    move.seconds = 5.5
    move.downtimeMs = 12.25
    move.bytes = 4_600_000_000
    change(&move)
    return move
}

/// A file that is removed with its owner.
final class HistoryFile: Sendable {
    let path = "/tmp/ferry-history-\(UInt64.random(in: .min ... .max)).jsonl"

    init() {}

    init(_ entries: [(Int64, HistoryLine)]) throws {
        var writer = try HistoryWriter(path: path, header: header())
        for (t, line) in entries { try writer.writeEntry(HistoryEntry(t: t, line: line)) }
    }

    init(_ bytes: [UInt8]) throws { try set(bytes) }

    deinit { try? File.removeIfPresent(at: path) }

    func set(_ bytes: [UInt8]) throws {
        let file = try Descriptor.openFile(at: path, flags: O_CREAT | O_TRUNC | O_WRONLY)
        try file.writeAllBytes(bytes)
    }

    var bytes: [UInt8] {
        get throws { try File.readContents(at: path, limit: 1 << 30) }
    }

    var text: String {
        get throws { String(decoding: try bytes, as: UTF8.self) }
    }

    func read() throws(TraceError) -> History { try HistoryReader.readHistory(path: path) }
}

/// Three hosts, VMs that come, move, restart and go. `web` and `db` are there from the beginning.
let storyLines: [(Int64, HistoryLine)] = [
    (0, .group(RecordedGroup(name: "apart", rule: .antiAffinity))),
    (0, .host(host("host-a"))),
    (0, .host(host("host-b"))),
    (0, .host(host("host-c", cores: 16))),
    (0, .vm(vm("db", 1) { $0.groups = ["apart"] })),
    (0, .place(place("db", .running, on: "host-a"))),
    (
        0,
        .vm(
            vm("web", 2) {
                $0.groups = ["apart"]; $0.priority = 7
            })
    ),
    (0, .place(place("web", .running, on: "host-b"))),
    (10_000, load([("db", 1, 2), ("web", 0.5, 1)])),
    // Asked for while the cluster runs.
    (60_000, .vm(vm("job", 3, vcpus: 4))),
    (60_000, .place(place("job", .starting, on: "host-c"))),
    (61_000, .place(place("job", .running, on: "host-c"))),
    (70_000, load([("job", 3, 4), ("web", 1.5, 1)])),
    // A move, as it is seen: the destination, then the arrival, then its figures.
    (100_000, .place(place("web", .migrating, on: "host-b", to: "host-c"))),
    (106_000, .place(place("web", .running, on: "host-c"))),
    (106_200, .move(move("web", from: "host-b", to: "host-c"))),
    // Host-b is drained and comes back.
    (200_000, .host(host("host-b", state: .draining))),
    (205_000, .host(host("host-b", state: .maintenance))),
    (305_000, .host(host("host-b"))),
    // Host-a falls silent and is fenced; db starts again on host-b.
    (400_000, .host(host("host-a", state: .unreachable))),
    (400_000, .place(place("db", .unknown, on: "host-a"))),
    (420_000, .host(host("host-a", state: .unreachable) { $0.isFenced = true })),
    (420_100, .place(place("db", .starting, on: "host-b"))),
    (421_000, .place(place("db", .running, on: "host-b"))),
    (450_000, .host(host("host-a"))),
    // A VM that nobody could take.
    (460_000, .vm(vm("huge", 4, vcpus: 64))),
    (460_000, .place(place("huge", .pending))),
    (500_000, .place(place("job", .deleting, on: "host-c"))),
    (501_000, .gone(RecordedEnd(.vm, name: "job"))),
    (600_000, .end),
]
