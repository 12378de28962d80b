// The explorations that have a name.

package struct Configuration: Sendable {
    package let name: String
    package let summary: String
    package let bounds: Bounds

    private init(name: String, summary: String, change: (inout Bounds) -> Void) {
        self.name = name
        self.summary = summary
        var bounds = Bounds()
        change(&bounds)
        self.bounds = bounds
    }

    package static let all = [
        small, repeated, parking, rehearsal, takeovers, operators, stubborn, strangers, mixed, full,
        deep,
    ]

    package static func configuration(named name: String) -> Configuration? {
        all.first { $0.name == name }
    }

    package static let small = Configuration(
        name: "small", summary: "one migration, up to two faults of the usual kinds"
    ) {
        $0.faults = Faults(
            together: 2, ofEach: [.agentCrash, .cut, .loss, .disk, .cancel, .impatience])
    }

    package static let repeated = Configuration(
        name: "repeated",
        summary: "a migration, and another after it, there or back; up to two faults"
    ) {
        $0.migrations = 2
        $0.movesBack = true
        $0.faults = Faults(together: 2, ofEach: [.agentCrash, .cut, .loss, .disk, .processKill])
    }

    package static let parking = Configuration(
        name: "parking",
        summary: "a broken pre-copy that continues with what was kept; up to three faults"
    ) {
        $0.parks = true
        $0.reconnects = 1
        $0.earlyRounds = 1
        $0.faults = Faults(together: 3, ofEach: [.agentCrash, .cut, .impatience, .disk])
    }

    package static let rehearsal = Configuration(
        name: "rehearsal", summary: "a rehearsal and a migration after it; up to two faults"
    ) {
        $0.migrations = 2
        $0.rehearses = true
        $0.faults = Faults(together: 2, ofEach: [.agentCrash, .cut, .cancel, .processKill])
    }

    package static let takeovers = Configuration(
        name: "controller",
        summary:
            "a controller that takes VMs over when a host is off, and may crash; up to three faults"
    ) {
        $0.hasController = true
        $0.faults = Faults(
            together: 3,
            each: [
                .hostOff: 1, .hostReturn: 1, .agentCrash: 1, .loss: 1, .cut: 1, .controllerCrash: 1,
            ])
    }

    package static let operators = Configuration(
        name: "operator",
        summary: "an operator who takes the VM over when a host is off; up to three faults"
    ) {
        $0.faults = Faults(
            together: 3,
            each: [
                .hostOff: 1, .hostReturn: 1, .agentCrash: 2, .disk: 1, .loss: 1, .cut: 1,
                .forcedTakeover: 1,
            ])
    }

    package static let stubborn = Configuration(
        name: "wrong-operator",
        summary:
            "an operator who takes the VM over from a host that is only cut off; up to three faults"
    ) {
        $0.operatorMayErr = true
        $0.faults = Faults(
            together: 3,
            each: [.partition: 1, .forcedTakeover: 1, .agentCrash: 1, .disk: 1, .loss: 1])
    }

    package static let strangers = Configuration(
        name: "stranger",
        summary: "a host that has no part in the VM asks about it: the VM migrates all the same"
    ) {
        $0.mustMove = true
        $0.faults = Faults(together: 1, each: [.stranger: 1])
    }

    package static let mixed = Configuration(
        name: "mixed-up",
        summary:
            "a message of one connection arrives on another; two migrations, up to three faults"
    ) {
        $0.migrations = 2
        $0.faults = Faults(together: 3, each: [.cut: 1, .loss: 1, .agentCrash: 1, .mixUp: 1])
    }

    package static let full = Configuration(
        name: "full",
        summary:
            "everything at once; up to two faults, where a migration after the first counts as one"
    ) { allowEverything(in: &$0, together: 2) }

    package static let deep = Configuration(
        name: "deep",
        summary: "everything at once, up to three faults: for an hour with nothing else to do"
    ) { allowEverything(in: &$0, together: 3) }

    private static func allowEverything(in bounds: inout Bounds, together: UInt8) {
        bounds.migrations = 2
        bounds.movesBack = true
        bounds.rehearses = true
        bounds.parks = true
        bounds.reconnects = 1
        bounds.earlyRounds = 1
        bounds.hasController = true
        bounds.faults = Faults(
            together: together,
            each: [
                .agentCrash: 2, .hostOff: 2, .hostReturn: 1, .processKill: 2, .cut: 2,
                .impatience: 2, .loss: 2, .disk: 2, .cancel: 1, .forcedTakeover: 1, .partition: 1,
                .controllerCrash: 1, .refusal: 1, .stream: 2, .corruption: 1, .stranger: 1,
                .again: 1,
            ])
    }
}
