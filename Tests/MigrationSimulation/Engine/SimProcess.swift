// A process of the simulation: threads that end together when it is killed.
//
// A killed process does nothing more that anybody could see: each of its threads runs on only to unwind, ahead of
// everybody else and in no virtual time. Every call that could block or have an effect fails for it at once.

import Host

/// `@unchecked`: whoever holds the baton may touch it.
package final class SimProcess: @unchecked Sendable {
    package let name: String
    private(set) var isDead = false
    /// Threads that have not ended.
    var threads = 0
    /// What must happen when it dies: connections end, control sockets close.
    private var onDeath: [() -> Void] = []
    /// A dead process sees time fly, so that whatever waits for a time comes to its end.
    private var deadTime: UInt64 = 0

    package init(name: String) { self.name = name }

    func whenItDies(_ action: @escaping () -> Void) { onDeath.append(action) }

    /// Nothing holds anything any more.
    func dissolve() { onDeath = [] }

    func kill() {
        guard !isDead else { return }
        isDead = true
        let actions = onDeath
        onDeath = []
        for action in actions { action() }
    }

    func time(_ now: UInt64) -> Instant {
        guard isDead else { return Instant(nanoseconds: now) }
        deadTime += 60_000_000_000
        return Instant(nanoseconds: now + deadTime)
    }
}
