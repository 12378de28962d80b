// The fixed values of an exploration: one VM, two hosts, a stranger, and constants in place of what a run would measure.
//
// Refusals' messages are for people: nothing depends on them, and all are the same here.

import MigrationProtocol
import Model

/// One of the two hosts that a VM migrates between.
package enum Side: UInt8, Hashable, Sendable, CaseIterable {
    case s, d

    var other: Side { self == .s ? .d : .s }
    var name: HostName { self == .s ? FixedValues.s : FixedValues.d }
    package var label: String { self == .s ? "S" : "D" }

    init?(_ name: HostName) {
        switch name {
        case FixedValues.s: self = .s
        case FixedValues.d: self = .d
        default: return nil
        }
    }
}

enum FixedValues {
    static let vm = VMID(high: 0, low: 1)
    static let s = validHostName(text: "s")
    static let d = validHostName(text: "d")
    /// Another agent of the cluster, which has no part in the VM.
    static let stranger = validHostName(text: "x")

    static let refusal = MigrationRefusal(.gaveUp, text: "no")
    /// The one refusal that a source acts upon: after a loss it tries again under another name.
    static let isHere = MigrationRefusal(.vmExists, text: "no")
    static let digest = MemoryDigest(low: 1, high: 1)
    static let otherDigest = MemoryDigest(low: 2, high: 2)
    static let downtimeLimit = Duration.milliseconds(50)
    static let terms = DowntimeTerms(
        vcpus: 1, roundTrip: .microseconds(100), ledgerWrite: .microseconds(100))
    /// So few pages are dirty that the handover is due.
    static let lastRound = RoundFacts(pages: 1000, dirtyPages: 3, duration: .milliseconds(100))
    /// Another round leaves fewer dirty pages.
    static let earlyRound = RoundFacts(pages: 100_000, dirtyPages: 2000, duration: .seconds(1))

    /// Names that a migration may have: its first, and one for each time that it continues under another.
    static let namesEach: UInt8 = 4

    static func migrationID(number: UInt8) -> MigrationID {
        MigrationID(high: 1, low: UInt64(number))
    }

    static func migrationLabel(number: UInt8) -> String {
        let renewals = number % namesEach
        return "m\(number / namesEach)" + (renewals == 0 ? "" : ".\(renewals)")
    }

    static func migrationLabel(of migration: MigrationID) -> String {
        migrationLabel(number: UInt8(migration.low))
    }

    static func makeMigrationOffer(number: UInt8, inEpoch epoch: Epoch, isRehearsal: Bool)
        -> MigrationOffer
    {
        MigrationOffer(
            migration: migrationID(number: number), vm: vm, epoch: epoch, spec: spec,
            cpuFeatures: CPUFeatures([]), streams: 1, hashSeed: 0, isRehearsal: isRehearsal)
    }

    private static let spec = VMSpec(name: vmName, memory: .mebibytes(2))
    private static let vmName = validatedName(text: "v", make: VMName.init)

    private static func validHostName(text: String) -> HostName {
        validatedName(text: text, make: HostName.init)
    }

    private static func validatedName<Name>(
        text: String, make: (String) throws(NameError) -> Name
    ) -> Name {
        do { return try make(text) } catch { fatalError("\(error)") }
    }
}
