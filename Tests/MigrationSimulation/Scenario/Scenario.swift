// What a seed stands for: hosts and links, VMs and what they do, migrations, and what goes wrong when.

package import Migration
package import Model

/// How the network between all hosts is.
package struct NetworkPlan: Sendable {
    package var delay: Duration
    package var bytesPerSecond: Double?
    package var bufferBytes: Int
}

package struct VMPlan: Sendable {
    package var home: Int
    package var memory: ByteCount
    /// Pages that are not holes, in how many pieces.
    package var touchedPages: Int
    package var pieces: Int
    package var workingPages: Int
    package var writesPerSecond: Double
    package var downtimeLimit: Duration
    package var stateBytes: Int

    /// Which pages those are, ascending.
    func pages(of pageCount: Int, seed: UInt64) -> [Int] {
        var random = SeededRandom(seed: seed)
        let each = max(1, touchedPages / pieces)
        let slot = pageCount / pieces
        return (0..<pieces).flatMap { piece in
            let start = piece * slot + random.number(0...max(0, slot - each))
            return (start..<min(start + each, pageCount))
        }
    }
}

package struct MovePlan: Sendable {
    package var vm: Int
    /// To the host so many places further.
    package var hop: Int
    package var streams: Int
    package var compression: Compression
    /// Before it.
    package var pause: Duration
    /// The next move does not wait for this one's end.
    package var isOverlapped: Bool
    package var isRehearsal: Bool
}

/// When something goes wrong.
package enum Trigger: Sendable {
    case time(Duration)
    case step(Int)
    /// The nth time that something of this name happens.
    case moment(String, Int)
    /// So long after the fault before it in the list.
    case afterPrevious(Duration)
}

package enum Fault: Sendable {
    case cut(Int, Int)
    /// Nothing from one host reaches the other, or neither way.
    case partition(Int, Int, bothWays: Bool, lasts: Duration, resets: Bool)
    /// The connections that there are stand still; new ones work.
    case stall(Int, Int, lasts: Duration)
    case slowLink(Int, Int, bytesPerSecond: Double, lasts: Duration)
    case crashAgent(Int, restartsAfter: Duration)
    /// In good order: what can still be cancelled is, the rest is waited for.
    case stopAgent(Int, restartsAfter: Duration)
    case losePower(Int, returnsAfter: Duration)
    case killVMM(host: Int, vm: Int)
    case diskFails(Int, lasts: Duration)
    case diskIsFull(Int, lasts: Duration)
    case diskIsSlow(Int, write: Duration, lasts: Duration)
    case cancel(vm: Int)
    /// An operator takes the VM back at a host that had released it.
    case takeOver(Int, vm: Int)
}

package struct Scenario: Sendable {
    package var seed: UInt64
    package var hosts: Int
    package var network: NetworkPlan
    package var vms: [VMPlan]
    package var moves: [MovePlan]
    package var faults: [(trigger: Trigger, fault: Fault)]
    package var timing: PeerTiming
    package var diskWrite: Duration
    package var guestCall: Duration
    package var prepare: Duration
    /// How often a thread gives way where it need not.
    package var switchChance: Double
}
