// Records, messages and endings as text for people.

import MigrationProtocol
import Model
import Ownership
import VMControl

extension LedgerRecord {
    var text: String {
        switch self {
        case .owned(_, let epoch, let migration):
            "owned(\(epoch)\(migration.map { " by \(FixedValues.migrationLabel(of: $0))" } ?? ""))"
        case .released(_, let epoch, let host, let migration):
            "released(\(epoch) to \(host) by \(FixedValues.migrationLabel(of: migration)))"
        case .handedOver(_, let epoch, let host, _): "handedOver(\(epoch) to \(host))"
        case .takenOver(_, let epoch, let host, _): "takenOver(\(epoch) against \(host))"
        case .superseded(_, let epoch, let host): "superseded(\(epoch) by \(host))"
        case .incoming(_, let epoch, let host, let migration):
            "incoming(\(epoch) from \(host) by \(FixedValues.migrationLabel(of: migration)))"
        case .neverRan(_, let epoch, let migration):
            "neverRan(\(epoch) by \(FixedValues.migrationLabel(of: migration)))"
        case .deleted(_, let epoch): "deleted(\(epoch))"
        }
    }
}

extension HostLedger {
    var text: String {
        ownership.map { LedgerRecord(vm: FixedValues.vm, establishing: $0).text } ?? "nothing"
    }
}

extension ControlMessage {
    var isGo: Bool { if case .go = self { true } else { false } }

    var text: String {
        switch self {
        case .offer(let number, let epoch, let isRehearsal):
            "offer \(FixedValues.migrationLabel(number: number)), from epoch \(epoch)\(isRehearsal ? ", rehearsal" : "")"
        case .accepted: "accepted"
        case .rehearse: "rehearse"
        case .rehearsed: "rehearsed"
        case .verify: "last pages, state, verify"
        case .ready(let isRight): isRight ? "ready" : "ready, with another digest"
        case .go(let epoch): "GO(\(epoch))"
        case .running(let epoch): "running(\(epoch))"
        case .neverRan(let epoch): "never ran(\(epoch))"
        case .refused(let isHere):
            isHere ? "refused: the VM, or its last attempt, is here" : "refused"
        }
    }

    /// The event that the message is for the source's machine.
    var sourceEvent: SourceMachine.Event {
        switch self {
        case .accepted: .accepted(FixedValues.terms)
        case .rehearsed: .rehearsed
        case .ready(let isRight):
            .ready(digest: isRight ? FixedValues.digest : FixedValues.otherDigest)
        case .running(let epoch): .running(epoch)
        case .neverRan(let epoch): .answer(.neverRan(epoch))
        case .refused(let isHere): .refused(isHere ? FixedValues.isHere : FixedValues.refusal)
        case .offer, .rehearse, .verify, .go: .failed
        }
    }

    /// The event that the message is for the destination's machine. An offer's event is made where the offer is read.
    var destinationEvent: DestinationMachine.Event {
        switch self {
        case .rehearse: .rehearse
        case .verify: .complete(ours: FixedValues.digest, theirs: FixedValues.digest)
        case .go(let epoch): .go(epoch)
        case .refused: .refused(FixedValues.refusal)
        case .offer, .accepted, .rehearsed, .ready, .running, .neverRan:
            .failed(FixedValues.refusal)
        }
    }
}

extension OwnershipQuery {
    var text: String {
        switch self {
        case .question(let question): "did you take epoch \(question.epoch)?"
        case .notice(let notice): "epoch \(notice.epoch) is mine by a forced takeover"
        }
    }
}

extension QueryInTransit.Reply {
    var text: String {
        switch self {
        case .answer(.taken(let epoch)): "answer: taken, at epoch \(epoch)"
        case .answer(.neverRan(let epoch)): "answer: never ran at epoch \(epoch)"
        case .answer(.superseded(let epoch)): "answer: not before epoch \(epoch)"
        case .refused: "no answer: refused"
        }
    }
}

extension SourceMachine.Ending {
    var text: String {
        switch self {
        case .handedOver(let epoch): "handed over at epoch \(epoch)"
        case .runsHere(let epoch, _): "failed, and the VM runs here at epoch \(epoch)"
        case .stoppedHere(let epoch, _): "failed, and the VM is stopped here at epoch \(epoch)"
        case .unsettled(let epoch, _): "failed, and the handover at epoch \(epoch) is unresolved"
        }
    }
}

extension DestinationMachine.Ending {
    var text: String {
        switch self {
        case .refused: "ends the session: refused"
        case .running(let epoch): "ends the session: owner at epoch \(epoch)"
        case .ownedButStopped(let epoch, _): "ends the session: owner at epoch \(epoch), stopped"
        case .discarded: "ends the session: nothing kept"
        case .undecided: "ends the session: undecided"
        }
    }
}

extension AdoptionDecision.Step {
    var text: String {
        switch self {
        case .keep: "keeps what it found"
        case .keepAndResume: "resumes the guest that it found sealed"
        case .keepAsLost: "reports that the VM is lost"
        case .hold: "holds the guest"
        case .holdAndResolve: "holds the guest, and will ask"
        case .endAndForget: "ends and removes what it found"
        }
    }
}

extension OwnershipEntry? {
    var text: String {
        guard let self else { return "nothing" }
        return
            "epoch \(self.epoch) for \(self.host)\(self.takeover == nil ? "" : ", takeover ordered")"
    }
}

extension World {
    /// The state of both hosts, one line each.
    var summary: [String] {
        Side.allCases.map { side in
            let host = hosts[side]
            let power = host.isOn ? (host.isUp ? "agent up" : "agent down") : "off"
            let guest = host.process.map {
                "guest \($0.lifecycle.state.rawValue)\($0.lifecycle.isSealed ? ", sealed" : "")"
            }
            let activity =
                (host.outgoing.isEmpty ? "" : ", sends")
                + (host.sessions.isEmpty ? "" : ", receives")
                + (host.resolution == .idle ? "" : ", asks")
                + (host.undecided == nil ? "" : ", undecided")
            return
                "\(side.label): \(power), ledger \(host.ledger.text), \(guest ?? "no guest")\(activity)"
        }
    }
}
