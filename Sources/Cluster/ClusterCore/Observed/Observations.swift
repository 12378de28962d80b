// What this controller has heard since it leads: of each host, of each VM, and of VMs that no record knows.

import API
import Model

struct Observations {
    private var hosts: [HostName: ObservedHost] = [:]
    private var vms: [VMID: ObservedVM] = [:]
    /// What agents have that no record knows.
    private var unmanaged: [HostName: [VMID: VMReport]] = [:]

    init(of records: ClusterRecords, at now: Duration) {
        for host in records.hosts.all {
            hosts[host.name] = ObservedHost(at: now, isFenced: host.silence?.fence != nil)
        }
        for vm in records.vms.all { vms[vm.id] = ObservedVM() }
    }

    /// Nil for a host that never registered with this controller and has no record.
    subscript(host: HostName) -> ObservedHost? {
        get { hosts[host] }
        _modify { yield &hosts[host] }
    }

    /// Nil for a VM without a record.
    subscript(vm: VMID) -> ObservedVM? {
        get { vms[vm] }
        _modify { yield &vms[vm] }
    }

    mutating func beginObserving(vm: VMID) { vms[vm] = ObservedVM() }
    mutating func stopObserving(vm: VMID) { vms[vm] = nil }

    mutating func stopObserving(host: HostName) {
        hosts[host] = nil
        unmanaged[host] = nil
    }

    func unmanagedVMs(on host: HostName) -> [VMID: VMReport] { unmanaged[host, default: [:]] }
    var unmanagedVMsByHost: [HostName: [VMID: VMReport]] { unmanaged }

    mutating func recordUnmanagedVMs(_ reports: [VMID: VMReport], on host: HostName) {
        unmanaged[host] = reports.isEmpty ? nil : reports
    }
}
