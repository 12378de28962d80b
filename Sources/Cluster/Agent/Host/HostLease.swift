// Until when this host's leased VMs may run, as its controllers have granted. The end only moves to later times. An agent
// that starts has no lease until a controller answers; the processes of its VMs keep their own deadlines meanwhile.

package import Host
import Synchronization

package final class HostLease: Sendable {
    private let end = Mutex<BootInstant?>(nil)

    package init() {}

    /// Nil when there is no lease, or when it has ended.
    package var until: BootInstant? {
        end.withLock { $0 }.flatMap { .now < $0 ? $0 : nil }
    }

    package func extend(until new: BootInstant) {
        end.withLock { $0 = max($0 ?? new, new) }
    }
}
