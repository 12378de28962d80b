// The part of the consistency check that needs several hosts: it finds VMs with two owners and VMs with none.

import Model

package enum ClusterCheck {
    /// - Parameters:
    ///   - checks: of the hosts that answered.
    ///   - isComplete: every host of the cluster answered. Without that, a missing owner may be on a silent host.
    package static func findInconsistencies(in checks: [HostCheck], isComplete: Bool)
        -> [CheckFinding]
    {
        var places: [VMID: [Place]] = [:]
        for check in checks {
            for vm in check.vms {
                places[vm.id, default: []].append(Place(host: check.host, vm: vm))
            }
        }
        return places.sorted { $0.key.description < $1.key.description }
            .compactMap { ownershipFinding(for: $1, isComplete: isComplete) }
    }

    /// What one host knows of a VM.
    private struct Place {
        let host: HostName
        let vm: CheckedVM

        var description: String { "\(host): \(vm.ledger.words)" }
    }

    private static func ownershipFinding(for places: [Place], isComplete: Bool) -> CheckFinding? {
        // A VM that migrates may appear on two hosts, because the hosts answer at different moments.
        if places.contains(where: \.vm.isBusy) { return nil }
        let vm = places[0].vm.id
        let name = places.compactMap(\.vm.name).first
        let all = places.map(\.description).joined(separator: "; ")
        let owners = places.filter(\.vm.ledger.mayRun)
        if owners.count > 1 {
            return CheckFinding(
                .twoOwners, vm: name, vmID: vm, message: "more than one owner: \(all)")
        }
        guard owners.isEmpty, isComplete, !isOwnerless(accordingTo: places) else { return nil }
        return CheckFinding(.noOwner, vm: name, vmID: vm, message: "no owner: \(all)")
    }

    /// The ledgers explain why the VM has no owner: it was deleted, its handover is unresolved, or it never had one.
    private static func isOwnerless(accordingTo places: [Place]) -> Bool {
        guard let last = places.map(\.vm.ledger.epoch).max() else { return true }
        let latest = places.map(\.vm.ledger).filter { $0.epoch == last }.map(\.kind)
        return last == 0 || latest.contains(.deleted)
            || places.contains { $0.vm.ledger.kind == .released }
    }
}
