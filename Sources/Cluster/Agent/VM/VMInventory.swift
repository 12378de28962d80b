// All VMs of a host, by name: those that are here, arrive or leave, and whether there is memory for one more.

package import API
import ClusterFile
import Host
import Logging
import Migration
import MigrationProtocol
package import Model

/// The VMs of this host. A reserved name belongs to one VM until the reservation is released.
package actor VMInventory {
    private struct Reservation {
        let id: VMID
        let spec: VMSpec
    }

    /// A VM that runs on another host now, during its post-migration verification.
    private struct Departure {
        let vm: VirtualMachine
        let stopVerification: @Sendable () -> Void
    }

    nonisolated let context: HostContext
    private var vms: [VMName: VirtualMachine] = [:]
    private var reservations: [VMName: Reservation] = [:]
    private var departures: [VMName: Departure] = [:]
    private var departureWaiters: [CheckedContinuation<Void, Never>] = []
    /// VM folders that exist and cannot be read: their VMs are not known, and a process may run in them.
    private var unreadableFolders: Set<VMName> = []

    package init(context: HostContext) { self.context = context }

    // MARK: Look-ups

    package var count: Int { vms.count }

    package func virtualMachine(named name: VMName) throws(Problem) -> VirtualMachine {
        guard let vm = vms[name] else {
            throw Problem(.vmNotFound, detail: "there is no VM \(name) on host \(context.name)")
        }
        return vm
    }

    package func virtualMachine(withID id: VMID) -> VirtualMachine? {
        vms.values.first { $0.id == id }
    }

    /// The VM is here, arrives or leaves.
    func containsVM(withID id: VMID) -> Bool {
        virtualMachine(withID: id) != nil || reservations.values.contains { $0.id == id }
            || departures.values.contains { $0.vm.id == id }
    }

    func containsVM(named name: VMName) -> Bool {
        vms[name] != nil || reservations[name] != nil || departures[name] != nil
    }

    /// The VM's process may exist before the agent has attached it, and after the agent has detached it.
    func isVMStartingOrLeaving(named name: VMName) async -> Bool {
        if reservations[name] != nil || departures[name] != nil { return true }
        return await vms[name]?.activity != nil
    }

    /// By name.
    package func sortedVMs() -> [VirtualMachine] { vms.values.sorted { $0.name < $1.name } }

    package func listAllVMs() async -> VMList {
        let vms = sortedVMs()
        let infos = await withTaskGroup(of: VMInfo.self) { group in
            for vm in vms { group.addTask { await vm.readCurrentInfo() } }
            return await group.reduce(into: [VMInfo]()) { $0.append($1) }
        }
        return VMList(vms: infos.sorted { $0.name < $1.name })
    }

    // MARK: Reservations

    /// Reserves the name and the memory of a VM to come, until `register` or `releaseReservation`.
    package func reserveResources(for spec: VMSpec, id: VMID) async throws(Problem) {
        await waitForDeparture(of: spec.name)
        try checkAvailability(of: spec.name, id: id)
        let others = reservations.values.map(\.spec).filter { !$0.hugePages }
            .reduce(0) { $0 + $1.memory.bytes }
        reservations[spec.name] = Reservation(id: id, spec: spec)
        var reserved = others
        for vm in vms.values { reserved += await vm.reservedBytes() }
        do {
            let shortage = try HostMemory.readFromProc().describeShortage(
                for: spec, reserved: reserved, hostReserve: context.cluster.memoryReserve)
            guard let shortage else { return }
            releaseReservation(of: spec.name)
            throw Problem(.notEnoughMemory, detail: "host \(context.name): \(shortage)")
        } catch let error as Problem {
            throw error
        } catch {
            releaseReservation(of: spec.name)
            throw Problem(.internalError, detail: "\(error)")
        }
    }

    private func checkAvailability(of name: VMName, id: VMID) throws(Problem) {
        guard vms[name] == nil, reservations[name] == nil else {
            if vms[name]?.id == id || reservations[name]?.id == id {
                throw Problem(
                    .vmBusy, detail: "VM \(name) is being created on host \(context.name)")
            }
            throw Problem(
                .nameTaken, detail: "there is a VM \(name) on host \(context.name) already")
        }
        try checkFolderIsReadable(of: name)
        guard virtualMachine(withID: id) == nil,
            !reservations.values.contains(where: { $0.id == id })
        else {
            throw Problem(.nameTaken, detail: "VM \(id) is on host \(context.name) already")
        }
        guard vms.count + reservations.count < Limits.vmsMax else {
            throw Problem(
                .notEnoughMemory, detail: "host \(context.name) has \(Limits.vmsMax) VMs, its limit"
            )
        }
    }

    package func releaseReservation(of name: VMName) { reservations[name] = nil }

    // MARK: Folders that cannot be read

    var hasUnreadableFolders: Bool { !unreadableFolders.isEmpty }

    /// The name stays taken until the operator has repaired or removed the folder.
    func markFolderUnreadable(of name: VMName) { unreadableFolders.insert(name) }

    private func checkFolderIsReadable(of name: VMName) throws(Problem) {
        guard unreadableFolders.contains(name) else { return }
        let folder = context.state.filesOfVM(named: name).folder
        guard Folder.isPresent(at: folder) else {
            unreadableFolders.remove(name)
            return
        }
        throw Problem(
            .nameTaken,
            detail:
                "\(folder) cannot be read; repair it and restart the agent of \(context.name), or remove it"
        )
    }

    // MARK: Arrivals and departures

    /// The VM is here now; its reservation ends, if it had one.
    package func registerVM(_ vm: VirtualMachine) {
        reservations[vm.name] = nil
        vms[vm.name] = vm
        context.news.requestReport()
    }

    /// The VM is gone. A later VM of the same name stays.
    package func unregisterVM(_ vm: VirtualMachine) {
        if vms[vm.name] === vm { vms[vm.name] = nil }
        context.news.requestReport()
    }

    /// The VM runs on another host. It is no longer listed here, but its process and folder stay until
    /// `endDeparture`.
    func beginDeparture(
        of vm: VirtualMachine, stopVerification: @escaping @Sendable () -> Void
    ) {
        unregisterVM(vm)
        departures[vm.name] = Departure(vm: vm, stopVerification: stopVerification)
    }

    func endDeparture(of vm: VirtualMachine) {
        if departures[vm.name]?.vm === vm { departures[vm.name] = nil }
        for waiter in departureWaiters { waiter.resume() }
        departureWaiters = []
    }

    /// A VM that needs the name now, such as the same VM that comes back, is more important than a verification.
    private func waitForDeparture(of name: VMName) async {
        while let departure = departures[name] {
            departure.stopVerification()
            await withCheckedContinuation { departureWaiters.append($0) }
        }
    }

    /// - Parameter id: that the VM must have; nil for any.
    package func deleteVM(named name: VMName, id: VMID? = nil) async throws(Problem) {
        let vm = try virtualMachine(named: name)
        if let id, vm.id != id {
            throw Problem(
                .vmNotFound, detail: "VM \(name) of host \(context.name) has another id, \(vm.id)")
        }
        if await !vm.deleteRetainedArrival() { try await vm.deleteVM() }
        unregisterVM(vm)
        context.logger.info("VM deleted", metadata: ["vm": "\(name)", "id": "\(vm.id)"])
    }
}
