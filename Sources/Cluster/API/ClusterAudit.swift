// What only several hosts together show: a VM that two of them own, or none.

import Model

package enum ClusterAudit {
    /// - Parameters:
    ///   - audits: of the hosts that answered.
    ///   - isComplete: every host of the cluster answered; only then can nobody else be the owner.
    package static func findings(_ audits: [HostAudit], isComplete: Bool) -> [AuditFinding] {
        var places: [VMID: [Place]] = [:]
        for audit in audits {
            for vm in audit.vms { places[vm.id, default: []].append(Place(audit.host, vm)) }
        }
        return places.sorted { $0.key.description < $1.key.description }
            .compactMap { finding($1, isComplete: isComplete) }
    }

    private struct Place {
        let host: HostName
        let vm: AuditedVM

        init(_ host: HostName, _ vm: AuditedVM) { (self.host, self.vm) = (host, vm) }

        var words: String { "\(host): \(vm.ledger.words)" }
    }

    private static func finding(_ places: [Place], isComplete: Bool) -> AuditFinding? {
        // What is on its way is in two places at two moments.
        if places.contains(where: \.vm.isBusy) { return nil }
        let vm = places[0].vm.id
        let name = places.compactMap(\.vm.name).first
        let all = places.map(\.words).joined(separator: "; ")
        let owners = places.filter(\.vm.ledger.mayRun)
        if owners.count > 1 {
            return AuditFinding(.twoOwners, vm: name, vmID: vm, "more than one owner: \(all)")
        }
        guard owners.isEmpty, isComplete, !isExplained(places) else { return nil }
        return AuditFinding(.noOwner, vm: name, vmID: vm, "no owner: \(all)")
    }

    /// Nobody owns it, and that is as it should be: it was deleted, is being settled, or was never anybody's.
    private static func isExplained(_ places: [Place]) -> Bool {
        guard let last = places.map(\.vm.ledger.epoch).max() else { return true }
        let latest = places.map(\.vm.ledger).filter { $0.epoch == last }.map(\.kind)
        return last == 0 || latest.contains(.deleted)
            || places.contains { $0.vm.ledger.kind == .released }
    }
}
