// What must hold at every moment, and what must hold when everything has come to rest.

import API
import ClusterCore
import Model

extension World {
    /// After each event.
    func look() {
        var running: [VMID: HostName] = [:]
        for host in hostNames where hosts[host]!.isUp {
            for copy in hosts[host]!.copies.values where copy.isRunning {
                if let other = running.updateValue(host, forKey: copy.id) {
                    wrong =
                        "VM \(copy.name) runs on \(other) and on \(host)"
                        + story(of: copy.name.text)
                }
            }
        }
        checkLimits()
    }

    /// What the controller has promised. A VM that it no longer keeps, and hears of once more by a late heartbeat, is
    /// none of its promises.
    func checkPromises() {
        guard let cluster, let rule = cluster.brokenRule() else { return }
        let hosts = cluster.listHosts(after: nil, limit: 100, at: moment).items
        guard hosts.allSatisfy(\.unmanagedVMs.isEmpty) else { return }
        wrong =
            "the scheduler: \(rule)"
            + allVMs.map {
                "\n\($0.name) \($0.state) \($0.host?.text ?? "-") to \($0.destination?.text ?? "-") \($0.spec.memory.bytes >> 30)"
            }.joined()
    }

    private func checkLimits() {
        var perHost: [HostName: Int] = [:]
        var all = 0
        for host in hosts.values {
            for info in host.migrations.values where !info.isOver {
                all += 1
                perHost[info.source, default: 0] += 1
                perHost[info.destination, default: 0] += 1
            }
        }
        if all > limits.perCluster { wrong = "\(all) migrations at once" }
        for (host, count) in perHost where count > limits.perHost {
            wrong = "\(count) migrations at once on \(host)"
        }
    }

    var allVMs: [ClusterVM] { cluster?.listVMs(after: nil, limit: 10_000).items ?? [] }
    var allOperations: [OperationInfo] {
        cluster?.listOperations(after: nil, limit: 10_000).items ?? []
    }
    func vm(_ name: String) -> ClusterVM? { allVMs.first { $0.name.text == name } }
    func host(_ name: String) -> ClusterHost? {
        cluster?.listHosts(after: nil, limit: 100, at: moment).items.first { $0.name.text == name }
    }

    /// Nothing is under way any more.
    var isAtRest: Bool {
        guard cluster != nil, allOperations.allSatisfy(\.isOver) else { return false }
        return unrest == nil
    }

    /// The first thing that is not as it should be when all is at rest; nil when all is well.
    var unrest: String? {
        if let running = allOperations.first(where: { !$0.isOver }) {
            return "operation \(running.kind) \(running.id) has not ended: \(running.plan.moves)"
        }
        let known = Dictionary(allVMs.map { ($0.name, $0) }) { first, _ in first }
        for name in kept.sorted() {
            guard let vm = known[name] else { return "VM \(name) is lost" }
            if let why = unrest(of: vm) { return "VM \(name) is \(vm.state): \(why)" }
        }
        for vm in allVMs where vm.state == .deleting || deleted.contains(vm.name) {
            return
                "VM \(vm.name) is not gone: \(String(describing: cluster?.storedRecord(under: .vm(vm.name))))"
        }
        for host in hosts.values {
            for copy in host.copies.values {
                guard let vm = known[copy.name], vm.id == copy.id, vm.host == host.name else {
                    return
                        "host \(host.name) has \(copy.ownership) \(copy.state) \(copy.name) at \(copy.epoch), which the cluster has \(known[copy.name].map { "on \($0.host?.text ?? "no host") at \($0.epoch)" } ?? "not")"
                }
            }
        }
        return nil
    }

    private func unrest(of vm: ClusterVM) -> String? {
        let copies = hosts.values.flatMap { host in
            host.copies[vm.id].map { [(host.name, $0)] } ?? []
        }
        if vm.migration != nil || ![.running, .stopped, .failed, .pending].contains(vm.state) {
            return
                "not at rest: \(String(describing: cluster?.storedRecord(under: .vm(vm.name)))) \(copies)"
        }
        if vm.state == .pending { return vm.reason == nil ? "nobody says why" : nil }
        if vm.policy.desired == .stopped {
            return copies.contains { $0.1.isRunning } ? "it runs, and should not" : nil
        }
        guard copies.count == 1, let copy = copies.first?.1 else {
            return "it has \(copies.count) copies: \(copies)"
        }
        if vm.policy.failurePolicy == .restart, !copy.isRunning { return "it does not run again" }
        if copy.isRunning, vm.state != .running { return "but it runs: \(vm.reason ?? "")" }
        return nil
    }
}
