// Which sights of a cluster are worth a line.

import History
import Model
import Testing

@Suite("What is news to a history")
struct BookTests {
    private var known: HistoryState {
        var book = HistoryState()
        book.applyLine(.host(host("host-a")))
        book.applyLine(.vm(vm("web", vcpus: 2, memory: 4)))
        book.applyLine(.place(place("web", .running, on: "host-a")))
        return book
    }

    @Test func `What was written is no news, what changed is`() {
        let book = known
        #expect(book.changedLines(for: host("host-a")).isEmpty)
        #expect(
            book.changedLines(for: vm("web"), place: place("web", .running, on: "host-a")).isEmpty)
        let draining = host("host-a", state: .draining)
        #expect(book.changedLines(for: draining) == [.host(draining)])
        let paused = place("web", .paused, on: "host-a")
        #expect(book.changedLines(for: vm("web"), place: paused) == [.place(paused)])
        let important = vm("web") { $0.priority = 3 }
        #expect(
            book.changedLines(for: important, place: place("web", .running, on: "host-a")) == [
                .vm(important)
            ])
    }

    @Test func `A name that another VM has now ends the first`() {
        let again = place("web", .running, on: "host-a")
        #expect(
            known.changedLines(for: vm("web", 2), place: again)
                == [.gone(RecordedEnd(.vm, name: "web")), .vm(vm("web", 2)), .place(again)])
    }

    @Test func `Hosts and groups that no line describes are left out`() {
        let stranger = vm("db", 2) { $0.groups = ["new"] }
        let lines = known.changedLines(for: stranger, place: place("db", .running, on: "host-z"))
        #expect(lines == [.vm(vm("db", 2)), .place(place("db", .running))])
        #expect(known.unknownGroups(of: stranger) == ["new"])
        // Once they are described, they are news.
        var book = known
        for line in lines { book.applyLine(line) }
        book.applyLine(.host(host("host-z")))
        book.applyLine(.group(RecordedGroup(name: "new", rule: .affinity)))
        #expect(
            book.changedLines(for: stranger, place: place("db", .running, on: "host-z"))
                == [.vm(stranger), .place(place("db", .running, on: "host-z"))])
    }

    @Test func `A move is written once, however often it is told of`() {
        var book = known
        book.applyLine(.host(host("host-b")))
        let first = move("web", from: "host-a", to: "host-b")
        #expect(book.changedLines(for: first) == [.move(first)])
        book.applyLine(.move(first))
        #expect(book.changedLines(for: first).isEmpty)
        let again = move("web", from: "host-a", to: "host-b", operation: 10)
        #expect(book.changedLines(for: again) == [.move(again)])
        book.markAsRecorded(again)
        #expect(book.changedLines(for: again).isEmpty)
        // What it remembers has an end; what is new is never taken for known.
        for number in UInt64(100)..<20_000 {
            let other = move("web", from: "host-a", to: "host-b", operation: number)
            #expect(book.changedLines(for: other) == [.move(other)])
            book.applyLine(.move(other))
        }
    }

    @Test func `What is in no list any more is gone`() {
        #expect(
            known.endedEntries(listedVMs: [vmName("web")], listedHosts: [hostName("host-a")])
                .isEmpty)
        #expect(
            known.endedEntries(listedVMs: [], listedHosts: [])
                == [
                    .gone(RecordedEnd(.vm, name: "web")), .gone(RecordedEnd(.host, name: "host-a")),
                ])
        #expect(known.changedLines(forEnd: RecordedEnd(.vm, name: "nobody")).isEmpty)
    }

    @Test(arguments: [
        // Of 2 vCPUs, a step is 0.1 core; of 4 GiB, 82 MiB; of 40 MiB/s, 10 MiB/s.
        (1.0, 2048, 40, false), (1.09, 2048, 40, false), (1.11, 2048, 40, true),
        (0.91, 2048, 40, false), (0.89, 2048, 40, true), (1.0, 2120, 40, false),
        (1.0, 2135, 40, true), (1.0, 2048, 49, false), (1.0, 2048, 51, true), (0.0, 2048, 40, true),
    ])
    func `A load is written when it is more than a step from the last one`(
        _ cores: Double, _ memory: Int64, _ dirty: Int64, _ isNews: Bool
    ) {
        func reading(_ cores: Double, _ memory: Int64, _ dirty: Int64) -> VMReading {
            VMReading(
                cores: cores, memoryBytes: memory * mebibyte, dirtyBytesPerSecond: dirty * mebibyte)
        }
        var book = known
        let first = book.changedLines(forVMs: [vmName("web"): reading(1, 2048, 40)], hosts: [:])
        #expect(first.count == 1)
        for line in first { book.applyLine(line) }
        let next = book.changedLines(
            forVMs: [vmName("web"): reading(cores, memory, dirty)], hosts: [:])
        #expect(next.isEmpty != isNews)
    }

    @Test func `Small steps add up: what is written is never further off than one step`() {
        var book = known
        var written = -1.0
        for step in 0...1000 {
            let cores = 0.001 * Double(step)
            let reading = VMReading(cores: cores, memoryBytes: 0)
            for line in book.changedLines(forVMs: [vmName("web"): reading], hosts: [:]) {
                book.applyLine(line)
                guard case .load(let load) = line else { continue }
                written = load.vms[0].reading.cores
            }
            #expect(abs(written - cores) <= 0.1 + 1e-9)
        }
    }

    @Test func `What is no measurement, or of a stranger, is not written`() {
        let readings = [
            vmName("web"): VMReading(cores: .nan, memoryBytes: 1),
            vmName("nobody"): VMReading(cores: 1, memoryBytes: 1),
        ]
        #expect(
            known.changedLines(
                forVMs: readings, hosts: [hostName("host-z"): HostReading(cores: 1, memoryBytes: 1)]
            ) == [])
        #expect(
            known.changedLines(
                forVMs: [:],
                hosts: [hostName("host-a"): HostReading(cores: .infinity, memoryBytes: 1)])
                == [])
    }

    @Test func `Many readings stand in several lines, in the order of names`() {
        var book = HistoryState()
        var readings: [VMName: VMReading] = [:]
        for number in 0..<2500 {
            let name = "vm-\(10_000 + number)"
            book.applyLine(.vm(vm(name, UInt64(number))))
            readings[vmName(name)] = VMReading(cores: 1, memoryBytes: gibibyte)
        }
        let names = book.changedLines(forVMs: readings, hosts: [:]).map { line -> [String] in
            guard case .load(let load) = line else { return [] }
            return load.vms.map(\.name.text)
        }
        #expect(names.map(\.count) == [1000, 1000, 500])
        #expect(Array(names.joined()) == readings.keys.map(\.text).sorted())
    }
}
