// Owners and operators at work.

import API
import ClusterCore
import Model

extension World {
    /// - Returns: whether it was acknowledged.
    @discardableResult
    func create(
        _ name: String, memoryGiB: UInt64 = 1, vcpus: Int = 1,
        _ change: (inout CreateClusterVM) -> Void = { _ in }
    ) -> Bool {
        guard let vmName = try? VMName(name) else { return false }
        var request = CreateClusterVM(
            VMSpec(name: vmName, memory: .gibibytes(memoryGiB), vcpus: vcpus))
        request.id = identifier()
        change(&request)
        guard
            case .success? = call({ c, context throws(Problem) in
                try c.createVM(from: request, in: &context)
            })
        else { return false }
        kept.insert(vmName)
        return true
    }

    func delete(_ name: VMName) {
        kept.remove(name)
        if case .success? = call({ c, context throws(Problem) in
            try c.deleteVM(named: name, in: &context)
        }) {
            deleted.insert(name)
        }
    }

    func update(_ name: VMName, _ desired: DesiredState) {
        var update = UpdateClusterVM()
        update.desired = desired
        _ = call { c, context throws(Problem) in
            try c.updateVM(named: name, applying: update, in: &context)
        }
    }

    @discardableResult
    func drain(_ host: HostName, parallel: Int? = nil) -> Result<OperationInfo, Problem>? {
        call { c, context throws(Problem) in
            try c.drainHost(
                named: host, as: DrainHost(parallel: parallel), requestedBy: "test", in: &context)
        }
    }

    @discardableResult
    func activate(
        _ host: HostName, bringBack: Bool
    ) -> Result<(host: ClusterHost, operation: OperationInfo?), Problem>? {
        call { c, context throws(Problem) in
            try c.activateHost(
                named: host, as: ActivateHost(bringBack: bringBack), requestedBy: "test",
                in: &context)
        }
    }

    @discardableResult
    func migrate(_ vm: VMName, to host: HostName? = nil) -> Result<OperationInfo, Problem>? {
        call { c, context throws(Problem) in
            try c.migrateVM(named: vm, as: MigrateVM(to: host), requestedBy: "test", in: &context)
        }
    }

    @discardableResult
    func fence(_ host: HostName) -> Result<ClusterHost, Problem>? {
        call { c, context throws(Problem) in
            try c.fenceHost(named: host, confirmedBy: FenceHost(confirm: host), in: &context)
        }
    }

    @discardableResult
    func setBalance(_ change: (inout UpdateBalance) -> Void) -> Result<BalanceInfo, Problem>? {
        var update = UpdateBalance()
        change(&update)
        return call { c, context throws(Problem) in
            try c.updateBalance(applying: update, in: &context)
        }
    }

    func randomHost() -> HostName { hostNames[random.drawNumber(below: hostNames.count)] }

    func randomVM() -> VMName? {
        let names = kept.sorted()
        return names.isEmpty ? nil : names[random.drawNumber(below: names.count)]
    }

    /// One thing that somebody does.
    func doSomething(_ number: Int) {
        switch random.drawNumber(below: 100) {
        case 0..<30 where kept.count < 30: createSomething(number)
        case 30..<36: if let vm = randomVM() { delete(vm) }
        case 36..<42: if let vm = randomVM() { update(vm, chance(500) ? .running : .stopped) }
        case 42..<60: if let vm = randomVM() { migrate(vm, to: chance(500) ? randomHost() : nil) }
        case 60..<68: drain(randomHost(), parallel: chance(300) ? 1 : nil)
        case 68..<78: activate(randomHost(), bringBack: chance(500))
        case 78..<80: cancelSomething()
        case 80..<82: setBalance { $0.mode = chance(500) ? .auto : .advise }
        case 82..<90:
            let host = randomHost()
            if !(hosts[host]?.isUp ?? true) || plant == .falseFences {
                note("", "\(host) is said to be off")
                fence(host)
            }
        default: break
        }
    }

    private func createSomething(_ number: Int) {
        create("v\(number)", memoryGiB: 1 + UInt64(random.drawNumber(below: 5)), vcpus: 1) {
            $0.policy.failurePolicy = chance(650) ? .restart : .leave
            if chance(300) {
                let group = GroupSpec(
                    name: "apart\(random.drawNumber(below: 3))", kind: .antiAffinity)
                $0.policy.groups = [group]
            }
        }
    }

    private func cancelSomething() {
        guard let running = allOperations.first(where: { !$0.isOver }) else { return }
        _ = call { c, context throws(Problem) in
            try c.cancelOperation(withID: running.id, in: &context)
        }
    }

    /// One thing that goes wrong.
    func breakSomething() {
        let host = randomHost()
        switch random.drawNumber(below: 10) {
        case 0..<3: powerOff(host, for: milliseconds(2000...30_000))
        case 3..<6: cut(host, for: milliseconds(500...20_000))
        case 6..<8: restartAgent(host)
        default: crash(for: milliseconds(0...8000))
        }
    }
}
