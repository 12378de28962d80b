// What the drivers run on in a simulation: virtual time, simulated threads, chance from the seed.

import Glibc
package import Host
package import Migration
import Model
package import PeerLink

/// One process's runtime. `@unchecked`: whoever holds the baton may touch it.
package final class SimRuntime: MigrationRuntime, @unchecked Sendable {
    let scheduler: Scheduler
    let process: SimProcess
    private let network: SimNetwork
    private let host: Int
    private var random: SeededRandom

    init(
        scheduler: Scheduler, process: SimProcess, network: SimNetwork, host: Int,
        random: SeededRandom
    ) {
        self.scheduler = scheduler
        self.process = process
        self.network = network
        self.host = host
        self.random = random
    }

    package var now: Instant { process.time(scheduler.now) }

    package func makeWakeFlag() -> any WakeFlag { SimFlag(scheduler, process) }

    package func startThread(
        name: String, nice: Int32, body: @escaping @Sendable () -> Void
    ) throws(SystemError) -> any RunningThread {
        guard !process.isDead else { throw .deadProcess }
        return scheduler.start(process, name, body)
    }

    package func lowerPriority(nice: Int32) {}

    package func randomWord() -> UInt64 { random.next() }

    package func openConnection(
        to peer: PeerAddress, within limit: Duration, silenceMax: Duration,
        interruptedBy flag: any WakeFlag
    ) throws(LinkError) -> any Link {
        try network.connect(
            process, from: host, to: peer, within: limit, silenceMax: silenceMax, flag)
    }

    /// Stands still for a while; throws when the process ends meanwhile.
    func sleep(_ duration: Duration, _ what: StaticString) throws(SystemError) {
        scheduler.step(what)
        let end = scheduler.now + UInt64(max(0, duration.wholeNanoseconds))
        while !process.isDead, scheduler.now < end {
            scheduler.block(on: [], until: end, for: what)
        }
        guard !process.isDead else { throw .deadProcess }
    }
}

/// `@unchecked`: whoever holds the baton may touch it.
final class SimFlag: WakeFlag, @unchecked Sendable {
    private(set) var isSet = false
    let point = WaitPoint()
    private let scheduler: Scheduler
    private let process: SimProcess

    init(_ scheduler: Scheduler, _ process: SimProcess) {
        self.scheduler = scheduler
        self.process = process
    }

    func setFlag() {
        isSet = true
        point.wakeAll()
    }

    func clearFlag() { isSet = false }

    func waitUntilSet(before end: Instant) throws(SystemError) -> Bool {
        scheduler.step("wait")
        while true {
            if process.isDead {
                scheduler.block(on: [], until: nil, for: "its end")
                throw .deadProcess
            }
            if isSet { return true }
            if scheduler.now >= end.nanoseconds { return false }
            scheduler.block(on: [point], until: end.nanoseconds, for: "a flag")
        }
    }
}

extension WakeFlag {
    /// Flags of two runtimes never meet.
    var simulated: SimFlag {
        guard let flag = self as? SimFlag else { fatalError("the flag belongs to another runtime") }
        return flag
    }
}

extension SystemError {
    /// What every call of a killed process ends with.
    static let deadProcess = SystemError(call: "the process has been killed", code: ECANCELED)
}
