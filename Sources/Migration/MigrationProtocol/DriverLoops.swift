// The loops of the two drivers: which action comes next, and which event the machine handles after it.
//
// A driver performs the actions of one `handleEvent` in order, each to its end, and only then gives the machine the
// resulting events, in order. It waits for its peer only when there is neither an action nor an event. So an action
// that depends on a durable record is never performed before the record's `write` has returned.
//
// The drivers in Migration and the explorer run these same loops; neither has another way to call its machine.

package import Model

/// The source's machine and the remaining actions of its last answer.
package struct SourceLoop: Hashable, Sendable {
    package typealias Event = SourceMachine.Event
    package typealias Action = SourceMachine.Action

    package private(set) var machine: SourceMachine
    private var actions: [Action] = []
    /// The events that resulted from the performed actions.
    private var events: [Event] = []

    /// Call `receiveEvent(.start)` next.
    package init(_ machine: SourceMachine) { self.machine = machine }

    /// The action to perform now; nil if the driver waits for its peer.
    package var nextAction: Action? { actions.first }

    /// The next action was performed.
    ///
    /// - Parameters:
    ///   - event: the result of the action; nil if the peer reports it.
    ///   - isCancelled: whether a cancel was accepted. It replaces every waiting event while the machine obeys it; it
    ///     is evaluated only then.
    ///   - react: gives an event to the machine. Only the explorer's planted bugs pass another function.
    package mutating func finishAction(
        with event: Event?, isCancelled: () -> Bool,
        react: (inout SourceMachine, Event) -> [Action] = { $0.handleEvent($1) }
    ) {
        actions.removeFirst()
        if let event { events.append(event) }
        handleEvents(isCancelled: isCancelled, react: react)
    }

    /// The driver has waited for this event. Call it only while there is no action to perform.
    package mutating func receiveEvent(
        _ event: Event, isCancelled: () -> Bool,
        react: (inout SourceMachine, Event) -> [Action] = { $0.handleEvent($1) }
    ) {
        events.append(event)
        handleEvents(isCancelled: isCancelled, react: react)
    }

    /// The attempt continues under this identifier; see `SourceMachine.renameMigration(to:)`.
    package mutating func renameMigration(to migration: MigrationID) {
        machine.renameMigration(to: migration)
    }

    private mutating func handleEvents(
        isCancelled: () -> Bool, react: (inout SourceMachine, Event) -> [Action]
    ) {
        while actions.isEmpty, !events.isEmpty {
            var event = events.removeFirst()
            if machine.canCancel, isCancelled() {
                events = []
                event = .cancel
            }
            actions = react(&machine, event)
        }
    }
}

/// The destination's machine and the remaining actions of its last answer.
package struct DestinationLoop: Hashable, Sendable {
    package typealias Event = DestinationMachine.Event
    package typealias Action = DestinationMachine.Action

    package private(set) var machine: DestinationMachine
    private var actions: [Action] = []
    /// The events that resulted from the performed actions.
    private var events: [Event] = []

    package init(_ machine: DestinationMachine) { self.machine = machine }

    /// The action to perform now; nil if the driver waits for its peer, or the session is suspended.
    package var nextAction: Action? { actions.first }

    /// The next action was performed.
    ///
    /// - Parameters:
    ///   - event: the result of the action; nil if it has none.
    ///   - react: gives an event to the machine. Only the explorer's planted bugs pass another function.
    package mutating func finishAction(
        with event: Event?,
        react: (inout DestinationMachine, Event) -> [Action] = { $0.handleEvent($1) }
    ) {
        actions.removeFirst()
        if let event { events.append(event) }
        handleEvents(react: react)
    }

    /// The driver has waited for this event. Call it only while there is no action to perform.
    package mutating func receiveEvent(
        _ event: Event,
        react: (inout DestinationMachine, Event) -> [Action] = { $0.handleEvent($1) }
    ) {
        events.append(event)
        handleEvents(react: react)
    }

    private mutating func handleEvents(react: (inout DestinationMachine, Event) -> [Action]) {
        while actions.isEmpty, !events.isEmpty {
            actions = react(&machine, events.removeFirst())
        }
    }
}
