// The controller: it receives what ledgers say and which hosts are off, stores, and orders forced takeovers. Its
// decisions are those of the product's own machine.

import MigrationProtocol
import Model
import Ownership

struct Controller: Hashable, Sendable {
    var machine: ForcedTakeoverMachine
    /// What survives it.
    var store: OwnershipEntry?
    var actions: [ForcedTakeoverMachine.Action] = []
    /// Orders on their way; one that was sent twice is here once, and may arrive twice.
    var orders: [ForcedTakeoverOrder] = []
    var isUp = true

    init(store: OwnershipEntry?) {
        self.store = store
        machine = ForcedTakeoverMachine(vm: FixedValues.vm, entry: store)
    }
}

extension World {
    func addControllerSteps(to steps: Steps) {
        guard let controller = controllers.first else { return }
        addOrderSteps(of: controller, to: steps)
        guard controller.isUp else {
            let next = with {
                var successor = Controller(store: controller.store)
                successor.orders = controller.orders
                $0.controllers = [successor]
            }
            return steps.add(next) { "C  starts; its store says \(controller.store.text)" }
        }
        if let action = controller.actions.first {
            perform(action, of: controller, to: steps)
        } else {
            for side in Side.allCases { addReports(about: side, to: steps) }
        }
        guard budget.allows(.controllerCrash) else { return }
        let next = with {
            $0.budget.spend(.controllerCrash)
            $0.controllers[0].isUp = false
            $0.controllers[0].actions = []
            // What it knew is gone.
            $0.controllers[0].machine = ForcedTakeoverMachine(vm: FixedValues.vm, entry: nil)
        }
        steps.add(next, as: .chance) { "C  crashes" }
    }

    /// Only what the machine does not know yet: anything else changes nothing.
    private func addReports(about side: Side, to steps: Steps) {
        if hosts[side].isUp, let ownership = hosts[side].ledger.ownership {
            report(.reported(ownership, by: side.name), to: steps) {
                "\(side.label) ─▶ C  \(hosts[side].ledger.text)"
            }
        }
        if !hosts[side].isOn || steps.rules.has(.takeoverWithoutFencing) {
            report(.fenced(side.name), to: steps) { "C  knows that \(side.label) is off" }
        } else {
            report(.returned(side.name), to: steps) { "C  knows that \(side.label) is back" }
        }
    }

    private func report(
        _ event: ForcedTakeoverMachine.Event, to steps: Steps, description: () -> String
    ) {
        let next = with { $0.controllers[0].actions += $0.controllers[0].machine.handle(event) }
        guard next.controllers != controllers else { return }
        steps.add(next, description: description)
    }

    private func perform(
        _ action: ForcedTakeoverMachine.Action, of controller: Controller, to steps: Steps
    ) {
        var next = self
        next.controllers[0].actions.removeFirst()
        switch action {
        case .store(let entry, let old):
            guard controller.store == old else {
                _ = next.controllers[0].machine.handle(.notStored(current: controller.store))
                return steps.add(next) { "C  finds another entry in its store" }
            }
            next.controllers[0].store = entry
            next.controllers[0].actions += next.controllers[0].machine.handle(.stored)
            steps.add(next) { "C  stores \(OwnershipEntry?.some(entry).text)" }
        case .takeOver(let order):
            if !next.controllers[0].orders.contains(order) {
                next.controllers[0].orders.append(order)
            }
            steps.add(next) { "C ─▶ \(order.host)  take epoch \(order.epoch)" }
        }
    }

    private func addOrderSteps(of controller: Controller, to steps: Steps) {
        for (index, order) in controller.orders.enumerated() {
            guard let side = Side(order.host) else { continue }
            let taken = with { $0.controllers[0].orders.remove(at: index) }
            taken.deliver(order, to: side, steps: steps)
            guard budget.allows(.loss) else { continue }
            // Lost, or delivered twice.
            let lost = taken.with { $0.budget.spend(.loss) }
            steps.add(lost, as: .chance) { "the controller's order to \(side.label) is lost" }
            with { $0.budget.spend(.loss) }.deliver(order, to: side, steps: steps)
        }
    }

    private func deliver(_ order: ForcedTakeoverOrder, to side: Side, steps: Steps) {
        guard hosts[side].isUp, hosts[side].outgoing.isEmpty else {
            return steps.add(self) { "\(side.label) cannot take the controller's order now" }
        }
        guard let record = order.record(after: hosts[side].ledger.ownership) else {
            return steps.add(self) { "\(side.label) needs no forced takeover any more" }
        }
        addTakeover(writing: record, on: side, to: steps)
    }
}
