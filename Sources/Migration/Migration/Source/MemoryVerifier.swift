// After a handover: is the frozen memory of the source what was sent?
//
// Equal digests say that every page arrived as it was last sent. They do not say that it was sent after its last
// change: that is the dirty log's duty, and a page that the log lost runs at the destination as an old copy, unseen.
// So the source hashes its memory once more when nobody waits for it any more, and compares.

import Host
import Model
import PageCodec
import Synchronization

/// What is left of a migration that ended at the destination, to be looked at again.
struct MemoryVerifier: Sendable {
    let guest: any SourceGuest
    let table: PageHashTable
    let seed: UInt64
    let runtime: any MigrationRuntime

    /// Reads all of memory, and ends early once `isStopped`.
    func verifyMemory(until isStopped: () -> Bool) -> MemoryVerification {
        var verification = MemoryVerification(.clean)
        let start = runtime.now
        var holes: HoleFinder? = HoleFinder(guest.memoryFile)
        let pageCount = table.pageCount
        for first in stride(from: 0, to: pageCount, by: PageCodec.Limits.chunkPages) {
            if isStopped() {
                verification.state = .unfinished
                break
            }
            let chunk = first / PageCodec.Limits.chunkPages
            let present = ChunkPages(chunk: chunk, pageCount: pageCount, holes: &holes)
            // The guest owns the mapping, and outlives this.
            unsafe verifyChunk(
                number: chunk, of: guest.memory.base, present: present, table: table, seed: seed
            ) { verification.addDifferingPage(UInt64($0)) }
            verification.pages = UInt64(min(first + PageCodec.Limits.chunkPages, pageCount))
        }
        // What was found is found, finished or not.
        if verification.differing > 0 { verification.state = .differs }
        verification.duration = runtime.now - start
        return verification
    }
}
