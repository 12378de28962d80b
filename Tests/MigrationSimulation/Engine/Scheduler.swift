// Runs simulated threads one at a time, in an order that the seed decides, in virtual time.
//
// Each simulated thread has an operating system thread, but only the one that holds the baton runs: it passes it on
// where it would block, and now and then where it need not. So no state of a simulation needs a lock, and its
// classes are `@unchecked Sendable`: the baton's way from thread to thread, through semaphores, orders every access.
// When nobody can run, time jumps to the next planned event. When there is none, that is a deadlock, and told.
//
// Rule: nothing below calls a blocking function of the simulation with a Mutex held, for the thread that wants it
// next would take the whole simulation along. `WakeFlag.set`, `now` and chance never pass the baton on.

import Dispatch
import Host

package final class Scheduler: @unchecked Sendable {
    /// Virtual time begins here, so that subtracting from it is safe.
    package static let start: UInt64 = 1_000_000_000_000

    private(set) var now = Scheduler.start
    private(set) var current: SimThread?
    private var threads: [SimThread] = []
    private var nextThread = 0
    private var events = EventQueue()
    private var random: SeededRandom
    private let switchChance: Double
    private var processes: [SimProcess] = []
    private var lastUnwound = -1
    private var unwinding = 0
    private let finished = DispatchSemaphore(value: 0)
    var trace: Trace
    private(set) var failure: String?
    /// Called at every step, before chance is asked.
    var onStep: (Int) -> Void = { _ in }
    /// Called when time has moved.
    var onTime: () -> Void = {}

    init(random: SeededRandom, switchChance: Double, isReadable: Bool) {
        self.random = random
        self.switchChance = switchChance
        trace = Trace(isReadable: isReadable)
    }

    // MARK: Life

    /// Runs until every thread has ended. For the one thread outside.
    func run(_ process: SimProcess, _ body: @escaping @Sendable () -> Void) {
        let first = start(process, "main", body)
        current = first
        first.goOn()
        finished.wait()
        events.removeAll()
        onStep = { _ in }
        onTime = {}
        for process in processes { process.dissolve() }
    }

    @discardableResult
    func start(
        _ process: SimProcess, _ name: String, _ body: @escaping @Sendable () -> Void
    ) -> SimThread {
        let thread = SimThread(
            id: nextThread, name: name, process: process, scheduler: self, body: body)
        nextThread += 1
        threads.append(thread)
        process.threads += 1
        return thread
    }

    func add(_ process: SimProcess) {
        processes.append(process)
        if failure != nil { process.kill() }
    }

    func kill(_ process: SimProcess) {
        process.kill()
        for thread in threads where thread.process === process && !thread.isJoining {
            thread.isReady = true
        }
    }

    /// The run has failed: everything unwinds.
    func fail(_ text: String) {
        guard failure == nil else { return }
        failure = text
        say("FAILED: \(text)")
        events.removeAll()
        for process in processes { kill(process) }
    }

    var threadNames: [String] { threads.map { "\($0.process.name)/\($0.name)" } }

    func say(_ text: String) { trace.say(now, current, text) }

    func plan(after delay: UInt64, _ action: @escaping () -> Void) {
        events.plan(at: now + delay, .action(action))
    }

    // MARK: What threads call

    /// A place where another thread may come first.
    func step(_ label: StaticString, _ value: Int = 0) {
        guard let me = current else { return }
        if me.process.isDead { return }
        trace.note(now, me, label, value)
        if trace.steps > Bounds.stepsMax { fail("no end after \(Bounds.stepsMax) steps") }
        onStep(trace.steps)
        if switchChance > 0, random.chance(switchChance) { passOn(me) }
    }

    /// Waits until one of the points is woken or the time has come. May return early: look again.
    func block(on points: [WaitPoint], until end: UInt64?, for what: StaticString) {
        guard let me = current else { fatalError("a wait outside of the simulation") }
        if me.process.isDead { return unwind(me) }
        me.isReady = false
        me.waitsFor = what
        me.waitNumber += 1
        for point in points { point.add(me) }
        if let end { events.plan(at: max(end, now), .timer(me, wait: me.waitNumber)) }
        passOn(me)
        for point in points { point.remove(me) }
        me.waitNumber += 1
    }

    func join(_ point: WaitPoint) {
        guard let me = current else { fatalError("a join outside of the simulation") }
        me.isReady = false
        me.isJoining = true
        me.waitsFor = "the end of a thread"
        point.add(me)
        passOn(me)
        point.remove(me)
        me.isJoining = false
    }

    /// A thread of a dead process lets its fellows unwind too.
    private func unwind(_ me: SimThread) {
        unwinding += 1
        if unwinding > Bounds.unwindingMax {
            fatalError("thread \(me.name) of \(me.process.name) does not unwind:\n\(waits)")
        }
        passOn(me)
    }

    // MARK: The baton

    private func passOn(_ me: SimThread) {
        let next = chooseNext()
        if next === me { return }
        current = next
        next.goOn()
        me.standStill()
    }

    func threadEnded(_ thread: SimThread) {
        thread.process.threads -= 1
        threads.removeAll { $0 === thread }
        if threads.isEmpty {
            current = nil
            finished.signal()
            return
        }
        let next = chooseNext()
        current = next
        next.goOn()
    }

    private func chooseNext() -> SimThread {
        while true {
            if let thread = nextToUnwind() { return thread }
            while let time = events.nextTime(), time <= now { runEvent() }
            let ready = threads.filter(\.isReady)
            if ready.count == 1 { return ready[0] }
            if ready.count > 1 { return ready[random.number(0...(ready.count - 1))] }
            if events.nextTime() != nil {
                runEvent()
            } else if failure != nil {
                fatalError("a simulation that failed does not unwind:\n\(waits)")
            } else {
                fail("deadlock:\n\(waits)")
            }
        }
    }

    private func nextToUnwind() -> SimThread? {
        let dead = threads.filter { $0.isReady && $0.process.isDead }
        guard !dead.isEmpty else { return nil }
        let next = dead.first { $0.id > lastUnwound } ?? dead[0]
        lastUnwound = next.id
        return next
    }

    private func runEvent() {
        guard let event = events.popFirst() else { return }
        if event.time > now {
            now = event.time
            onTime()
            if now - Self.start > Bounds.timeMax {
                fail("no end after \(Bounds.timeMax / 1_000_000_000) s of virtual time:\n\(waits)")
            }
        }
        switch event.kind {
        case .timer(let thread, _): thread.isReady = true
        case .action(let action): action()
        }
    }

    private var waits: String {
        threads.map { "  \($0.process.name)/\($0.name) waits for \($0.waitsFor)" }
            .joined(separator: "\n")
    }
}

/// Bounds of one run: more is a failure.
enum Bounds {
    static let stepsMax = 400_000
    static let unwindingMax = 200_000
    /// Nanoseconds.
    static let timeMax: UInt64 = 4 * 3600 * 1_000_000_000
}
