// The VMs whose handovers are being resolved, and how the queries about each go.

import Model
import Synchronization

final class ResolutionTable: Sendable {
    private struct Entry {
        var attempts = 0
        var lastFailure: String?
    }

    private let entries = Mutex<[VMID: Entry]>([:])

    /// Returns false when the VM is in the table already.
    func beginResolution(of vm: VMID) -> Bool {
        entries.withLock { entries in
            guard entries[vm] == nil else { return false }
            entries[vm] = Entry()
            return true
        }
    }

    func recordFailure(of vm: VMID, message: String) {
        entries.withLock {
            $0[vm]?.attempts += 1
            $0[vm]?.lastFailure = message
        }
    }

    func endResolution(of vm: VMID) { entries.withLock { $0[vm] = nil } }

    func describeProgress(of vm: VMID) -> String? {
        entries.withLock { entries in
            guard let entry = entries[vm] else { return nil }
            guard let failure = entry.lastFailure else { return "asking the other host" }
            return "tried \(entry.attempts) times, last: \(failure)"
        }
    }
}
