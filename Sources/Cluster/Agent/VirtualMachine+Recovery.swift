// A VM whose two hosts cannot settle whose it is: what there is to see, what people rule, and what another host's
// ruling means here.

package import API
import Host
import Logging
import Migration
import MigrationProtocol
import Model
import Ownership
import VMControl

// MARK: Rulings made here

extension VirtualMachine {
    /// Does what was ruled: written down first. Throws with the VM as it was.
    package func recover(_ request: RecoverVM) async throws(Problem) {
        guard let ownership = context.ledger.ownership(of: id),
            ownership.epoch.number == request.epoch
        else {
            let words = LedgerStanding(context.ledger.ownership(of: id)).words
            throw Problem(
                .ledgerMovedOn,
                "epoch \(request.epoch) was ruled about, and the ledger of host \(context.name) says of VM \(name): \(words)"
            )
        }
        switch request.action {
        case .takeOver:
            try checkConfirmed(request)
            try await runHere(ownership)
        case .forgetPeer:
            try checkConfirmed(request)
            try await forgetPeer(ownership)
        case .giveUp: try await giveUp(ownership)
        }
    }

    private func checkConfirmed(_ request: RecoverVM) throws(Problem) {
        guard request.confirm == name else {
            throw Problem(
                .notConfirmed, "this ruling is not safe: confirm it with the VM's name, \(name)")
        }
    }

    private func runHere(_ ownership: Ownership) async throws(Problem) {
        guard case .released(_, let host, _) = ownership, let record = ownership.takeover(vm: id)
        else { throw nothingToRecover(ownership) }
        try begin("being recovered")
        defer { activity = nil }
        try await write(record)
        isUnsettled = false
        markTakenOver(Ownership(record).epoch, against: host)
        guard let client = process?.client else { return }
        do throws(Problem) {
            try await control { () throws(VMMError) in try client.resume() }
        } catch {
            warning = "taken back by a ruling, but it would not resume: \(error.detail)"
        }
    }

    private func forgetPeer(_ ownership: Ownership) async throws(Problem) {
        guard let record = ownership.takeoverConfirmed(vm: id) else {
            throw nothingToRecover(ownership)
        }
        try await write(record)
        takeoverConfirmed()
    }

    /// The guest itself goes when its source has asked, or with the agent.
    private func giveUp(_ ownership: Ownership) async throws(Problem) {
        guard case .incoming(let epoch, _, let migration) = ownership else {
            throw nothingToRecover(ownership)
        }
        try await write(.neverRan(vm: id, epoch: epoch, migration: migration))
    }

    private func nothingToRecover(_ ownership: Ownership) -> Problem {
        Problem(
            .nothingToRecover,
            "the ledger of host \(context.name) says of VM \(name): \(LedgerStanding(ownership).words)"
        )
    }

    private func write(_ record: LedgerRecord) async throws(Problem) {
        let ledger = context.ledger
        do throws(LedgerError) {
            try await onThread("ledger") { () throws(LedgerError) in try ledger.append(record) }
        } catch {
            // The other host may have answered just now.
            if case .contradicts = error { throw Problem(.ledgerMovedOn, "\(error)") }
            throw Problem(.internalError, "\(error)")
        }
    }

    /// It runs here by a ruling that the other host has not heard of.
    func markTakenOver(_ epoch: Epoch, against host: HostName) {
        self.epoch = epoch
        warning =
            "this host's by a ruling at epoch \(epoch), and host \(host) has not heard of it: it may run an older copy until it has; this host keeps telling it"
    }

    /// The other host has heard, or is gone for good.
    func takeoverConfirmed() { warning = nil }
}

// MARK: Rulings made elsewhere

extension VirtualMachine {
    /// Returns with the VM standing still for good and the record written; throws with the ledger as it was.
    func supersede(_ record: LedgerRecord) async throws(MigrationRefusal) {
        do throws(Problem) { try begin("being overruled") } catch {
            throw MigrationRefusal(.busy, error.detail)
        }
        defer { activity = nil }
        do throws(Problem) { try await holdStill() } catch {
            throw MigrationRefusal(.guestFailure, error.detail)
        }
        let ledger = context.ledger
        do throws(LedgerError) {
            try await onThread("ledger") { () throws(LedgerError) in try ledger.append(record) }
        } catch { throw MigrationRefusal(.ledgerFailure, "\(error)") }
        if case .superseded(_, let epoch, let host) = record { markSuperseded(epoch, by: host) }
        context.logger.warning(
            "VM overruled", metadata: ["vm": "\(name)", "epoch": "\(epoch)", "record": "\(record)"])
    }

    func markSuperseded(_ epoch: Epoch, by host: HostName) {
        self.epoch = epoch
        warning =
            "overruled: host \(host) owns this VM at epoch \(epoch) by a ruling; the copy here stands still for good: save it or delete it"
    }

    /// Makes sure that it stands still, and that only a request lets it run again.
    func holdStill() async throws(Problem) {
        guard silentProcess == nil else {
            throw Problem(.vmmFailed, "the process of VM \(name) does not answer: stop it")
        }
        guard let process else { return }
        status = try await control { () throws(VMMError) in
            // The seal belongs to the connection that paused.
            let client = try process.anotherClient()
            let status = try client.status()
            switch DiscoveredState(status) {
            case .running, .paused(isSealed: false):
                try client.pause(forHandover: true)
                try client.seal()
                return try client.status()
            default: return status
            }
        }
    }
}

// MARK: The picture

extension VirtualMachine {
    /// - Parameter settlement: what is known of the talk with the other host.
    package func recoveryInfo(_ settlement: String?) async -> RecoveryInfo {
        await refresh()
        let standing = LedgerStanding(context.ledger.ownership(of: id))
        return RecoveryInfo(
            host: context.name, vmID: id, name: name, ledger: standing, state: status.state,
            processID: process?.handle.processID, now: settlement,
            options: standing.options(at: context.name, hasMemory: process != nil))
    }
}

extension LedgerStanding {
    init(_ ownership: Ownership?) {
        switch ownership {
        case .owned(let epoch, let migration):
            self.init(.owned, epoch: epoch.number, migration: migration)
        case .released(let epoch, let host, let migration):
            self.init(.released, epoch: epoch.number, peer: host, migration: migration)
        case .handedOver(let epoch, let host, let migration):
            self.init(.handedOver, epoch: epoch.number, peer: host, migration: migration)
        case .takenOver(let epoch, let host, let migration):
            self.init(.takenOver, epoch: epoch.number, peer: host, migration: migration)
        case .superseded(let epoch, let host):
            self.init(.superseded, epoch: epoch.number, peer: host)
        case .incoming(let epoch, let host, let migration):
            self.init(.incoming, epoch: epoch.number, peer: host, migration: migration)
        case .neverRan(let epoch, let migration):
            self.init(.neverRan, epoch: epoch.number, migration: migration)
        case .deleted(let epoch): self.init(.deleted, epoch: epoch.number)
        case nil: self.init(.unknown)
        }
    }

    /// What may be ruled at a host whose ledger says this.
    fileprivate func options(at host: HostName, hasMemory: Bool) -> [RecoveryOption] {
        guard let peer else { return [] }
        switch kind {
        case .released:
            let fate =
                hasMemory
                ? "runs it on from where it stands"
                : "can boot it again (its process is gone, and its memory with it)"
            return [
                RecoveryOption(
                    .takeOver,
                    effect:
                        "host \(host) takes the VM back at epoch \(epoch + 1), without the word of host \(peer), and \(fate)",
                    risk:
                        "host \(peer) may have taken the VM: if it is alive, two copies run, each with its own memory, until it has heard of this. Be sure that it is switched off"
                )
            ]
        case .takenOver:
            return [
                RecoveryOption(
                    .forgetPeer,
                    effect:
                        "host \(host) no longer tells host \(peer) of the ruling, and the VM can be moved and deleted again",
                    risk:
                        "should host \(peer) ever start again with its old disk, it runs its old copy beside this one. Only for a host whose disk is gone for good"
                )
            ]
        case .incoming:
            return [
                RecoveryOption(
                    .giveUp,
                    effect:
                        "host \(host) writes down that the VM never ran here at epoch \(epoch); host \(peer) then takes it back by itself"
                )
            ]
        default: return []
        }
    }
}
