// The guest of a migration, and the changes that the migration has made to it.

import Host
import Model
import PageCodec

/// Calls the guest and records what must be undone if the guest stays here. For the driver's thread.
struct GuestControl {
    let guest: any SourceGuest
    /// The number of pages in the log that was fetched last.
    private(set) var dirtyPages = 0
    private var isLogging = false
    private var isPaused = false
    private var isThrottled = false
    /// Why the guest could not be resumed.
    private(set) var resumeFailure: GuestError?

    init(_ guest: any SourceGuest) { self.guest = guest }

    /// Starts the dirty log, unless an earlier connection has started it.
    mutating func startDirtyLog() throws(GuestError) {
        if isLogging { return }
        isLogging = true
        try guest.startDirtyLog()
    }

    mutating func fetchDirtyLog() throws(GuestError) { dirtyPages = try guest.fetchDirtyLog() }

    /// The next round also copies pages that the log does not name.
    mutating func recountDirtyPages(in bits: DirtyBits) {
        dirtyPages = bits.dirtyPageCount(in: 0..<bits.pageCount)
    }

    mutating func throttleGuest(percent: Int) throws(GuestError) {
        isThrottled = true
        try guest.throttleVCPUs(percent: percent)
    }

    mutating func pauseGuest() throws(GuestError) {
        isPaused = true
        try guest.pauseForHandover()
    }

    /// The state of the guest, after a short pause. If this throws, the guest may still be paused.
    mutating func snapshotState() throws(GuestError) -> [UInt8] {
        try pauseGuest()
        let state = try guest.saveState()
        try guest.resumeExecution()
        isPaused = false
        return state
    }

    /// The destination runs the VM: the guest here must stay paused.
    mutating func markRunningAtDestination() { isPaused = false }

    /// Resumes the guest at full speed and without dirty log, in whatever state it was. False if it stays paused.
    mutating func restoreGuest() -> Bool {
        // Every call is tried, the most urgent first: a failed call must not prevent the others.
        let guest = guest
        if isPaused, attemptCall({ () throws(GuestError) in try guest.resumeExecution() }) {
            isPaused = false
        }
        if isThrottled {
            _ = attemptCall { () throws(GuestError) in try guest.throttleVCPUs(percent: 0) }
        }
        if isLogging { _ = attemptCall { () throws(GuestError) in try guest.stopDirtyLog() } }
        return !isPaused
    }

    private mutating func attemptCall(_ call: () throws(GuestError) -> Void) -> Bool {
        do {
            try call()
            return true
        } catch {
            resumeFailure = resumeFailure ?? error
            return false
        }
    }
}
