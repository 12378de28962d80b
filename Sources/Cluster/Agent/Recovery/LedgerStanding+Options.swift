// A ledger record as the API reports it, and the recovery actions that it allows.

import API
import Model
import Ownership

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

    /// The recovery actions that a host with this ledger record accepts.
    func recoveryOptions(at host: HostName, hasMemory: Bool) -> [RecoveryOption] {
        guard let peer else { return [] }
        switch kind {
        case .released:
            return [takeoverOption(for: host, from: peer, hasMemory: hasMemory)]
        case .takenOver:
            return [
                RecoveryOption(
                    .forgetPeer,
                    effect:
                        "host \(host) stops notifying host \(peer) of the forced takeover, and the VM can be migrated and deleted again",
                    risk:
                        "if host \(peer) ever starts again with its old disk, it runs its old copy beside this one. Use this only for a host whose disk is permanently lost"
                )
            ]
        case .incoming:
            return [
                RecoveryOption(
                    .giveUp,
                    effect:
                        "host \(host) records that the VM never ran here at epoch \(epoch); host \(peer) then takes it back by itself"
                )
            ]
        default: return []
        }
    }

    private func takeoverOption(
        for host: HostName, from peer: HostName, hasMemory: Bool
    ) -> RecoveryOption {
        let result =
            hasMemory
            ? "resumes it where it is paused"
            : "can boot it again (its process is gone, and its memory with it)"
        return RecoveryOption(
            .takeOver,
            effect:
                "host \(host) takes the VM back at epoch \(epoch + 1), without an answer of host \(peer), and \(result)",
            risk:
                "host \(peer) may have taken the VM: if it is alive, two copies run, each with its own memory, until host \(peer) is notified. Make sure that it is switched off"
        )
    }
}
