// What becomes of a history: stays, a workload that starts from where the VMs were, host events, measured figures.

import History
import Model
import Placement
import Simulation
import Testing

@Suite("A history as a workload")
struct WorkloadTests {
    private func story() throws -> History { try HistoryFile(storyLines).read() }

    @Test func `A stay begins and ends as the VM was seen to, and holds its moves`() throws {
        let history = try story()
        let stays = history.stays.map { stay in
            "\(history.vms[stay.vm].name) \(stay.begin) \(stay.end ?? -1) "
                + (stay.host.map { history.hosts[$0].name.text } ?? "nowhere")
                + stay.moves.map { " \($0.begin)-\($0.end) to \(history.hosts[$0.to].name)" }
                .joined()
        }
        #expect(
            stays == [
                "db 0 420100 host-a", "web 0 -1 host-b 100000-106000 to host-c",
                "job 60000 501000 host-c", "db 420100 -1 host-b", "huge 460000 -1 nowhere",
            ])
        #expect(
            history.placement(at: 105_999)
                == ["db": "host-a", "web": "host-b", "job": "host-c"])
        #expect(history.placement(at: 106_000)["web"] == "host-c")
        #expect(history.placement(at: 600_000) == ["db": "host-b", "web": "host-c"])
    }

    @Test func `What is asked for, when, from where, and with which demands`() throws {
        let workload = try story().workload
        #expect(workload.names == ["db", "web", "job", "db~2", "huge"])
        #expect(workload.requests.map(\.initialHost) == [0, 1, -1, -1, -1])
        #expect(workload.requests.map(\.arrival.seconds) == [0, 0, 60, 420.1, 460])
        #expect(workload.requests[0].departure.seconds == 420.1)
        #expect(workload.requests[2].departure.seconds == 501)
        #expect(workload.requests[1].departure == .never)
        #expect(workload.requests.map(\.milliCPUs) == [2000, 2000, 4000, 2000, 64000])
        #expect(workload.end.seconds == 600)
        #expect(workload.hosts.map(\.name) == ["host-a", "host-b", "host-c"])
        let web = workload.placementVM(forRequest: 1)
        #expect(web.groups == ["apart"] && web.priority == 7)
        #expect(web.dirtyBytesPerSecond == 3_145_728.0)
        #expect(workload.notes.contains("for 1 VMs no host was ever found"))
        #expect(
            workload.notes.first
                == "measured in the cluster: 1 migrations done, 0 failed, 4.28GiB in 5.5 s, downtimes of 12.25 to 12.25 ms, 12.25 ms at the median"
        )
    }

    @Test func `Labels, pins, limits and words about balance go with the VM`() throws {
        let file = try HistoryFile([
            (0, .host(host("host-a") { $0.labels = ["ssd"] })),
            (
                0,
                .vm(
                    vm("web") {
                        $0.labels = ["ssd"]
                        $0.pinnedHost = hostName("host-a")
                        $0.mayBeBalanced = false
                        $0.downtimeLimitMs = 20
                    })
            ),
            (0, .place(place("web", .running, on: "host-a"))),
            (0, .vm(vm("db", 2) { $0.pinnedHost = hostName("host-gone") })),
            (0, .place(place("db", .running, on: "host-a"))),
            (1000, .end),
        ])
        let workload = try file.read().workload
        let web = workload.placementVM(forRequest: 0)
        #expect(web.labels == ["ssd"] && web.pinnedHost == "host-a" && !web.mayBeBalanced)
        #expect(web.downtimeLimit == .milliseconds(20))
        #expect(workload.placementVM(forRequest: 1).pinnedHost == nil)
        #expect(workload.notes.contains { $0.contains("pinned to hosts that") })
    }

    @Test func `Utilisation is the mean of what was read over each step`() throws {
        let file = try HistoryFile([
            (0, .host(host("host-a"))),
            (0, .vm(vm("web", vcpus: 2, memory: 4))),
            (0, .place(place("web", .running, on: "host-a"))),
            (5000, load([("web", 2, 4)])),
            (15_000, load([("web", 1, 2)])),
            (25_000, load([("web", 3, 1)])),
            (30_000, .end),
        ])
        let workload = try file.read().workload
        let series = workload.requests[0].series
        func cpu(_ seconds: Int) -> Double {
            workload.utilisation.sampledCPUShare(inRow: series, after: .seconds(seconds))
        }
        // 2 cores from the beginning, 1 from 15 s, 3 (more than it has) from 25 s; steps of 10 s.
        #expect(cpu(0) == 1 && cpu(10) == 0.75 && cpu(20) == 1)
        #expect(workload.utilisation.sampledMemoryShare(inRow: series, after: .seconds(10)) == 0.75)
    }

    @Test func `Hosts are drained and fail again when they were`() throws {
        let history = try story()
        #expect(
            history.hostEvents == [
                .drained(1, at: SimTime(seconds: 200), maintenance: .seconds(100)),
                .fails(0, at: SimTime(seconds: 400), backAfter: .seconds(50)),
            ])
    }

    @Test func `A host that came later or left is away before and after`() throws {
        let file = try HistoryFile([
            (0, .host(host("host-a"))),
            (10_000, .host(host("host-b"))),
            (50_000, .gone(RecordedEnd(.host, name: "host-a"))),
            (60_000, .end),
        ])
        #expect(
            try file.read().hostEvents == [
                .drained(1, at: .start, maintenance: .seconds(10)),
                .drained(0, at: SimTime(seconds: 50), maintenance: .seconds(10)),
            ])
    }

    @Test func `A host's own load is what its VMs do not account for`() throws {
        var hosts = RecordedLoad()
        hosts.hosts = [(hostName("host-a"), HostReading(cores: 3, memoryBytes: 10 * gibibyte))]
        let file = try HistoryFile([
            (0, .host(host("host-a"))),
            (0, .vm(vm("web"))),
            (0, .place(place("web", .running, on: "host-a"))),
            (0, load([("web", 2, 4)])),
            (0, .load(hosts)),
            (50_000, .place(place("web", .deleting, on: "host-a"))),
            (50_000, .gone(RecordedEnd(.vm, name: "web"))),
            (100_000, .end),
        ])
        let own = try file.read().placementHosts[0].ownUse
        #expect(own.cores == 2 && own.memoryBytes == Double(8 * gibibyte))
    }
}
