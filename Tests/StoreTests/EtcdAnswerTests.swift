// etcd's answers as bytes: what they mean, and that no bytes at all make the decoder trap.

import ClusterCore
import FoundationEssentials
import Model
import Store
import Testing

@Suite("etcd's answers")
struct EtcdAnswerTests {
    @Test("Damaged answers are refused or read, but never trap")
    func damage() throws {
        var random = SplitMix64(seed: 7)
        for sample in samples {
            let whole = Array(sample.utf8)
            readAll(whole)
            for count in whole.indices { readAll(Array(whole.prefix(count))) }
            for _ in 0..<2000 {
                var bytes = whole
                for _ in 0...Int(random.next() % 3) {
                    bytes[Int(random.next() % UInt64(bytes.count))] ^=
                        1 << UInt8(random.next() % 8)
                }
                readAll(bytes)
            }
        }
    }

    @Test(
        "Numbers that are none, keys of others and nested depths are refused",
        arguments: [
            #"{"header":{"revision":"99999999999999999999"}}"#,
            #"{"header":{"revision":5}}"#,
            #"{"header":{"revision":"5"},"kvs":[{"key":"!!"}]}"#,
            #"{"header":{"revision":"5"},"kvs":[{"key":"L2ZlcnJ5","mod_revision":"3"}]}"#,
            #"{"header":{"revision":"5"},"kvs":{}}"#,
            String(repeating: "[", count: 100_000),
            "", "null", "[]",
        ])
    func refusals(_ text: String) throws {
        #expect(throws: EtcdFailure.self) {
            try EtcdRangeAnswer.decodeAnswer(from: Array(text.utf8)).storePage(using: keys)
        }
    }

    @Test("The commits of an answer are told apart, and fragments are put together")
    func grouping() throws {
        var grouper = RevisionGrouper(after: Revision(3))
        #expect(try grouper.addWatchAnswer(line(events: []), change: change) == [])
        // 3 is known; 4 goes on in the next answer; 6 is whole at its end.
        #expect(
            try grouper.addWatchAnswer(line(events: [3, 4], isFragment: true), change: change) == []
        )
        #expect(grouper.position == Revision(3))
        #expect(
            try grouper.addWatchAnswer(line(events: [4, 5, 6], isFragment: true), change: change)
                == [batch(4, 2), batch(5, 1)])
        #expect(try grouper.addWatchAnswer(line(events: [6]), change: change) == [batch(6, 2)])
        #expect(grouper.position == Revision(6))
        #expect(
            try grouper.addWatchAnswer(line(events: [5, 6, 7]), change: change) == [batch(7, 1)])
    }

    @Test("An answer without events says how far all is known, but not while fragments are open")
    func progress() throws {
        var grouper = RevisionGrouper(after: Revision(3))
        _ = try grouper.addWatchAnswer(line(events: [], header: 9, isCreated: true), change: change)
        #expect(grouper.position == Revision(3))
        _ = try grouper.addWatchAnswer(line(events: [], header: 9), change: change)
        #expect(grouper.position == Revision(9))
        _ = try grouper.addWatchAnswer(line(events: [], header: 5), change: change)
        #expect(grouper.position == Revision(9))
    }

    @Test("Events out of order, of nothing, and ends of a watch are told")
    func brokenWatch() throws {
        var grouper = RevisionGrouper(after: Revision(3))
        #expect(throws: EtcdFailure.self) {
            try grouper.addWatchAnswer(line(events: [8, 7], isFragment: true), change: change)
        }
        #expect(throws: EtcdFailure.self) {
            try grouper.addWatchAnswer(line(events: [9])) { _, _ in nil }
        }
        #expect(throws: EtcdFailure.compacted) {
            try grouper.addWatchAnswer(
                decode(#"{"result":{"header":{},"canceled":true,"compact_revision":"8"}}"#),
                change: change)
        }
        #expect(throws: EtcdFailure.lost("no leader")) {
            try grouper.addWatchAnswer(
                decode(#"{"result":{"header":{},"canceled":true,"cancel_reason":"no leader"}}"#),
                change: change)
        }
        #expect(throws: EtcdFailure.refused(code: 14, message: "no leader")) {
            try grouper.addWatchAnswer(
                decode(#"{"error":{"grpc_code":14,"http_code":503,"message":"no leader"}}"#),
                change: change
            )
        }
    }

    private let keys: EtcdKeys

    init() throws { keys = EtcdKeys(cluster: try ClusterName("c")) }

    /// As answers of a real etcd look.
    private var samples: [String] {
        let entry = Data("/ferry/c/entries/a".utf8).base64EncodedString()
        let candidate = Data(#"{"name":"a","apiAddress":"127.0.0.1:1"}"#.utf8).base64EncodedString()
        let keyValue =
            #"{"key":"\#(entry)","create_revision":"2","mod_revision":"4","version":"3","value":"\#(candidate)","lease":"9"}"#
        let header =
            #""header":{"cluster_id":"14841639068965178418","revision":"5","raft_term":"2"}"#
        return [
            #"{\#(header),"kvs":[\#(keyValue)],"more":true,"count":"2"}"#,
            #"{\#(header),"succeeded":true,"responses":[{"response_range":{"header":{"revision":"5"},"kvs":[\#(keyValue)],"count":"1"}},{"response_put":{}}]}"#,
            #"{"result":{\#(header),"watch_id":"0","fragment":true,"events":[{"kv":\#(keyValue)},{"type":"DELETE","kv":{"key":"\#(entry)","mod_revision":"5"}}]}}"#,
            #"{"result":{\#(header),"canceled":true,"compact_revision":"4","cancel_reason":"why"}}"#,
            #"{\#(header),"ID":"7587899087871975176","TTL":"5"}"#,
            #"{"result":{\#(header),"ID":"12345","TTL":"-1"}}"#,
            #"{"error":"etcdserver: no leader","message":"etcdserver: no leader","code":14}"#,
        ]
    }

    /// As every kind of answer. That it returns is the test.
    private func readAll(_ bytes: [UInt8]) {
        let range = try? EtcdRangeAnswer.decodeAnswer(from: bytes)
        _ = try? range?.storePage(using: keys)
        _ = try? range?.decodeLeader()
        _ = try? EtcdTransactionAnswer.decodeAnswer(from: bytes)
        _ = try? EtcdGrantAnswer.decodeAnswer(from: bytes)
        _ = try? EtcdKeepAliveAnswer.decodeAnswer(from: bytes)
        _ = try? EtcdErrorAnswer.decodeAnswer(from: bytes)
        guard let line = try? EtcdWatchAnswer.decodeAnswer(from: bytes) else { return }
        var grouper = RevisionGrouper(after: Revision(1))
        _ = try? grouper.addWatchAnswer(line, change: change)
    }

    private func change(_ keyValue: EtcdKeyValue, _ isDelete: Bool) -> StoreChange? {
        isDelete ? .delete("a") : .put("a", "")
    }

    private func batch(_ revision: UInt64, _ count: Int) -> StoreBatch {
        StoreBatch(
            revision: Revision(revision), changes: Array(repeating: .put("a", ""), count: count))
    }

    private func line(
        events: [Int], header: Int = 1, isFragment: Bool = false, isCreated: Bool = false
    ) throws -> EtcdWatchAnswer {
        let events = events.map { #"{"kv":{"key":"YQ==","mod_revision":"\#($0)"}}"# }
        return try decode(
            #"{"result":{"header":{"revision":"\#(header)"},"fragment":\#(isFragment),"created":\#(isCreated),"events":[\#(events.joined(separator: ","))]}}"#
        )
    }

    private func decode(_ text: String) throws -> EtcdWatchAnswer {
        try EtcdWatchAnswer.decodeAnswer(from: Array(text.utf8))
    }
}
