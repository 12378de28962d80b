// A store file of an earlier controller.

import ClusterCore
import Controller
import Foundation
import GRDB
import Model
import Store
import Testing

@Suite("Golden store")
struct GoldenStoreTests {
    /// sqlite-1.sql is the schema as an earlier controller made it; the entries are the records of Golden/.
    private func makeStore(at path: String, _ entries: [(key: String, value: String)]) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction { db in
            try db.execute(
                sql: String(decoding: GoldenFile.bytes("sqlite-1.sql"), as: UTF8.self))
            for (index, entry) in entries.enumerated() {
                try db.execute(
                    sql: "INSERT INTO entry VALUES (?, ?, ?)",
                    arguments: [entry.key, Data(entry.value.utf8), index + 1])
            }
            try db.execute(
                sql: "UPDATE state SET revision = ?, term = 4", arguments: [entries.count])
        }
        try queue.close()
    }

    @Test func `The store file of an earlier controller is opened, and its records are read`()
        async throws
    {
        let files = [
            ("record-host", "hosts/host-a"), ("record-vm", "vms/web-1"),
            ("record-group", "groups/web-tier"),
            ("record-operation", "operations/c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d7"),
            ("record-balance", "settings/balance"), ("record-token", "tokens/ci"),
        ]
        let entries = try files.map { file, key in
            (key: key, value: try #require(try GoldenFile.lines("\(file).jsonl").dropFirst().first))
        }
        try await withTemporaryFolder { folder in
            let path = "\(folder)/store.sqlite"
            try makeStore(at: path, entries + [("schema", #"{"version":1}"#)])
            let store = try SQLiteStore(path: path)
            let leader = try await store.acquireLeadership(
                for: Candidate(name: HostName("controller-1"), apiAddress: "127.0.0.1:1"),
                lease: .seconds(60))
            #expect(leader.term == Term(5))
            #expect(
                try await RecordSchema.current.upgradeSchema(of: store, inTerm: leader.term) == 1)
            let records = try await store.listAllEntries(prefix: "").entries.compactMap(
                RecordCodec.decodeRecord)
            #expect(records.count == entries.count)
            await store.close()
        }
    }
}
