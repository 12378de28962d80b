// Cells, their order, threads, and parts that become the whole again.

import Simulation
import SimulationReport
import Synchronization
import Testing

@Suite("Sweeps")
struct SweepTests {
    private let sweep = Sweep.sample(
        policies: ["a", "b", "c"], seeds: [7, 8, 9, 10], variants: ["8 hosts", "9 hosts"])

    private func shard(_ text: String, of sweep: Sweep) throws -> Shard {
        let number = try #require(ShardNumber(text))
        return Shard(
            sweep: sweep,
            results: number.cellIndices(of: sweep).map {
                Shard.Result(cell: $0, result: .sample(sweep, $0))
            })
    }

    @Test func `Every cell has one index and one name`() {
        let cells = (0..<sweep.cellCount).map(sweep.gridCell)
        #expect(Set(cells).count == 24)
        #expect(cells.map(sweep.cellIndex(of:)) == Array(0..<24))
        #expect(sweep.cellDescription(at: 5) == "b, seed 8, 8 hosts")
        #expect(Sweep.sample().cellDescription(at: 0) == "best-fit, seed 1")
    }

    @Test(arguments: 1...30)
    func `Parts have every cell once, however many they are`(_ count: Int) throws {
        let parts = try (1...count).map { try #require(ShardNumber("\($0)/\(count)")) }
        #expect(parts.flatMap { $0.cellIndices(of: sweep) }.sorted() == Array(0..<24))
    }

    @Test(arguments: ["", "1", "0/4", "5/4", "1/0", "-1/4", "1/4/2", "1/10001", "a/b", "1/ 4"])
    func `What is not a part is none`(_ text: String) { #expect(ShardNumber(text) == nil) }

    @Test func `Nothing may be there twice, and a sweep has an end`() {
        #expect(throws: SweepError.twice("policy a")) {
            try Sweep.sample(policies: ["a", "b", "a"]).validate()
        }
        #expect(throws: SweepError.twice("seed 4")) { try Sweep.sample(seeds: [4, 4]).validate() }
        let many = Sweep.sample(
            policies: (0..<100).map(String.init), seeds: Array(0..<1001))
        #expect(throws: SweepError.tooManyCells(100_100, limit: 100_000)) { try many.validate() }
    }

    // Threads

    @Test(arguments: [1, 2, 5, 100])
    func `Results come in the order of the pieces, whatever the workers`(_ workers: Int) throws {
        let finished = Mutex(0)
        let values = try ParallelRunner.runPieces(count: 40, workers: workers) {
            (piece) throws(SweepError) in
            // Later pieces are shorter, so that they end out of order.
            (0..<(40 - piece) * 1000).reduce(piece) { ($0 &+ $1) % 1_000_003 }
        } finished: { done in
            finished.withLock { $0 = max($0, done) }
        }
        let expected = (0..<40).map { piece in
            (0..<(40 - piece) * 1000).reduce(piece) { ($0 &+ $1) % 1_000_003 }
        }
        #expect(values == expected)
        #expect(finished.withLock { $0 } == 40)
    }

    @Test(arguments: [1, 2, 8])
    func `The first failure in order is the one that is told, and nothing new begins after it`(
        _ workers: Int
    ) throws {
        let begun = Mutex(0)
        let error = #expect(throws: ParallelRunError<SweepError>.self) {
            try ParallelRunner.runPieces(count: 1000, workers: workers) {
                (piece) throws(SweepError) -> Int in
                begun.withLock { $0 += 1 }
                if piece >= 20 { throw .twice("piece \(piece)") }
                return piece
            }
        }
        guard case .failed(let piece, let cause) = error else { return }
        #expect(piece == 20 && cause == .twice("piece 20"))
        #expect(begun.withLock { $0 } <= 20 + 2 * workers)
    }

    // Shards

    @Test func `A shard is read back as it was written`() throws {
        var shard = try shard("2/3", of: sweep)
        shard.results[0].result.imbalanceMean = 0.1 + 0.2
        shard.results[0].result.cpuStranded = .infinity
        shard.results[0].result.drainSecondsMean = .leastNonzeroMagnitude
        let bytes = try shard.encodedBytes()
        #expect(try Shard(decoding: bytes, file: "part.json") == shard)
        #expect(try shard.encodedBytes() == bytes)
    }

    @Test func `Merged in any order the whole has the bytes of the unsplit sweep`() throws {
        let whole = Comparison(sweep: sweep, results: RunResult.samples(sweep))
        let files = try ["3/4", "1/4", "4/4", "2/4"].map { text in
            let bytes = try shard(text, of: sweep).encodedBytes()
            return (file: text, shard: try Shard(decoding: bytes, file: text))
        }
        let merged = try Comparison(merging: files)
        #expect(merged.json.text == whole.json.text)
        #expect(merged.csv == whole.csv)
        #expect(merged.html == whole.html)
    }

    @Test func `Missing and double runs are named`() throws {
        let (one, two) = (try shard("1/2", of: sweep), try shard("2/2", of: sweep))
        let missing = #expect(throws: ShardError.self) {
            try Comparison(merging: [("one.json", one)])
        }
        #expect(
            missing?.description == """
                12 of 24 runs are in none of the files: a, seed 8, 8 hosts; a, seed 10, 8 hosts; \
                b, seed 8, 8 hosts; b, seed 10, 8 hosts; c, seed 8, 8 hosts; …
                """)
        let double = #expect(throws: ShardError.self) {
            try Comparison(merging: [("one.json", one), ("two.json", two), ("again.json", two)])
        }
        #expect(
            double?.description
                == "a, seed 8, 8 hosts: the run is in again.json and in two.json")
    }

    @Test func `Shards of different sweeps are refused with what differs`() throws {
        var other = sweep
        other.settings = [Setting("hosts", value: "9"), Setting("limit", value: "100")]
        other.fingerprint = "1"
        let files = [
            ("a.json", try shard("1/2", of: sweep)), ("b.json", try shard("2/2", of: other)),
        ]
        let error = #expect(throws: ShardError.self) { try Comparison(merging: files) }
        #expect(
            error?.description
                == "b.json belongs to another sweep than a.json: workload, hosts, limit differ")
    }

    @Test(arguments: [
        ("ferry-sweep-shard", "something-else", "its format is something-else"),
        ("\"version\":1", "\"version\":2", "has version 2 of the shard format"),
        ("\"seeds\":[7,8,9,10]", "\"seeds\":[]", "its sweep has no cells"),
        ("\"seeds\":[7,8,9,10]", "\"seeds\":[7,8,9,9]", "seed 9 is named twice"),
        ("\"seeds\":[7,8,9,10]", "\"seeds\":[7]", "is not one of 6"),
        ("\"cell\":0", "\"cell\":-1", "cell -1 is not one of 24"),
        ("\"cell\":0", "\"cell\":\"x\"", "results.Index 0.cell"),
        ("\"strategy\"", "\"strategem\"", "results.Index 0.result.strategy is missing"),
    ])
    func `What is wrong with a shard file is told`(
        _ part: String, _ spoilt: String, _ words: String
    ) throws {
        let text = String(decoding: try shard("1/2", of: sweep).encodedBytes(), as: UTF8.self)
        let broken = text.replacing(part, with: spoilt, maxReplacements: 1)
        try #require(broken != text)
        let error = #expect(throws: ShardError.self) {
            try Shard(decoding: Array(broken.utf8), file: "part.json")
        }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }

    @Test func `A shard file that was cut off anywhere is refused`() throws {
        let small = Sweep.sample(policies: ["a"], seeds: [1])
        let bytes = try shard("1/1", of: small).encodedBytes()
        for length in stride(from: 0, to: bytes.count - 2, by: 97) {
            #expect(throws: ShardError.self) {
                try Shard(decoding: Array(bytes.prefix(length)), file: "part.json")
            }
        }
    }
}
