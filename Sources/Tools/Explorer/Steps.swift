// How a state hands over the states that follow it.

/// Whether a step must happen in the end, when it stays possible.
enum StepKind: Hashable, Sendable {
    case fair
    /// The step spends from the fault budget, or a person asks for it.
    case chance
}

/// What stays the same during an exploration.
struct Rules: Sendable {
    let bounds: Bounds
    let bug: PlantedBug?

    func hasPlantedBug(_ bug: PlantedBug) -> Bool { self.bug == bug }
}

/// Receives the states that follow a state, always in the same order. A step's description is made only on request.
final class Steps {
    typealias Receiver = (_ kind: StepKind, _ next: World, _ description: () -> String) -> Void

    let rules: Rules
    private let receiver: Receiver

    init(_ rules: Rules, receiver: @escaping Receiver) {
        self.rules = rules
        self.receiver = receiver
    }

    func addSuccessor(_ next: World, as kind: StepKind = .fair, description: () -> String) {
        receiver(kind, next, description)
    }
}
