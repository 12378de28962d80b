// Until when this host's leased VMs may run, as far as its controllers have said. Only ever later. An agent that starts
// knows of none until it is answered; the VMs' processes keep theirs meanwhile.

package import Host
import Synchronization

package final class HostLease: Sendable {
    private let end = Mutex<BootInstant?>(nil)

    package init() {}

    /// Nil when there is none, or when it has ended.
    package var until: BootInstant? {
        end.withLock { $0 }.flatMap { .now < $0 ? $0 : nil }
    }

    package func extend(until new: BootInstant) {
        end.withLock { $0 = max($0 ?? new, new) }
    }
}
