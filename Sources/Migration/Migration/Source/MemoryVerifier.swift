// After a handover: does the frozen memory of the source equal what was sent?
//
// Equal digests prove that every page arrived as it was last sent. They do not prove that it was sent after its last
// change: that depends on the dirty log, and if the log lost a page, the destination runs with an old copy of it,
// undetected. Therefore the source hashes its memory again after the handover, when it is no longer urgent, and
// compares.

import Host
import Model
import PageCodec
import Synchronization

/// The source's remains of a migration that ended at the destination, for verification.
struct MemoryVerifier: Sendable {
    let guest: any SourceGuest
    let table: PageHashTable
    let seed: UInt64
    let runtime: any MigrationRuntime

    /// Reads all of memory; ends early when `isStopped` is true.
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
            // The guest owns the mapping and outlives this call.
            unsafe verifyChunk(
                number: chunk, of: guest.memory.base, present: present, table: table, seed: seed
            ) { verification.addDifferingPage(UInt64($0)) }
            verification.pages = UInt64(min(first + PageCodec.Limits.chunkPages, pageCount))
        }
        // Findings are valid whether or not the verification is complete.
        if verification.differing > 0 { verification.state = .differs }
        verification.duration = runtime.now - start
        return verification
    }
}
