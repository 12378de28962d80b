// Who leads: whoever asked last. The file's lock keeps other processes out, so there is nobody to wait for, and a
// lease has no end.

package import ClusterCore
import GRDB
import Model

extension SQLiteStore {
    package func acquireLeadership(
        for candidate: Candidate, lease: Duration
    ) async throws(StoreError) -> Leader {
        guard !Task.isCancelled else { throw .closed }
        return try await writeDatabase { db in
            var term = Term(0)
            try db.inTransaction(.immediate) {
                term = Term(try StateRow(reading: db).term.number + 1)
                try db.execute(
                    sql: "UPDATE state SET term = ?, leader_name = ?, leader_api_address = ?",
                    arguments: [
                        Int64(clamping: term.number), candidate.name.text, candidate.apiAddress,
                    ])
                return .commit
            }
            return Leader(candidate: candidate, term: term)
        }
    }

    package func renewLeadership(of leader: Leader) async throws(StoreError) {
        guard try await self.currentLeader()?.term == leader.term else {
            throw .deposed(leader.term)
        }
    }

    package func resignLeadership(of leader: Leader) async throws(StoreError) {
        try await writeDatabase { db in
            try db.execute(
                sql:
                    "UPDATE state SET leader_name = NULL, leader_api_address = NULL WHERE term = ?",
                arguments: [Int64(clamping: leader.term.number)])
        }
    }

    package func currentLeader() async throws(StoreError) -> Leader? {
        try await readDatabase { db in try StateRow(reading: db).leader }
    }
}
