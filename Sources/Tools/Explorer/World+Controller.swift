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
            let next = makeSuccessor {
                var successor = Controller(store: controller.store)
                successor.orders = controller.orders
                $0.controllers = [successor]
            }
            return steps.addSuccessor(next) { "C  starts; its store says \(controller.store.text)" }
        }
        if let action = controller.actions.first {
            addControllerAction(action, of: controller, to: steps)
        } else {
            for side in Side.allCases { addReports(about: side, to: steps) }
        }
        guard budget.allowsFault(.controllerCrash) else { return }
        let next = makeSuccessor {
            $0.budget.consumeFault(.controllerCrash)
            $0.controllers[0].isUp = false
            $0.controllers[0].actions = []
            // What it knew is gone.
            $0.controllers[0].machine = ForcedTakeoverMachine(vm: FixedValues.vm, entry: nil)
        }
        steps.addSuccessor(next, as: .chance) { "C  crashes" }
    }

    /// Only what the machine does not know yet: anything else changes nothing.
    private func addReports(about side: Side, to steps: Steps) {
        if hosts[side].isUp, let ownership = hosts[side].ledger.ownership {
            addControllerEvent(.reported(ownership, by: side.name), to: steps) {
                "\(side.label) ─▶ C  \(hosts[side].ledger.text)"
            }
        }
        if !hosts[side].isOn || steps.rules.hasPlantedBug(.takeoverWithoutFencing) {
            addControllerEvent(.fenced(side.name), to: steps) {
                "C  knows that \(side.label) is off"
            }
        } else {
            addControllerEvent(.returned(side.name), to: steps) {
                "C  knows that \(side.label) is back"
            }
        }
    }

    private func addControllerEvent(
        _ event: ForcedTakeoverMachine.Event, to steps: Steps, description: () -> String
    ) {
        let next = makeSuccessor {
            $0.controllers[0].actions += $0.controllers[0].machine.handleEvent(event)
        }
        guard next.controllers != controllers else { return }
        steps.addSuccessor(next, description: description)
    }

    private func addControllerAction(
        _ action: ForcedTakeoverMachine.Action, of controller: Controller, to steps: Steps
    ) {
        var next = self
        next.controllers[0].actions.removeFirst()
        switch action {
        case .store(let entry, let old):
            guard controller.store == old else {
                _ = next.controllers[0].machine.handleEvent(.notStored(current: controller.store))
                return steps.addSuccessor(next) { "C  finds another entry in its store" }
            }
            next.controllers[0].store = entry
            next.controllers[0].actions += next.controllers[0].machine.handleEvent(.stored)
            steps.addSuccessor(next) { "C  stores \(OwnershipEntry?.some(entry).text)" }
        case .takeOver(let order):
            if !next.controllers[0].orders.contains(order) {
                next.controllers[0].orders.append(order)
            }
            steps.addSuccessor(next) { "C ─▶ \(order.host)  take epoch \(order.epoch)" }
        }
    }

    private func addOrderSteps(of controller: Controller, to steps: Steps) {
        for (index, order) in controller.orders.enumerated() {
            guard let side = Side(order.host) else { continue }
            let taken = makeSuccessor { $0.controllers[0].orders.remove(at: index) }
            taken.deliverOrder(order, to: side, addingTo: steps)
            guard budget.allowsFault(.loss) else { continue }
            // Lost, or delivered twice.
            let lost = taken.makeSuccessor { $0.budget.consumeFault(.loss) }
            steps.addSuccessor(lost, as: .chance) {
                "the controller's order to \(side.label) is lost"
            }
            makeSuccessor { $0.budget.consumeFault(.loss) }.deliverOrder(
                order, to: side, addingTo: steps)
        }
    }

    private func deliverOrder(_ order: ForcedTakeoverOrder, to side: Side, addingTo steps: Steps) {
        guard hosts[side].isUp, hosts[side].outgoing.isEmpty else {
            return steps.addSuccessor(self) {
                "\(side.label) cannot take the controller's order now"
            }
        }
        guard let record = order.ledgerRecord(after: hosts[side].ledger.ownership) else {
            return steps.addSuccessor(self) { "\(side.label) needs no forced takeover any more" }
        }
        addTakeover(writing: record, on: side, to: steps)
    }
}
