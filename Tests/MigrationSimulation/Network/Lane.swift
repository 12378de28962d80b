// One direction of the network between two hosts, and of one connection over it.

/// What one host's packets to another share: delay, bandwidth, and whether anything gets through.
final class Pipe {
    let delay: UInt64
    /// Bytes a second; nil: no limit.
    private var bytesPerSecond: Double?
    private(set) var isBlocked = false
    /// Counts changes of `isBlocked`.
    private(set) var changes = 0
    private var freeAt: UInt64 = 0

    init(delay: UInt64, bytesPerSecond: Double?) {
        self.delay = delay
        self.bytesPerSecond = bytesPerSecond
    }

    func setBlocked(_ isBlocked: Bool) {
        guard self.isBlocked != isBlocked else { return }
        self.isBlocked = isBlocked
        changes += 1
    }

    /// What waits for its turn leaves now.
    func setSpeed(_ bytesPerSecond: Double?, at now: UInt64) {
        self.bytesPerSecond = bytesPerSecond
        freeAt = now
    }

    /// When a packet that leaves now is there.
    func arrival(of bytes: Int, leaving now: UInt64) -> UInt64 {
        var left = max(now, freeAt)
        if let bytesPerSecond { left += UInt64(Double(bytes) / bytesPerSecond * 1e9) }
        freeAt = left
        return left + delay
    }
}

/// One direction of one connection: packets arrive in the order in which they left, sooner or later.
final class Lane {
    private struct Packet {
        var arrival: UInt64
        let deliver: () -> Void
    }

    let pipe: Pipe
    private unowned let scheduler: Scheduler
    private var packets: [Packet] = []
    private var isPlanned = false
    /// Counts changes of plan: an event of an older one does nothing.
    private var plans = 0
    /// Nothing arrives, on this connection alone.
    private(set) var isStalled = false

    init(pipe: Pipe, scheduler: Scheduler) {
        self.pipe = pipe
        self.scheduler = scheduler
    }

    var isBlocked: Bool { isStalled || pipe.isBlocked }

    func send(bytes: Int, _ deliver: @escaping () -> Void) {
        let arrival = pipe.arrival(of: bytes, leaving: scheduler.now)
        packets.append(Packet(arrival: arrival, deliver: deliver))
        planNext(after: 0)
    }

    func setStalled(_ isStalled: Bool) {
        self.isStalled = isStalled
        if !isStalled { goOn(after: 0) }
    }

    /// What was held back arrives, after the sender's next try.
    func goOn(after pause: UInt64) {
        guard !isBlocked else { return }
        planNext(after: pause + pipe.delay)
    }

    func drop() { packets = [] }

    /// What waited for its turn has left.
    func speedChanged() {
        for index in packets.indices {
            packets[index].arrival = min(packets[index].arrival, scheduler.now + pipe.delay)
        }
        plans += 1
        isPlanned = false
        planNext(after: 0)
    }

    private func planNext(after pause: UInt64) {
        guard !isPlanned, !isBlocked, let next = packets.first else { return }
        isPlanned = true
        let time = max(next.arrival, scheduler.now + pause)
        scheduler.plan(after: time - scheduler.now) { [self, plan = plans] in
            guard plan == plans else { return }
            isPlanned = false
            // A block that came meanwhile keeps it; the end of the block plans it again.
            guard !isBlocked, !packets.isEmpty else { return }
            packets.removeFirst().deliver()
            planNext(after: 0)
        }
    }
}
