// Scenarios from a seed.

import Migration
import Model

extension Scenario {
    package init(seed: UInt64) {
        var random = SeededRandom(seed: seed &* 0x2545_F491_4F6C_DD1D &+ 1)
        let hosts = random.chance(0.7) ? 2 : 3
        let vms = (0..<(random.chance(0.8) ? 1 : 2)).map { _ in
            VMPlan(home: random.number(0...(hosts - 1)), from: &random)
        }
        var timing = PeerTiming()
        if random.chance(0.5) { timing.questionsMax = random.number(1...3) }
        if random.chance(0.3) {
            timing.reconnectFor = random.duration(.seconds(1) ... .seconds(30))
        }
        if random.chance(0.3) {
            timing.suspensionLimit = random.duration(.seconds(1) ... .seconds(60))
        }
        self.init(
            seed: seed, hosts: hosts, network: NetworkPlan(from: &random), vms: vms,
            moves: (0..<random.number(1...3)).map { _ in
                MovePlan(vms: vms.count, hosts: hosts, from: &random)
            },
            faults: Self.faults(hosts: hosts, vms: vms.count, from: &random), timing: timing,
            diskWrite: random.duration(.microseconds(30) ... .milliseconds(20)),
            guestCall: random.duration(.microseconds(10) ... .milliseconds(4)),
            prepare: random.duration(.milliseconds(1) ... .milliseconds(500)),
            switchChance: random.pick([0, 0.02, 0.1, 0.3]))
    }

    private static func faults(
        hosts: Int, vms: Int, from random: inout SeededRandom
    ) -> [(trigger: Trigger, fault: Fault)] {
        let count = random.pick([0, 1, 1, 1, 2, 2, 3, 4])
        var faults = (0..<count).map { index in
            let isSequel = index > 0 && random.chance(0.4)
            return (
                trigger: isSequel
                    ? .afterPrevious(random.duration(.microseconds(50) ... .seconds(10)))
                    : Trigger(from: &random),
                fault: Fault(hosts: hosts, vms: vms, from: &random)
            )
        }
        if random.chance(0.25) {
            faults.append((Trigger(from: &random), .cancel(vm: random.number(0...(vms - 1)))))
        }
        return faults
    }
}

extension NetworkPlan {
    init(from random: inout SeededRandom) {
        let speed = random.chance(0.3) ? nil : random.scaled(500_000...1_000_000_000)
        // No more than a second's worth: hosts do not buffer what a slow link cannot take.
        let buffer = min(random.scaled(8_000...2_000_000), speed ?? .infinity)
        self.init(
            delay: random.duration(.microseconds(20) ... .milliseconds(60)),
            bytesPerSecond: speed, bufferBytes: Int(buffer))
    }
}

extension VMPlan {
    init(home: Int, from random: inout SeededRandom) {
        let isLarge = random.chance(0.05)
        let touched = Int(random.scaled(16...500))
        self.init(
            home: home, memory: isLarge ? .mebibytes(160) : .mebibytes(16), touchedPages: touched,
            pieces: min(touched, random.number(1...8)),
            workingPages: Int(random.scaled(4...Double(touched))),
            writesPerSecond: random.chance(0.2) ? 0 : random.scaled(10...20_000),
            downtimeLimit: random.chance(0.7)
                ? .seconds(10) : random.duration(.milliseconds(20) ... .seconds(2)),
            stateBytes: Int(random.scaled(100...100_000)))
    }
}

extension MovePlan {
    init(vms: Int, hosts: Int, from random: inout SeededRandom) {
        self.init(
            vm: random.number(0...(vms - 1)), hop: random.number(1...(hosts - 1)),
            streams: random.number(1...4),
            compression: random.pick([.none, .none, .lz4, .zstd, .auto]),
            pause: random.duration(.milliseconds(1) ... .seconds(3)),
            isOverlapped: random.chance(0.2), isRehearsal: random.chance(0.1))
    }
}

extension Trigger {
    /// Names that `World.moment` is called with.
    private static let moments = [
        "prepare", "append incoming", "written incoming", "startDirtyLog", "clearDirtyLog",
        "fetchDirtyLog", "append neverRan", "written neverRan", "resume", "quit",
    ]
    /// From the pause to the end.
    private static let handover = [
        "pauseForHandover", "after pauseForHandover", "saveState", "seal", "after seal",
        "append released", "written released", "loadState", "after loadState", "status",
        "after status", "append owned", "written owned", "resume arrived", "after resume arrived",
        "append handedOver", "written handedOver",
    ]

    init(from random: inout SeededRandom) {
        switch random.number(0...9) {
        case 0...1: self = .time(random.duration(.milliseconds(1) ... .seconds(10)))
        case 2...4: self = .step(Int(random.scaled(10...1000)))
        case 5: self = .moment(random.pick(Self.moments), random.pick([1, 1, 1, 2, 3]))
        default: self = .moment(random.pick(Self.handover), random.pick([1, 1, 1, 2, 3]))
        }
    }
}

extension Fault {
    init(hosts: Int, vms: Int, from random: inout SeededRandom) {
        let one = random.number(0...(hosts - 1))
        let other = (one + random.number(1...(hosts - 1))) % hosts
        let lasts = random.duration(.milliseconds(5) ... .seconds(120))
        switch random.number(0...12) {
        case 0...1: self = .cut(one, other)
        case 2...4:
            self = .partition(
                one, other, bothWays: random.chance(0.5), lasts: lasts, resets: random.chance(0.3))
        case 5: self = .stall(one, other, lasts: lasts)
        case 6:
            self = .slowLink(
                one, other, bytesPerSecond: random.scaled(1000...200_000), lasts: lasts)
        case 7...8: self = .crashAgent(one, restartsAfter: lasts)
        case 9: self = .losePower(one, returnsAfter: lasts)
        case 10: self = .stopAgent(one, restartsAfter: lasts)
        case 11: self = .killVMM(host: one, vm: random.number(0...(vms - 1)))
        default:
            self = random.pick([
                .diskFails(one, lasts: lasts), .diskIsFull(one, lasts: lasts),
                .diskIsSlow(
                    one, write: random.duration(.milliseconds(50) ... .seconds(5)), lasts: lasts),
            ])
        }
    }
}
