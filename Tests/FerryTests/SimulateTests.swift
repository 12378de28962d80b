// ferry simulate as a user runs it: runs, comparisons in one piece and in parts, and every way to write them wrongly.

import Foundation
import Testbed
import Testing

/// Two hosts; a VM on each, the second from 100 s on.
private let history = """
    {"cluster":"blue","everySeconds":10,"kind":"history","policy":"worst-fit","startedAtMs":1760000000000,"t":0,"version":1}
    {"cores":8,"cpuOvercommit":1,"features":[],"isFenced":false,"kind":"host","labels":[],"link":"","linkBytesPerSecond":1250000000,"memoryBytes":68719476736,"memoryOvercommit":1,"memoryReserveBytes":0,"name":"host-a","rack":"","state":"active","t":0,"zone":""}
    {"cores":8,"cpuOvercommit":1,"features":[],"isFenced":false,"kind":"host","labels":[],"link":"","linkBytesPerSecond":1250000000,"memoryBytes":68719476736,"memoryOvercommit":1,"memoryReserveBytes":0,"name":"host-b","rack":"","state":"active","t":0,"zone":""}
    {"downtimeLimitMs":50,"groups":[],"id":"000000000000000000000000000000ff","kind":"vm","labels":[],"mayBeBalanced":true,"memoryBytes":4294967296,"name":"web","priority":0,"t":0,"vcpus":2}
    {"host":"host-a","kind":"place","state":"running","t":0,"vm":"web"}
    {"downtimeLimitMs":50,"groups":[],"id":"000000000000000000000000000000fe","kind":"vm","labels":[],"mayBeBalanced":true,"memoryBytes":4294967296,"name":"db","priority":0,"t":100000,"vcpus":2}
    {"host":"host-b","kind":"place","state":"running","t":100000,"vm":"db"}
    {"kind":"end","t":600000}

    """

@Suite("ferry simulate")
struct SimulateTests {
    private static let sweep = [
        "simulate", "compare", "--policies", "best-fit,two-choices,balance", "--synthetic",
        "azure-like", "--vms", "150", "--seeds", "3",
    ]

    private func ferry(_ arguments: String..., in folder: String = NSTemporaryDirectory())
        async throws -> FerryCommand.Result
    {
        try await FerryCommand.runFerry(arguments: arguments, folder: folder)
    }

    private func withFolder(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/ferry-simulate-\(UUID())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder)
    }

    private func object(_ text: String) throws -> [String: Any] {
        let value = try JSONSerialization.jsonObject(with: Data(text.utf8))
        return try #require(value as? [String: Any])
    }

    @Test func `A run is told as a table, with its bounds, and run is the default command`()
        async throws
    {
        let result = try await ferry("simulate", "--synthetic", "steady", "--vms", "100")
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(result.errors.isEmpty)
        let lines = result.output.split(separator: "\n").map(String.init)
        #expect(lines.first == "workload  steady, 100 VMs")
        #expect(lines.contains { $0.hasPrefix("VMs placed") && $0.hasSuffix("100") })
        #expect(lines.contains { $0.hasPrefix("Energy") && $0.contains("kWh") })
        #expect(lines.contains { $0.hasPrefix("  at least") })
        let named = try await ferry("simulate", "run", "--synthetic", "steady", "--vms", "100")
        #expect(named.output == result.output)
    }

    @Test func `With --limit the rest of a trace is as if it were not there`() async throws {
        try await withFolder { folder in
            let rows = (0..<5).map { "vm-\($0),\($0 * 60),\($0 * 60 + 600),1,1" }
            let header = "name,arrival_s,departure_s,vcpus,memory_gib"
            func write(_ name: String, _ rows: ArraySlice<String>) throws {
                try ([header] + rows).joined(separator: "\n").write(
                    toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
            }
            try write("all.csv", rows[...])
            let limited = try await ferry(
                "simulate", "--trace", "all.csv", "--limit", "3", "--hosts", "1", in: folder)
            #expect(limited.exitCode == 0, "\(limited.errors)")
            #expect(
                limited.output.split(separator: "\n").contains {
                    $0.hasPrefix("VMs placed") && $0.hasSuffix(" 3")
                })
            #expect(limited.output.contains("Only the first 3 of 5 requests are replayed."))
        }
    }

    @Test
    func `A comparison has the same bytes on one worker, on two, and put together from parts`()
        async throws
    {
        try await withFolder { folder in
            func run(_ extra: String...) async throws -> FerryCommand.Result {
                try await FerryCommand.runFerry(arguments: Self.sweep + extra, folder: folder)
            }
            let one = try await run("--jobs", "1", "--output", "json", "--html", "one.html")
            #expect(one.exitCode == 0, "\(one.errors)")
            let two = try await run("--jobs", "2", "--output", "json", "--html", "two.html")
            #expect(one.output == two.output)
            for part in 1...2 {
                let made = try await run("--shard", "\(part)/2", "--to", "part-\(part).json")
                #expect(made.exitCode == 0 && made.output.isEmpty, "\(made.errors)")
            }
            let merged = try await ferry(
                "simulate", "merge", "part-2.json", "part-1.json", "-o", "json", "--html",
                "merged.html", in: folder)
            #expect(merged.output == one.output)
            let pages = try ["one", "two", "merged"].map {
                try String(contentsOfFile: "\(folder)/\($0).html", encoding: .utf8)
            }
            #expect(pages[0] == pages[1] && pages[0] == pages[2])
            try checkComparison(one.output)
            let half = try await ferry("simulate", "merge", "part-1.json", in: folder)
            #expect(half.exitCode == 4)
            #expect(half.errors.contains("4 of 9 runs are in none of the files"), "\(half.errors)")
            let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
            #expect(
                names == ["merged.html", "one.html", "part-1.json", "part-2.json", "two.html"])
        }
    }

    private func checkComparison(_ text: String) throws {
        let comparison = try object(text)
        #expect(comparison["format"] as? String == "ferry-comparison")
        #expect(comparison["seeds"] as? [Int] == [1, 2, 3])
        let variants = try #require(comparison["variants"] as? [[String: Any]])
        let policies = try #require(variants[0]["policies"] as? [[String: Any]])
        #expect(policies.map { $0["name"] as? String } == ["best-fit", "two-choices", "balance"])
        for policy in policies {
            let figures = try #require(policy["figures"] as? [String: [String: Any]])
            let placed = try #require(figures["placed"]?["values"] as? [Double])
            let refused = try #require(figures["refused"]?["values"] as? [Double])
            #expect(zip(placed, refused).map { $0 + $1 } == [150, 150, 150])
            for key in ["hostsInUseMax", "hostsInUseMean", "energyKWh"] {
                let mean = try #require(figures[key]?["mean"] as? Double)
                let bound = try #require(figures[key]?["bound"] as? Double)
                #expect(bound > 0 && mean >= bound * (1 - 1e-9), "\(key): \(mean), \(bound)")
            }
        }
        #expect(!text.contains("This cannot be"))
    }

    @Test func `Several hosts and overcommits are variants, and CSV has a row for each`()
        async throws
    {
        let result = try await ferry(
            "simulate", "compare", "--policies", "best-fit,worst-fit", "--synthetic", "steady",
            "--vms", "100", "--hosts", "6", "--hosts", "2x64c/512GiB,3", "--cpu-overcommit", "1",
            "--cpu-overcommit", "2", "-o", "csv")
        #expect(result.exitCode == 0, "\(result.errors)")
        let energy = result.output.split(separator: "\n").filter { $0.contains(",energyKWh,") }
        #expect(energy.count == 4 * 2)
        #expect(
            energy.contains {
                $0.hasPrefix("\"hosts: 6 x 32c/256GiB, CPU overcommit 2.0\",worst-fit,")
            }, "\(energy)")
    }

    @Test func `Hosts that fail and are drained are in the result`() async throws {
        let result = try await ferry(
            "simulate", "--synthetic", "diurnal", "--vms", "60", "--hosts", "12", "--policy",
            "worst-fit", "--hosts-fail", "host-3@2h+30m", "--drain", "4-5@6h", "-o", "json")
        #expect(result.exitCode == 0, "\(result.errors)")
        let variants = try #require(try object(result.output)["variants"] as? [[String: Any]])
        let policies = try #require(variants[0]["policies"] as? [[String: Any]])
        let figures = try #require(policies[0]["figures"] as? [String: [String: Any]])
        #expect(figures["hostFailures"]?["mean"] as? Double == 1)
        #expect(figures["vmsLost"]?["mean"] as? Double ?? 0 > 0)
        #expect(figures["drains"]?["mean"] as? Double == 2)
        #expect(figures["migrations"]?["mean"] as? Double ?? 0 > 0)
    }

    @Test func `A history is repeated as it was, and under another policy beside it`() async throws
    {
        try await withFolder { folder in
            try history.write(
                toFile: "\(folder)/h.history", atomically: true, encoding: .utf8)
            let result = try await ferry(
                "simulate", "--what-if", "h.history", "--policy", "best-fit", "-o", "csv",
                in: folder)
            #expect(result.exitCode == 0, "\(result.errors)")
            let lines = result.output.split(separator: "\n").filter {
                $0.contains(",hostsInUseMax,")
            }
            #expect(lines.count == 2)
            #expect(lines.first?.hasPrefix(",recorded,hostsInUseMax,hosts,1,2.0,") == true)
            #expect(lines.last?.hasPrefix(",best-fit,hostsInUseMax,hosts,1,1.0,") == true)
            let other = try await ferry(
                "simulate", "--what-if", "h.history", "--hosts", "3", in: folder)
            #expect(other.exitCode == 4)
            #expect(other.errors.contains("of its own hosts"), "\(other.errors)")
        }
    }

    @Test func `A VM's placement is explained, host by host`() async throws {
        let result = try await ferry(
            "simulate", "--synthetic", "steady", "--vms", "30", "--hosts", "3", "--policy",
            "worst-fit", "--explain", "vm-7", "--explain", "nobody")
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(result.output.contains("vm-7 would go to host-"), "\(result.output)")
        #expect(result.output.contains("by the policy worst-fit"))
        #expect(result.output.contains("nobody: no VM of this name was asked for"))
        #expect(result.output.contains("free vCPUs"))
        let plain = try await ferry(
            "simulate", "--synthetic", "steady", "--vms", "30", "--hosts", "3", "--policy",
            "worst-fit")
        #expect(result.output.hasSuffix(plain.output), "explaining changes nothing")
    }

    @Test func `A trace that is wrong is told with file, line and field, in JSON too`() async throws
    {
        try await withFolder { folder in
            try "id,arrival,departure,vcpus,memory\nweb,0,zebra,1,1GiB\n".write(
                toFile: "\(folder)/t.csv", atomically: true, encoding: .utf8)
            let result = try await ferry(
                "simulate", "--trace", "t.csv", "--format", "csv", "-o", "json", in: folder)
            #expect(result.exitCode == 4)
            #expect(result.output.isEmpty)
            let error = try #require(try object(result.errors)["error"] as? [String: String])
            #expect(error["code"] == "bad_input")
            #expect(error["message"]?.contains("t.csv:") == true, "\(result.errors)")
            let missing = try await ferry("simulate", "--trace", "nowhere.csv", in: folder)
            #expect(missing.exitCode == 1)
            #expect(missing.errors.contains("[unreadable]"), "\(missing.errors)")
        }
    }

    @Test
    func `What a file cannot be is told before anything runs, and a file is whole or as it was`()
        async throws
    {
        try await withFolder { folder in
            let nowhere = try await ferry(
                "simulate", "--synthetic", "steady", "--html", "no/page.html", in: folder)
            #expect(nowhere.exitCode == 1)
            #expect(nowhere.errors.contains("there is no folder"), "\(nowhere.errors)")
            try "before".write(toFile: "\(folder)/out", atomically: true, encoding: .utf8)
            let refused = try await ferry(
                "simulate", "--synthetic", "steady", "--to", "out", "--hosts-fail", "99999@1h",
                in: folder)
            #expect(refused.exitCode == 3, "\(refused.errors)")
            #expect(try String(contentsOfFile: "\(folder)/out", encoding: .utf8) == "before")
            let written = try await ferry(
                "simulate", "--synthetic", "steady", "--vms", "20", "--to", "out", "-o", "csv",
                in: folder)
            #expect(written.exitCode == 0 && written.output.isEmpty, "\(written.errors)")
            let text = try String(contentsOfFile: "\(folder)/out", encoding: .utf8)
            #expect(text.hasPrefix("variant,policy,figure,"))
        }
    }

    @Test(arguments: [
        (["--synthetic", "steady", "--policy", "nope"], 3, "policy_unknown"),
        (["--synthetic", "steady", "--power", "nope"], 3, "power_curve_unknown"),
        (["--synthetic", "steady", "--drain", "rack-9@1h"], 3, "host_unknown"),
        (["--synthetic", "steady", "--vms", "0"], 4, "bad_input"),
        (["--synthetic", "steady", "--hosts", "5", "--hosts", "6"], 4, "takes several"),
        (["--synthetic", "steady", "--drain", "1"], 64, "HOST@TIME"),
        (["--synthetic", "steady", "--drain", "1@soon"], 64, "HOST@TIME"),
        (["--synthetic", "steady", "--host-shape", "huge"], 64, "32c/256GiB"),
        (["--synthetic", "steady", "--hosts", "0"], 64, "number of hosts"),
        (["--synthetic", "steady", "--cpu-overcommit", "0"], 64, "0.1 to"),
        (["--synthetic", "nope"], 64, "azure-like"),
        (["--synthetic", "steady", "--trace", "x"], 64, "one of --trace"),
        ([], 64, "one of --trace"),
        (["--trace", "x", "--vms", "4"], 64, "are for --synthetic"),
        (["--synthetic", "steady", "--limit", "4"], 64, "is for --trace"),
        (["--synthetic", "steady", "--explain", "vm-1", "-o", "json"], 64, "for people"),
        (["compare", "--policies", ",", "--synthetic", "steady"], 64, "names no policy"),
        (["compare", "--policies", "best-fit,nope", "--synthetic", "steady"], 3, "policy_unknown"),
        (
            ["compare", "--policies", "best-fit,best-fit", "--synthetic", "steady"], 4,
            "named twice"
        ),
        (["compare", "--policies", "all", "--synthetic", "steady", "--seeds", "0"], 64, "1 to"),
        (["compare", "--policies", "all", "--synthetic", "steady", "--jobs", "0"], 64, "1 to"),
        (["compare", "--policies", "all", "--synthetic", "steady", "--shard", "9/8"], 64, "3/8"),
        (
            [
                "compare", "--policies", "all", "--synthetic", "steady", "--shard", "1/8", "-o",
                "csv",
            ],
            64, "ferry simulate merge"
        ),
        (["merge"], 64, "files"),
        (["merge", "nowhere.json"], 1, "unreadable"),
        (["planetlab", "--trace", "nowhere", "--policy", "magic"], 3, "policy_unknown"),
        (["planetlab", "--trace", "nowhere"], 1, "unreadable"),
        (["planetlab", "--trace", ".", "--mode", "both-of-them"], 64, "honest"),
    ])
    func `What is wrong with a command has its exit code and its words`(
        _ arguments: [String], _ code: Int32, _ words: String
    ) async throws {
        let result = try await FerryCommand.runFerry(
            arguments: ["simulate"] + arguments, folder: "/tmp")
        #expect(result.exitCode == code, "\(result.errors)")
        #expect(result.errors.contains(words), "\(result.errors)")
        #expect(result.output.isEmpty)
    }

    @Test func `The list of policies has a sentence for each, and shells complete their names`()
        async throws
    {
        let lists = try object(try await ferry("simulate", "policies", "-o", "json").output)
        for list in ["policies", "formats", "generators", "powerCurves"] {
            let items = try #require(lists[list] as? [[String: String]])
            #expect(!items.isEmpty)
            #expect(items.allSatisfy { $0["summary"]?.isEmpty == false })
        }
        let script = try await ferry("--generate-completion-script", "bash")
        #expect(script.output.contains("lifetime-aware") && script.output.contains("openb"))
    }

    // The published experiment

    /// Four VMs of one day, made up.
    private func makeDay(_ folder: String) throws {
        try FileManager.default.createDirectory(
            atPath: "\(folder)/day", withIntermediateDirectories: true)
        for (name, base) in [("a", 10), ("b", 60), ("c", 85), ("d", 30)] {
            let lines = (0..<288).map { "\((base + $0 / 12) % 100)" }.joined(separator: "\n")
            try lines.write(
                toFile: "\(folder)/day/\(name)", atomically: true, encoding: .utf8)
        }
    }

    @Test func `The experiment shows both modes beside their bounds and says what differs`()
        async throws
    {
        try await withFolder { folder in
            try makeDay(folder)
            let arguments = [
                "simulate", "planetlab", "--trace", "day", "--policy", "dvfs,thr-mmt-0.8", "--mode",
                "both", "--hosts", "8",
            ]
            let table = try await FerryCommand.runFerry(arguments: arguments, folder: folder)
            #expect(table.exitCode == 0, "\(table.errors)")
            #expect(table.output.contains("THR-MMT-0.8, HONEST"))
            #expect(table.output.contains("What honest counts\n  VMs stay all day"))
            let json = try await FerryCommand.runFerry(
                arguments: arguments + ["-o", "json", "--html", "page.html"], folder: folder)
            let runs = try #require(try object(json.output)["runs"] as? [[String: Any]])
            #expect(
                runs.map { $0["policy"] as? String } == [
                    "dvfs", "dvfs", "thr-mmt-0.8", "thr-mmt-0.8",
                ])
            #expect(
                runs.map { $0["mode"] as? String } == [
                    "cloudsim-3.0.3", "honest", "cloudsim-3.0.3", "honest",
                ])
            for run in runs {
                let figures = try #require(run["figures"] as? [String: [String: Any]])
                let energy = try #require(figures["energyKWh"]?["value"] as? Double)
                let bound = try #require(figures["energyKWh"]?["bound"] as? Double)
                #expect(energy >= bound && bound > 0)
            }
            let page = try String(contentsOfFile: "\(folder)/page.html", encoding: .utf8)
            #expect(page.contains("The PlanetLab experiment, day day"))
            let csv = try await FerryCommand.runFerry(
                arguments: arguments + ["-o", "csv"], folder: folder)
            #expect(csv.output.hasPrefix("day,policy,vms,energy_kwh,migrations,slav_percent,"))
            #expect(csv.output.split(separator: "\n").count == 5)
        }
    }
}
