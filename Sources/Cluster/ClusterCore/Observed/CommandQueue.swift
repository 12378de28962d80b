// Commands to agents: at most one for a VM at a time, and after one that failed a pause that doubles with each failure.
// VMs that wait for time to pass, or for room, stand here too.

import API
import Model

struct CommandQueue {
    private struct Retry {
        /// No new command before this.
        var at = Duration.zero
        var backOff = Duration.zero
    }

    private var lastCommand: CommandID = 0
    private var pending: [CommandID: AgentCommand] = [:]
    private var current: [VMID: CommandID] = [:]
    private var retries: [VMID: Retry] = [:]
    private var waiting: Set<VMID>

    /// - Parameter vms: those that are looked at as soon as their hosts are heard.
    init(waiting vms: some Sequence<VMID>) { waiting = Set(vms) }

    // MARK: Commands

    /// Orders something of an agent; the answer comes to `Cluster.commandEnded`.
    mutating func enqueueOrder(
        _ order: AgentCommand.Order, for vm: VMID, to host: HostRecord, in context: inout Context
    ) {
        lastCommand += 1
        let command = AgentCommand(
            id: lastCommand, host: host.name, apiAddress: host.description.apiAddress, vm: vm,
            order: order)
        pending[command.id] = command
        current[vm] = command.id
        context.sendCommand(command)
    }

    /// The command that was answered; nil when it is not its VM's command any more.
    mutating func finishCommand(withID id: CommandID) -> AgentCommand? {
        guard let command = pending.removeValue(forKey: id), current[command.vm] == id else {
            return nil
        }
        current[command.vm] = nil
        return command
    }

    func hasCommand(for vm: VMID) -> Bool { current[vm] != nil }

    // MARK: Waiting

    /// Whether a VM may be given a command now.
    func isCommandDue(for vm: VMID, at now: Duration) -> Bool {
        current[vm] == nil && (retries[vm]?.at ?? .zero) <= now
    }

    /// The VM is looked at again once it is due.
    mutating func scheduleReconcile(of vm: VMID) { waiting.insert(vm) }

    /// The next command for a VM waits, twice as long as the last time.
    mutating func beginBackOff(of vm: VMID, at now: Duration) {
        var retry = retries[vm] ?? Retry()
        retry.backOff = min(
            max(retry.backOff * 2, Limits.commandBackOffFirst), Limits.commandBackOffMax)
        retry.at = now + retry.backOff
        retries[vm] = retry
        waiting.insert(vm)
    }

    mutating func endBackOff(of vm: VMID) {
        guard let retry = retries[vm] else { return }
        retries[vm] = retry.at == .zero ? nil : Retry(at: retry.at)
    }

    mutating func postponeCommands(for vm: VMID, until time: Duration) {
        retries[vm, default: Retry()].at = time
    }

    /// Whatever the VM waited for: it may be there now.
    mutating func clearRetryDelay(for vm: VMID) { retries[vm] = nil }

    var waitingVMs: Set<VMID> { waiting }

    /// Those that wait and are due, at most `limit`: they wait no more.
    mutating func removeDueVMs(at now: Duration, limit: Int) -> [VMID] {
        let due = waiting.filter { isCommandDue(for: $0, at: now) }
            .sorted { ($0.high, $0.low) < ($1.high, $1.low) }.prefix(limit)
        waiting.subtract(due)
        return Array(due)
    }

    mutating func removeEntries(for vm: VMID) {
        current[vm] = nil
        retries[vm] = nil
        waiting.remove(vm)
    }
}
