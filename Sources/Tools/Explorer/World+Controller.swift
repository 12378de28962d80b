// The controller: hears what ledgers say and which hosts are off, stores its decision, and orders the takeover.

import Model
import Ownership

struct Controller: Hashable, Sendable {
    var machine: ForcedTakeoverMachine
    /// What survives it.
    var store: OwnershipEntry?
    var actions: [ForcedTakeoverMachine.Action] = []
    /// Orders in transit; one that is sent twice is here once, and may arrive twice.
    var orders: [ForcedTakeoverOrder] = []
    var isUp = true

    init(store: OwnershipEntry?) {
        self.store = store
        machine = ForcedTakeoverMachine(vm: Cast.vm, entry: store)
    }
}

extension World {
    func controllerSteps(_ rules: Rules, _ visit: Visit) {
        guard let controller = controllers.first else { return }
        orderSteps(controller, rules, visit)
        guard controller.isUp else {
            let next = with {
                var successor = Controller(store: controller.store)
                successor.orders = controller.orders
                $0.controllers = [successor]
            }
            return visit(.fair, next) { "C  starts; its store says \(controller.store.words)" }
        }
        if let action = controller.actions.first {
            perform(action, controller, visit)
        } else {
            for side in Side.allCases { hear(side, rules, visit) }
        }
        guard budget.allows(.controllerCrash) else { return }
        let next = with {
            $0.budget.spend(.controllerCrash)
            $0.controllers[0].isUp = false
            $0.controllers[0].actions = []
            // What it knew is gone.
            $0.controllers[0].machine = ForcedTakeoverMachine(vm: Cast.vm, entry: nil)
        }
        visit(.chance, next) { "C  crashes" }
    }

    /// News only: what the machine knows already changes nothing.
    private func hear(_ side: Side, _ rules: Rules, _ visit: Visit) {
        if hosts[side].isUp, let ownership = hosts[side].ledger.ownership {
            tell(.reported(ownership, by: side.name), visit) {
                "\(side.label) ─▶ C  \(LedgerRecord(vm: Cast.vm, ownership).words)"
            }
        }
        if !hosts[side].isOn || rules.has(.takeoverWithoutFencing) {
            tell(.fenced(side.name), visit) { "C  knows that \(side.label) is off" }
        } else {
            tell(.returned(side.name), visit) { "C  knows that \(side.label) is back" }
        }
    }

    private func tell(_ event: ForcedTakeoverMachine.Event, _ visit: Visit, _ words: () -> String) {
        let next = with { $0.controllers[0].actions += $0.controllers[0].machine.handle(event) }
        guard next.controllers != controllers else { return }
        visit(.fair, next, words)
    }

    private func perform(
        _ action: ForcedTakeoverMachine.Action, _ controller: Controller, _ visit: Visit
    ) {
        var next = self
        next.controllers[0].actions.removeFirst()
        switch action {
        case .store(let entry, let old):
            guard controller.store == old else {
                _ = next.controllers[0].machine.handle(.notStored(current: controller.store))
                return visit(.fair, next) { "C  finds another entry in its store" }
            }
            next.controllers[0].store = entry
            next.controllers[0].actions += next.controllers[0].machine.handle(.stored)
            visit(.fair, next) { "C  stores \(OwnershipEntry?.some(entry).words)" }
        case .takeOver(let takeover):
            if !next.controllers[0].orders.contains(takeover) {
                next.controllers[0].orders.append(takeover)
            }
            visit(.fair, next) { "C ─▶ \(takeover.host)  take epoch \(takeover.epoch)" }
        }
    }

    private func orderSteps(_ controller: Controller, _ rules: Rules, _ visit: Visit) {
        for (index, takeover) in controller.orders.enumerated() {
            guard let side = Side(takeover.host) else { continue }
            let taken = with { $0.controllers[0].orders.remove(at: index) }
            deliver(takeover, side, taken, rules, visit)
            guard budget.allows(.loss) else { continue }
            // Lost, or told twice.
            let lost = taken.with { $0.budget.spend(.loss) }
            visit(.chance, lost) { "the controller's word to \(side.label) is lost" }
            deliver(takeover, side, with { $0.budget.spend(.loss) }, rules, visit)
        }
    }

    private func deliver(
        _ takeover: ForcedTakeoverOrder, _ side: Side, _ world: World, _ rules: Rules,
        _ visit: Visit
    ) {
        guard world.hosts[side].isUp, world.hosts[side].outgoing.isEmpty else {
            return visit(.fair, world) { "\(side.label) cannot take the controller's word now" }
        }
        guard let record = takeover.record(after: world.hosts[side].ledger.ownership) else {
            return visit(.fair, world) { "\(side.label) needs no takeover any more" }
        }
        world.recordTakeover(record, side, rules, visit)
    }
}
