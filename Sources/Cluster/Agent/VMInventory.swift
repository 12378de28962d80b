// All VMs of a host, by name: who is here, who is coming, and whether there is room.

package import API
import ClusterFile
import Host
import Logging
import Migration
import MigrationProtocol
package import Model

/// The VMs of this host. A name, once reserved, is nobody else's until it is released.
package actor VMInventory {
    private struct Reservation {
        let id: VMID
        let spec: VMSpec
    }

    nonisolated let context: HostContext
    private var vms: [VMName: VirtualMachine] = [:]
    private var reservations: [VMName: Reservation] = [:]
    /// VMs that run elsewhere by now, while their memory is looked at once more; and how to end that.
    private var leaving: [VMName: (vm: VirtualMachine, stop: @Sendable () -> Void)] = [:]
    /// Those who wait until a VM has left.
    private var leavingWaiters: [CheckedContinuation<Void, Never>] = []
    /// Folders that are there and cannot be read: what they are, and whether something runs in them, is not known.
    private(set) var unreadable: Set<VMName> = []

    package init(context: HostContext) { self.context = context }

    package var count: Int { vms.count }

    package func vm(named name: VMName) throws(Problem) -> VirtualMachine {
        guard let vm = vms[name] else {
            throw Problem(.vmNotFound, "there is no VM \(name) on host \(context.name)")
        }
        return vm
    }

    package func vm(withID id: VMID) -> VirtualMachine? { vms.values.first { $0.id == id } }

    /// It is here, or on its way.
    func isKnown(_ id: VMID) -> Bool {
        vm(withID: id) != nil || reservations.values.contains { $0.id == id }
            || leaving.values.contains { $0.vm.id == id }
    }

    func isKnown(_ name: VMName) -> Bool {
        vms[name] != nil || reservations[name] != nil || leaving[name] != nil
    }

    /// Its process may be there before the agent has a hold of it, and after it has let go of the VM.
    func isStartingOrLeaving(_ name: VMName) async -> Bool {
        if reservations[name] != nil || leaving[name] != nil { return true }
        return await vms[name]?.activity != nil
    }

    /// By name.
    package func all() -> [VirtualMachine] { vms.values.sorted { $0.name < $1.name } }

    package func list() async -> VMList {
        let vms = all()
        let infos = await withTaskGroup(of: VMInfo.self) { group in
            for vm in vms { group.addTask { await vm.info() } }
            return await group.reduce(into: [VMInfo]()) { $0.append($1) }
        }
        return VMList(vms: infos.sorted { $0.name < $1.name })
    }

    /// Reserves the name and the memory of a VM to come. End with `add` or `release`.
    package func reserve(_ spec: VMSpec, id: VMID) async throws(Problem) {
        await waitForLeaving(spec.name)
        guard vms[spec.name] == nil, reservations[spec.name] == nil else {
            if vms[spec.name]?.id == id || reservations[spec.name]?.id == id {
                throw Problem(
                    .vmBusy, "VM \(spec.name) is just being made on host \(context.name)")
            }
            throw Problem(.nameTaken, "there is a VM \(spec.name) on host \(context.name) already")
        }
        try refuseUnreadable(spec.name)
        guard vm(withID: id) == nil, !reservations.values.contains(where: { $0.id == id }) else {
            throw Problem(.nameTaken, "this very VM (\(id)) is on host \(context.name) already")
        }
        guard vms.count + reservations.count < Limits.vmsMax else {
            throw Problem(
                .notEnoughMemory, "host \(context.name) has \(Limits.vmsMax) VMs, its limit")
        }
        let others = reservations.values.map(\.spec).filter { !$0.hugePages }
            .reduce(0) { $0 + $1.memory.bytes }
        reservations[spec.name] = Reservation(id: id, spec: spec)
        var promised = others
        for vm in vms.values { promised += await vm.promisedBytes() }
        do {
            let memory = try HostMemory.read()
            let problem = memory.problem(
                for: spec, promised: promised, reserve: context.cluster.memoryReserve)
            guard let problem else { return }
            release(spec.name)
            throw Problem(.notEnoughMemory, "host \(context.name): \(problem)")
        } catch let error as Problem {
            throw error
        } catch {
            release(spec.name)
            throw Problem(.internalError, "\(error)")
        }
    }

    /// The name is nobody's until the operator has repaired or removed the folder.
    func keepUnreadable(_ name: VMName) { unreadable.insert(name) }

    private func refuseUnreadable(_ name: VMName) throws(Problem) {
        guard unreadable.contains(name) else { return }
        let folder = context.state.files(of: name).folder
        guard Folder.isThere(folder) else {
            unreadable.remove(name)
            return
        }
        throw Problem(
            .nameTaken,
            "\(folder) cannot be read; repair it and restart the agent of \(context.name), or remove it"
        )
    }

    package func release(_ name: VMName) { reservations[name] = nil }

    /// The VM is here now; its reservation, if it had one, has served.
    package func add(_ vm: VirtualMachine) {
        reservations[vm.name] = nil
        vms[vm.name] = vm
        context.news.ring()
    }

    /// It is gone. Only this very VM is taken out, never a later one of the same name.
    package func remove(_ vm: VirtualMachine) {
        if vms[vm.name] === vm { vms[vm.name] = nil }
        context.news.ring()
    }

    /// It runs elsewhere: here it is not seen any more, but its process and folder stay until `endLeaving`.
    func beginLeaving(_ vm: VirtualMachine, stop: @escaping @Sendable () -> Void) {
        remove(vm)
        leaving[vm.name] = (vm, stop)
    }

    func endLeaving(_ vm: VirtualMachine) {
        if leaving[vm.name]?.vm === vm { leaving[vm.name] = nil }
        for waiter in leavingWaiters { waiter.resume() }
        leavingWaiters = []
    }

    /// Whoever needs the name now, the same VM that comes back say, is more important than an audit.
    private func waitForLeaving(_ name: VMName) async {
        while let (_, stop) = leaving[name] {
            stop()
            await withCheckedContinuation { leavingWaiters.append($0) }
        }
    }

    /// - Parameter id: what the VM must have; nil for any.
    package func delete(_ name: VMName, id: VMID? = nil) async throws(Problem) {
        let vm = try vm(named: name)
        if let id, vm.id != id {
            throw Problem(
                .vmNotFound, "VM \(name) of host \(context.name) is another one, \(vm.id)")
        }
        if await !vm.deleteKept() { try await vm.delete() }
        remove(vm)
        context.logger.info("VM deleted", metadata: ["vm": "\(name)", "id": "\(vm.id)"])
    }
}
