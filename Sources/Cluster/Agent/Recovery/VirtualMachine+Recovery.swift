// Recovery actions on a VM whose two hosts cannot agree on its owner, as an operator or a controller orders them here,
// and what a forced takeover by another host does to the copy here.

package import API
import Host
import Logging
import Migration
import MigrationProtocol
import Model
import Ownership
import VMControl

// MARK: Actions ordered here

extension VirtualMachine {
    /// Writes the action to the ledger, then does it. Throws with the VM as it was.
    package func recoverVM(with request: RecoverVM) async throws(Problem) {
        guard let current = context.ledger.ownership(of: id),
            current.epoch.number == request.epoch
        else {
            let standing = LedgerStanding(context.ledger.ownership(of: id)).words
            throw Problem(
                .ledgerMovedOn,
                detail:
                    "the request is for epoch \(request.epoch), and the ledger of host \(context.name) says of VM \(name): \(standing)"
            )
        }
        switch request.action {
        case .takeOver:
            try requireConfirmation(in: request)
            try await takeOverVM(from: current)
        case .forgetPeer:
            try requireConfirmation(in: request)
            try await forgetPeer(of: current)
        case .giveUp: try await abandonArrival(of: current)
        }
    }

    private func requireConfirmation(in request: RecoverVM) throws(Problem) {
        guard request.confirm == name else {
            throw Problem(
                .notConfirmed,
                detail: "this action is not safe: confirm it with the VM's name, \(name)")
        }
    }

    private func takeOverVM(from current: Ownership) async throws(Problem) {
        guard case .released(_, let host, _) = current, let record = current.takeoverRecord(for: id)
        else { throw nothingToRecover(for: current) }
        try beginActivity(.recovering)
        defer { endActivity() }
        try await appendToLedger(record)
        ownership.changeCondition(
            to: .unacknowledgedTakeover(from: host), at: Ownership(record).epoch)
        guard let client = guest.process?.client else { return }
        do throws(Problem) { try await resumeGuest(through: client) } catch {
            guest.recordResumeFailure(.afterForcedTakeover(error.detail))
        }
    }

    private func forgetPeer(of current: Ownership) async throws(Problem) {
        guard let record = current.takeoverConfirmation(for: id) else {
            throw nothingToRecover(for: current)
        }
        try await appendToLedger(record)
        acknowledgeTakeover()
    }

    /// The process here ends when the source has asked about the VM, or with the agent.
    private func abandonArrival(of current: Ownership) async throws(Problem) {
        guard case .incoming(let epoch, _, let migration) = current else {
            throw nothingToRecover(for: current)
        }
        try await appendToLedger(.neverRan(vm: id, epoch: epoch, migration: migration))
    }

    private func nothingToRecover(for current: Ownership) -> Problem {
        Problem(
            .nothingToRecover,
            detail:
                "the ledger of host \(context.name) says of VM \(name): \(LedgerStanding(current).words)"
        )
    }

    private func appendToLedger(_ record: LedgerRecord) async throws(Problem) {
        let ledger = context.ledger
        do throws(LedgerError) {
            try await runOnThread(named: "ledger") { () throws(LedgerError) in
                try ledger.appendRecord(record)
            }
        } catch {
            // The other host may have answered just now.
            if case .contradicts = error { throw Problem(.ledgerMovedOn, detail: "\(error)") }
            throw Problem(.internalError, detail: "\(error)")
        }
    }

    /// The other host knows of the forced takeover, or is permanently lost.
    func acknowledgeTakeover() { ownership.changeCondition(to: .resolved) }
}

// MARK: Forced takeovers by another host

extension VirtualMachine {
    /// Returns with the VM paused and the record written; throws with the ledger as it was.
    func supersede(by record: LedgerRecord) async throws(MigrationRefusal) {
        do throws(Problem) { try beginActivity(.superseding) } catch {
            throw MigrationRefusal(.busy, text: error.detail)
        }
        defer { endActivity() }
        do throws(Problem) { try await holdGuest() } catch {
            throw MigrationRefusal(.guestFailure, text: error.detail)
        }
        let ledger = context.ledger
        do throws(LedgerError) {
            try await runOnThread(named: "ledger") { () throws(LedgerError) in
                try ledger.appendRecord(record)
            }
        } catch { throw MigrationRefusal(.ledgerFailure, text: "\(error)") }
        if case .superseded(_, let epoch, let host) = record {
            ownership.changeCondition(to: .superseded(by: host), at: epoch)
        }
        context.logger.warning(
            "VM superseded",
            metadata: ["vm": "\(name)", "epoch": "\(epoch)", "record": "\(record)"])
    }

    /// Pauses and seals the guest: only a request lets it run again.
    func holdGuest() async throws(Problem) {
        guard guest.unreachableProcess == nil else {
            throw Problem(.vmmFailed, detail: "the process of VM \(name) does not answer: stop it")
        }
        guard let process = guest.process else { return }
        let status = try await sendRequest { () throws(VMMError) -> VMMStatus in
            // The seal belongs to the connection that paused.
            let client = try process.openConnection()
            let status = try client.fetchStatus()
            switch DiscoveredState(status) {
            case .running, .paused(isSealed: false):
                try client.pauseGuest(forHandover: true)
                try client.sealHandover()
                return try client.fetchStatus()
            default: return status
            }
        }
        guest.updateStatus(to: status, of: process)
    }
}

// MARK: What an operator sees

extension VirtualMachine {
    /// - Parameter progress: of the queries to the other host; nil when there are none.
    package func readRecoveryInfo(progress: String?) async -> RecoveryInfo {
        await refreshStatus()
        let standing = LedgerStanding(context.ledger.ownership(of: id))
        return RecoveryInfo(
            host: context.name, vmID: id, name: name, ledger: standing, state: guest.status.state,
            processID: guest.process?.handle.processID, now: progress,
            options: standing.recoveryOptions(
                at: context.name, hasMemory: guest.process != nil))
    }

    /// The VM for the consistency check. The process number is also that of a process that does not answer.
    func observeForCheck() async -> (facts: VMCheckFacts, state: VMState, processID: Int32?) {
        await refreshStatus()
        let remains: DiscoveredState =
            if guest.process != nil {
                DiscoveredState(guest.status)
            } else if guest.unreachableProcess != nil {
                .silent
            } else {
                Folder.isPresent(at: files.folder) ? .folder : .nothing
            }
        let facts = VMCheckFacts(
            id: id, name: name, ownership: context.ledger.ownership(of: id), remains: remains,
            exit: guest.status.exit, activity: activity?.description,
            age: Instant.now - knownSince)
        return (facts, guest.status.state, guest.processID)
    }
}
