// The explorations that have a name.

package struct Configuration: Sendable {
    package let name: String
    package let summary: String
    package let bounds: Bounds

    private init(_ name: String, _ summary: String, _ change: (inout Bounds) -> Void) {
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

    package static func named(_ name: String) -> Configuration? { all.first { $0.name == name } }

    package static let small = Configuration(
        "small", "one migration, up to two faults of the usual kinds"
    ) {
        $0.faults = Faults(2, ofEach: [.agentCrash, .cut, .loss, .disk, .cancel, .impatience])
    }

    package static let repeated = Configuration(
        "repeated", "a migration, and another after it, there or back; up to two faults"
    ) {
        $0.migrations = 2
        $0.movesBack = true
        $0.faults = Faults(2, ofEach: [.agentCrash, .cut, .loss, .disk, .processKill])
    }

    package static let parking = Configuration(
        "parking", "a broken pre-copy that goes on with what was kept; up to three faults"
    ) {
        $0.parks = true
        $0.reconnects = 1
        $0.earlyRounds = 1
        $0.faults = Faults(3, ofEach: [.agentCrash, .cut, .impatience, .disk])
    }

    package static let rehearsal = Configuration(
        "rehearsal", "a rehearsal and a migration after it; up to two faults"
    ) {
        $0.migrations = 2
        $0.rehearses = true
        $0.faults = Faults(2, ofEach: [.agentCrash, .cut, .cancel, .processKill])
    }

    package static let takeovers = Configuration(
        "controller",
        "a controller that forces a takeover when a host is off, and may crash; up to three faults"
    ) {
        $0.hasController = true
        $0.faults = Faults(
            3,
            [.hostOff: 1, .hostReturn: 1, .agentCrash: 1, .loss: 1, .cut: 1, .controllerCrash: 1])
    }

    package static let operators = Configuration(
        "operator", "an operator who rules when a host is off; up to three faults"
    ) {
        $0.faults = Faults(
            3,
            [.hostOff: 1, .hostReturn: 1, .agentCrash: 2, .disk: 1, .loss: 1, .cut: 1, .takeover: 1])
    }

    package static let stubborn = Configuration(
        "wrong-operator",
        "an operator who rules against a host that is only cut off; up to three faults"
    ) {
        $0.operatorMayErr = true
        $0.faults = Faults(
            3, [.partition: 1, .takeover: 1, .agentCrash: 1, .disk: 1, .loss: 1])
    }

    package static let strangers = Configuration(
        "stranger",
        "a host that has nothing to do with the VM asks after it: the VM moves all the same"
    ) {
        $0.mustMove = true
        $0.faults = Faults(1, [.stranger: 1])
    }

    package static let mixed = Configuration(
        "mixed-up",
        "a word of one connection arrives on another; two migrations, up to three faults"
    ) {
        $0.migrations = 2
        $0.faults = Faults(3, [.cut: 1, .loss: 1, .agentCrash: 1, .mixUp: 1])
    }

    package static let full = Configuration(
        "full",
        "everything at once; up to two faults, where a migration after the first counts as one"
    ) { everything(&$0, together: 2) }

    package static let deep = Configuration(
        "deep", "everything at once, up to three faults: for an hour with nothing else to do"
    ) { everything(&$0, together: 3) }

    private static func everything(_ bounds: inout Bounds, together: UInt8) {
        bounds.migrations = 2
        bounds.movesBack = true
        bounds.rehearses = true
        bounds.parks = true
        bounds.reconnects = 1
        bounds.earlyRounds = 1
        bounds.hasController = true
        bounds.faults = Faults(
            together,
            [
                .agentCrash: 2, .hostOff: 2, .hostReturn: 1, .processKill: 2, .cut: 2,
                .impatience: 2, .loss: 2, .disk: 2, .cancel: 1, .takeover: 1, .partition: 1,
                .controllerCrash: 1, .refusal: 1, .stream: 2, .corruption: 1, .stranger: 1,
                .again: 1,
            ])
    }
}
