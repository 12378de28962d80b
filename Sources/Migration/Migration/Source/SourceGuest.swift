// The running VM as the source of a migration uses it. The agent implements it over a ferry-vmm's control socket.

package import Host
package import Model

/// A VM that can be copied while it runs. All calls block; the migration's own threads make them.
package protocol SourceGuest: AnyObject, Sendable {
    var spec: VMSpec { get }
    var cpuFeatures: CPUFeatures { get }
    var layout: GuestMemoryLayout { get }
    /// The whole memory file.
    var memory: Mapping { get }
    /// The memory file itself. Its holes are zero pages, which must not be read through a mapping of shared memory:
    /// that would allocate them.
    var memoryFile: Descriptor { get }
    /// One bit per page, 64-bit little-endian words, bit 0 = first page of the memory file.
    var dirtyBits: Mapping { get }

    /// From now on the dirty log records written pages; initially every page counts as written.
    func startDirtyLog() throws(GuestError)
    /// Copies the log into `dirtyBits` without clearing it; returns the number of dirty pages.
    func fetchDirtyLog() throws(GuestError) -> Int
    /// Clears the pages in the log whose bits are set in `dirtyBits`; bounds are multiples of 64. Copy them afterwards.
    func clearDirtyLog(pages: Range<Int>) throws(GuestError)
    func stopDirtyLog() throws(GuestError)
    /// Throttles the vCPUs for this share of their time, 0 to 99 percent.
    func throttleVCPUs(percent: Int) throws(GuestError)
    /// Stops every vCPU. If this process dies before `sealForHandover`, the guest resumes by itself.
    func pauseForHandover() throws(GuestError)
    /// The state of everything except memory.
    func saveState() throws(GuestError) -> [UInt8]
    /// From now on only `resumeExecution` lets the guest run. Called before the ledger records `released`.
    func sealForHandover() throws(GuestError)
    func resumeExecution() throws(GuestError)
}
