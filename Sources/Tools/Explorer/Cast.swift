// Who plays: one VM, two hosts, a stranger; and the constants that stand for what a run would measure.
//
// Words that travel for people only (refusals) are all the same here: nothing depends on them.

import MigrationProtocol
import Model

/// One of the two hosts that a VM moves between.
enum Side: UInt8, Hashable, Sendable, CaseIterable {
    case s, d

    var other: Side { self == .s ? .d : .s }
    var name: HostName { self == .s ? Cast.s : Cast.d }
    var label: String { self == .s ? "S" : "D" }

    init?(_ name: HostName) {
        switch name {
        case Cast.s: self = .s
        case Cast.d: self = .d
        default: return nil
        }
    }
}

enum Cast {
    static let vm = VMID(high: 0, low: 1)
    static let s = host("s")
    static let d = host("d")
    /// Another agent of the cluster, which has nothing to do with the VM.
    static let stranger = host("x")

    static let refusal = MigrationRefusal(.gaveUp, "no")
    /// The one refusal that a source acts upon: after a loss it tries again under another name.
    static let isHere = MigrationRefusal(.vmExists, "no")
    static let root = MemoryRoot(low: 1, high: 1)
    static let otherRoot = MemoryRoot(low: 2, high: 2)
    static let downtimeLimit = Duration.milliseconds(50)
    static let terms = DowntimeTerms(
        vcpus: 1, roundTrip: .microseconds(100), ledgerWrite: .microseconds(100))
    /// So little is dirty that the handover is due.
    static let lastRound = RoundFacts(pages: 1000, dirtyPages: 3, duration: .milliseconds(100))
    /// Another round shrinks what is dirty.
    static let earlyRound = RoundFacts(pages: 100_000, dirtyPages: 2000, duration: .seconds(1))

    /// Names that a migration may have: its first, and one for each time that it goes on under another.
    static let namesEach: UInt8 = 4

    static func migration(_ number: UInt8) -> MigrationID {
        MigrationID(high: 1, low: UInt64(number))
    }

    static func label(_ number: UInt8) -> String {
        let renewals = number % namesEach
        return "m\(number / namesEach)" + (renewals == 0 ? "" : ".\(renewals)")
    }

    static func label(_ migration: MigrationID) -> String { label(UInt8(migration.low)) }

    static func offer(_ number: UInt8, _ epoch: Epoch, isRehearsal: Bool) -> MigrationOffer {
        MigrationOffer(
            migration: migration(number), vm: vm, epoch: epoch, spec: spec,
            cpuFeatures: CPUFeatures([]), streams: 1, hashSeed: 0, isRehearsal: isRehearsal)
    }

    private static let spec = VMSpec(name: vmName, memory: .mebibytes(2))
    private static let vmName = name("v", VMName.init)

    private static func host(_ text: String) -> HostName { name(text, HostName.init) }

    private static func name<Name>(
        _ text: String, _ make: (String) throws(NameError) -> Name
    ) -> Name {
        do { return try make(text) } catch { fatalError("\(error)") }
    }
}
