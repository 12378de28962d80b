// The running VM as the source of a migration sees it. The agent implements it over a ferry-vmm's control socket.

package import Host
package import Model

/// A VM that can be copied while it runs. All calls block; they are made on the migration's own threads.
package protocol SourceGuest: AnyObject, Sendable {
    var spec: VMSpec { get }
    var cpuFeatures: CPUFeatures { get }
    var layout: GuestMemoryLayout { get }
    /// The whole memory file.
    var memory: Mapping { get }
    /// The memory file itself: holes in it are zero pages that need not be looked at (and must not be:
    /// reading a hole through a mapping of shared memory fills it).
    var memoryFile: Descriptor { get }
    /// One bit a page, 64-bit little-endian words, bit 0 = first page of the memory file.
    var dirtyBits: Mapping { get }

    /// From now on pages that are written are noted; every page counts as written.
    func startDirtyLog() throws(GuestError)
    /// Copies the log into `dirtyBits`, clearing nothing; returns the number of dirty pages.
    func fetchDirtyLog() throws(GuestError) -> Int
    /// Forgets what `dirtyBits` says of these pages, whose bounds are multiples of 64. Copy them afterwards.
    func clearDirtyLog(pages: Range<Int>) throws(GuestError)
    func stopDirtyLog() throws(GuestError)
    /// Holds vCPUs back for this part of their time, 0 to 99.
    func throttleVCPUs(percent: Int) throws(GuestError)
    /// Stops every vCPU. If this process dies before `seal`, the guest resumes by itself.
    func pauseForHandover() throws(GuestError)
    /// The state of everything but memory.
    func saveState() throws(GuestError) -> [UInt8]
    /// From now on only `resume` lets the guest run. Called before the ledger says `released`.
    func sealForHandover() throws(GuestError)
    func resumeExecution() throws(GuestError)
}
