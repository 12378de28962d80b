// What changed, in a line.

package import API
import Model

extension ClusterEvent {
    package var text: String {
        switch change {
        case .host(let host):
            "host \(host.name) is \(host.stateText)\(reasonSuffix(for: host.reason))"
        case .vm(let vm):
            "vm \(vm.name) is \(vm.stateText)\(vm.host == nil ? "" : " on \(vm.placeText)")\(reasonSuffix(for: vm.reason))"
        case .operation(let operation): operation.line
        case .balance(let balance):
            "balance is \(balance.settings.mode.rawValue), imbalance \(decimalText(for: balance.imbalance))"
        case .deleted(let kind, let name): "\(kind.rawValue) \(name) is gone"
        case .reset: "reset: what changed before is not known any more, list everything again"
        }
    }

    private func reasonSuffix(for text: String?) -> String { text.map { ": \($0)" } ?? "" }
}

extension OperationInfo {
    fileprivate var line: String {
        "operation \(id), \(title), is \(state.rawValue), \(movesDone) of \(quantityText(count: plan.moves.count, noun: "move"))"
    }
}
