// Scenarios that are written down: a quiet cluster of two hosts and one VM, and exactly the faults that are given.

import Migration
import Model

extension Scenario {
    /// - Parameters:
    ///   - rehearsals: for each migration in turn, whether it is a rehearsal. Each goes from the VM's host to the other.
    ///   - questions: how often a source's driver asks.
    package init(
        rehearsals: [Bool] = [false], questions: Int = 2,
        faults: [(trigger: Trigger, fault: Fault)] = [], seed: UInt64 = 1
    ) {
        var timing = PeerTiming()
        timing.questionsMax = questions
        self.init(
            seed: seed, hosts: 2,
            network: NetworkPlan(
                delay: .milliseconds(1), bytesPerSecond: 100_000_000, bufferBytes: 1_000_000),
            vms: [
                VMPlan(
                    home: 0, memory: .mebibytes(16), touchedPages: 32, pieces: 2, workingPages: 4,
                    writesPerSecond: 100, downtimeLimit: .seconds(10), stateBytes: 1000)
            ],
            moves: rehearsals.map {
                MovePlan(
                    vm: 0, hop: 1, streams: 1, compression: .none, pause: .milliseconds(100),
                    isOverlapped: false, isRehearsal: $0)
            },
            faults: faults, timing: timing, diskWrite: .milliseconds(1),
            guestCall: .milliseconds(1), prepare: .milliseconds(50), switchChance: 0)
    }

    /// What happens in a migration without faults, from its begin to its end, as `Trigger.moment` has it.
    package static let moments = [
        "prepare", "append incoming", "written incoming", "startDirtyLog", "fetchDirtyLog",
        "clearDirtyLog", "pauseForHandover", "after pauseForHandover", "saveState", "seal",
        "after seal", "append released", "loadState", "after loadState", "written released",
        "status", "after status", "append owned", "written owned", "resume arrived",
        "after resume arrived", "append handedOver", "written handedOver",
    ]
}
