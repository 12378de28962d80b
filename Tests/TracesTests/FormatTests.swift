// What each format's columns become.

import Model
import Placement
import Simulation
import Testing
import Traces

private func gibibytes(_ count: Double) -> Int { Int(count * Double(1 << 30)) }

private func time(_ seconds: Double) -> SimTime { SimTime(seconds: seconds) }

@Suite("Trace formats")
struct FormatTests {
    @Test(arguments: Sample.all)
    func `A format is told by its content`(sample: Sample) throws {
        let folder = try TraceFolder()
        try folder.write(sample.files)
        #expect(try TraceReader.detectFormat(path: sample.path(in: folder)) == sample.format)
        let detected = try TraceReader.readWorkload(path: sample.path(in: folder))
        let named = try TraceReader.readWorkload(
            path: sample.path(in: folder), format: sample.format)
        #expect(detected.requests == named.requests && detected.name == named.name)
        #expect(detected.name.hasPrefix(sample.format.rawValue))
    }

    @Test func `Every format has a name and a summary of its own`() {
        #expect(Set(TraceFormat.allCases.map(\.rawValue)).count == TraceFormat.allCases.count)
        #expect(Set(TraceFormat.allCases.map(\.summary)).count == TraceFormat.allCases.count)
    }

    @Test func `Ferry's own trace has VMs, hosts, groups and use`() throws {
        let workload = try Sample.csv.read()
        #expect(workload.names == ["web-1", "web-2", "db"])
        #expect(workload.requests.map(\.arrival) == [.start, time(10.5), time(10.5)])
        #expect(workload.requests.map(\.departure) == [time(3600), .never, time(70.5)])
        #expect(workload.end == time(3600))
        let db = workload.requests[2]
        #expect(db.request == Resources(milliCPUs: 500, memoryBytes: gibibytes(1.5)))
        #expect(workload.requests.map(\.kind) == [1, 1, 2])
        #expect(workload.requests.map(\.priority) == [1, 1, 0])
        #expect(
            workload.groups == [
                AffinityGroup(name: "web", kind: .apart(), scope: .rack),
                AffinityGroup(
                    name: "web-all", kind: .apart(perDomainMax: 3), scope: .zone,
                    strength: .soft(weight: 2)),
                AffinityGroup(name: "pair", kind: .together),
            ])
        #expect(
            workload.requests.map { workload.groupSets[Int($0.groupSet)] } == [[0, 1], [0], [2]])

        #expect(workload.requests.map(\.initialHost) == [1, -1, -1])
        #expect(workload.requests.map(\.dirtyBytesPerSecond) == [-1, 16 * 1_048_576, -1])
        #expect(workload.placementVM(forRequest: 2).labels == ["ssd", "disk=fast"])
        #expect(workload.placementVM(forRequest: 0).labels.isEmpty)

        #expect(workload.hosts.map(\.name) == ["a", "b"])
        #expect(workload.hosts.map(\.labels) == [["ssd", "disk=fast"], []])
        let host = try #require(workload.hosts.first)
        #expect(host.capacity == Resources(milliCPUs: 16_000, memoryBytes: 64 << 30))
        #expect(host.domain == FaultDomain(zone: "z1", rack: "r1"))
        #expect(host.cpuOvercommit == 4 && host.memoryOvercommit == 1.5)
        #expect(host.reservedMemoryBytes == 2 << 30 && host.linkBytesPerSecond == 3.125e9)

        let use = workload.utilisation
        #expect(use.hasMemory && use.series.count == 2)
        #expect(workload.requests.map(\.series) == [0, -1, 1])
        #expect(use.sampledCPUShare(inRow: 0, after: .seconds(299)) == 0.5)
        #expect(use.sampledCPUShare(inRow: 0, after: .seconds(300)) == 0.75)
        #expect(use.sampledMemoryShare(inRow: 0, after: .seconds(10_000)) == 0.5)
        #expect(workload.notes == ["No utilisation, a share is assumed: 1 of 3 VMs."])
    }

    @Test func `A single table of VMs is enough, its columns in any order`() throws {
        let sample = Sample(
            format: .csv,
            files: [
                "mine.csv":
                    "memory_mib,cpu_share,other,vcpus,ARRIVAL_S,departure_s,memory_share\n"
                    + "512,0.25,x,1,5,9,0.5\n1024,,,2,6,,\n"
            ])
        let workload = try sample.read(detecting: true)
        #expect(workload.requests.map(\.request.memoryBytes) == [512 << 20, 1 << 30])
        #expect(workload.requests.map(\.departure) == [time(9), .never])
        #expect(workload.requests.map(\.series) == [0, -1])
        #expect(workload.utilisation.sampledCPUShare(inRow: 0, after: .seconds(3)) == 0.25)
        #expect(workload.utilisation.sampledMemoryShare(inRow: 0, after: .seconds(3)) == 0.5)
        #expect(workload.displayName(ofRequest: 1) == "vm-1" && workload.end == time(9))
    }

    @Test(arguments: [
        ("\u{FEFF}arrival_s,vcpus,memory_gib,name\r\n0,1,1,a\r\n1,1,1,b\r\n", ["a", "b"]),
        ("arrival_s,vcpus,memory_gib,name\n\n0,1,1,a\n\n\n1,1,1,b", ["a", "b"]),
        ("arrival_s, vcpus ,memory_gib,name\n 0 ,\t1,1 , a b \n", ["a b"]),
        (
            "\"arrival_s\",\"vcpus\",memory_gib,name\n\"0\",1,1,\"a,\"\"b\"\"\n\nc\"  \n",
            ["a,\"b\"\n\nc"]
        ),
        ("arrival_s,vcpus,memory_gib,name\n0,1,1,a\"b\n", ["a\"b"]),
        ("arrival_s,vcpus,memory_gib,name\n1e1,1.5e0,+1,a\n010,1,1.,b\n", ["a", "b"]),
    ])
    func `A table is read as programs write it`(text: String, names: [String]) throws {
        let workload = try Sample(format: .csv, files: ["t.csv": text]).read()
        #expect(workload.names == names)
    }

    @Test func `VMs that stand behind later ones are put in order, and a note says so`() throws {
        let text = "arrival_s,vcpus,memory_gib,name\n5,1,1,a\n3,2,1,b\n5,3,1,c\n3,4,1,d\n"
        let workload = try Sample(format: .csv, files: ["t.csv": text]).read()
        #expect(workload.names == ["b", "d", "a", "c"])
        #expect(workload.requests.map(\.milliCPUs) == [2000, 4000, 1000, 3000])
        #expect(
            workload.notes == ["Behind a later arrival and put in order: 2 of 4 VMs."])
    }

    @Test func `A day of PlanetLab has the experiment's order and shapes`() throws {
        let workload = try Sample.planetLab.read()
        #expect(workload.names == ["A_vm", "b_vm"])
        #expect(workload.requests.map(\.milliCPUs) == [2500, 2000])
        #expect(workload.requests.map(\.memoryBytes) == [870 << 20, 1740 << 20])
        #expect(
            workload.utilisation.sampledCPUShare(inRow: 1, after: .seconds(300 * 55))
                == Double(Float(0.55)))
        #expect(workload.end == time(86_400))
    }

    @Test func `Azure's requests leave halfway between their bounds, but before the end`() throws {
        let workload = try Sample.azureV1.read()
        // The last to be seen is VM 3, at 900 + 9900 s.
        #expect(workload.end == time(10_800))
        #expect(
            workload.requests.map(\.departure) == [
                time(300), time(300 + 5550), time(750), .never, time(7500 + 1800 - 150 + 150),
            ])
        #expect(workload.requests.map(\.kind) == [1, 1, 2, 2, 3])
        #expect(workload.requests[1].request.memoryBytes == gibibytes(1.75))
        #expect(workload.notes.count == 2)
    }

    @Test func `Azure's packing trace takes the machine that most VM types can run on`() throws {
        let workload = try Sample.azurePacking.read()
        // Machines 7 and 8 take two types each: the lower number. VM 2 can only run on machine 8.
        #expect(workload.names == ["0", "1", "3"])
        #expect(workload.requests.map(\.milliCPUs) == [50_000, 1388, 1388])
        #expect(workload.requests[0].memoryBytes == 250 << 30)
        #expect(workload.requests.map(\.arrival) == [.start, time(21_600), time(129_600)])
        #expect(workload.requests.map(\.departure) == [time(43_200), .never, .never])
        #expect(workload.requests.map(\.priority) == [0, -1, 0])
        #expect(workload.end == time(2 * 86_400))
        #expect(workload.notes.count == 3)
    }

    @Test func `Huawei's groups become affinity, anti-affinity and partitions`() throws {
        let workload = try Sample.huaweiTopology.read()
        #expect(workload.hosts.map(\.capacity.milliCPUs) == [48_000, 70_000, 120_000])
        #expect(workload.hosts.map(\.capacity.memoryBytes) == [96 << 30, 140 << 30, 404 << 30])
        #expect(workload.hosts.map(\.domain.rack) == ["rack-0", "rack-0", "rack-1"])
        #expect(
            workload.groups == [
                AffinityGroup(
                    name: "fault-domain-0/1", kind: .partition(of: "fault-domain-0"), scope: .rack),
                AffinityGroup(
                    name: "fault-domain-0/2", kind: .partition(of: "fault-domain-0"), scope: .rack),
                AffinityGroup(name: "affinity-3", kind: .together, scope: .rack),
                AffinityGroup(name: "anti-affinity-3", kind: .apart()),
            ])
        let sets = workload.requests.map { workload.groupSets[Int($0.groupSet)] }
        #expect(sets == [[0], [1], [2], [2], [3], []])
        #expect(workload.requests.map(\.arrival.seconds) == [0, 1, 2, 3, 4, 5])
        #expect(workload.requests.allSatisfy { $0.departure == .never })
    }

    @Test func `Creations and deletions pair up, and an identity may come back`() throws {
        let workload = try Sample.huaweiEast.read()
        #expect(workload.names == ["1", "2", "1"])
        #expect(workload.requests.map(\.departure) == [time(60), .never, .never])
        #expect(workload.requests.map(\.milliCPUs) == [2000, 1000, 4000])
        #expect(workload.end == time(70))
        #expect(workload.notes.count == 1)
    }

    @Test func `Pods that need a GPU are left out, or count by CPU and memory`() throws {
        let without = try Sample.openb.read()
        #expect(without.names == ["p-1", "p-2"])
        #expect(without.requests.map(\.departure) == [time(200), .never])
        #expect(without.requests.map(\.memoryBytes) == [0, 8 << 30])
        #expect(without.hosts.map(\.capacity.milliCPUs) == [32_000, 96_000])
        #expect(without.notes.count == 1)
        var all = Sample.openb
        all.format = .openbAll
        #expect(try all.read().names == ["p-0", "p-1", "p-2"])
    }

    @Test func `Bitbrains' readings lie on a grid, with gaps filled`() throws {
        let workload = try Sample.bitbrains.read()
        #expect(workload.names == ["2", "10"].reversed(), "in order of arrival")
        #expect(workload.requests.map(\.arrival) == [.start, time(300)])
        #expect(workload.requests.map(\.departure) == [time(300), .never])
        #expect(workload.requests.map(\.milliCPUs) == [4000, 2000])
        #expect(workload.requests.map(\.memoryBytes) == [8 << 30, 1 << 30])
        let row = workload.requests[1].series
        let shares = [0, 300, 600, 900, 1200].map {
            workload.utilisation.sampledCPUShare(inRow: row, after: .seconds($0))
        }
        #expect(shares == [1, 0.5, 0.5, 0.5, 0])
        #expect(workload.utilisation.sampledMemoryShare(inRow: row, after: .seconds(0)) == 0.5)
        #expect(workload.end == time(1800))
        #expect(workload.notes.contains { $0.contains("no cores or no memory: 1 of 3 VMs") })
    }

    @Test func `Milliseconds are told from seconds`() throws {
        let seconds = Sample.bitbrains
        let milliseconds = Sample.all.first { $0.format == .bitbrains }.map { sample in
            sample.files.keys.reduce(into: sample) { changed, name in
                changed = changed.with(name) {
                    $0.replacing(/13763(\d+);/) { "13763\($0.output.1)000;" }
                }
            }
        }
        let changed = try #require(milliseconds)
        #expect(changed.files != seconds.files)
        #expect(try changed.read().requests == seconds.read().requests)
    }
}
