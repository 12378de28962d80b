// Every bound of the VMM.

package enum Limits {
    package static let kernelBytesMax = 256 << 20
    package static let initrdBytesMax = 2 << 30
    package static let programHeadersMax = 64
    package static let noteBytesMax = 64 << 10

    /// How long vCPUs may take to leave the guest before the host is taken to be broken.
    package static let pauseTimeout = Duration.seconds(5)
    /// What a lease may be from now on.
    package static let leaseMax = Duration.seconds(3600)
    /// The thread that waits for a lease's end looks this often whether its machine is still there.
    package static let leaseWatchPause = Duration.seconds(5)
    /// A held back vCPU runs and stands still in turns of this length together.
    package static let throttlePeriod = Duration.milliseconds(10)
    /// Pages in one KVM_CLEAR_DIRTY_LOG: KVM holds its page table lock for that long.
    package static let clearedPagesMax = 32768

    /// Serial input that the guest has not read yet.
    package static let serialInputBytesMax = 16 << 10
    /// Serial output that is not written to log and clients yet; more is dropped, the guest never waits.
    package static let consoleOutputBytesMax = 1 << 20
    package static let consoleLogBytesMax = 1 << 20
    package static let consoleClientsMax = 16
    /// Output that a client has not read yet; one that falls further behind is dropped.
    package static let consoleBacklogBytesMax = 256 << 10

    /// Saved state: no section may be larger, and no state may have more of them.
    package static let sectionBytesMax = 1 << 20
    package static let sectionsMax = 1024
    package static let sectionNameBytesMax = 64
    /// The clocks of a moved guest are set forward by what the move took, if that is at most this.
    package static let clockAdvanceMax = Duration.seconds(60)

    /// How long a new vmm waits for its agent to connect, when only an agent can make it useful.
    package static let firstConnectionTimeout = Duration.seconds(5)
    /// How long a vmm stays after its guest's end for an agent to ask why.
    package static let statusAfterEnd = Duration.seconds(2)
    package static let exitTextBytesMax = 2048
}
