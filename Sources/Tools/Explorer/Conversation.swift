// Records, words and endings as a person reads them.

import MigrationProtocol
import Model
import Ownership
import VMControl

extension LedgerRecord {
    var words: String {
        switch self {
        case .owned(_, let epoch, let migration):
            "owned(\(epoch)\(migration.map { " by \(Cast.label($0))" } ?? ""))"
        case .released(_, let epoch, let host, let migration):
            "released(\(epoch) to \(host) by \(Cast.label(migration)))"
        case .handedOver(_, let epoch, let host, _): "handedOver(\(epoch) to \(host))"
        case .takenOver(_, let epoch, let host, _): "takenOver(\(epoch) against \(host))"
        case .superseded(_, let epoch, let host): "superseded(\(epoch) by \(host))"
        case .incoming(_, let epoch, let host, let migration):
            "incoming(\(epoch) from \(host) by \(Cast.label(migration)))"
        case .neverRan(_, let epoch, let migration):
            "neverRan(\(epoch) by \(Cast.label(migration)))"
        case .deleted(_, let epoch): "deleted(\(epoch))"
        }
    }
}

extension Word {
    var isGo: Bool { if case .go = self { true } else { false } }

    var words: String {
        switch self {
        case .offer(let number, let epoch, let isRehearsal):
            "offer \(Cast.label(number)), from epoch \(epoch)\(isRehearsal ? ", rehearsal" : "")"
        case .accepted: "accepted"
        case .rehearse: "rehearse"
        case .rehearsed: "rehearsed"
        case .verify: "last pages, state, verify"
        case .ready(let isRight): isRight ? "ready" : "ready, with another root"
        case .go(let epoch): "GO(\(epoch))"
        case .running(let epoch): "running(\(epoch))"
        case .neverRan(let epoch): "never ran(\(epoch))"
        case .refused(let isHere):
            isHere ? "refused: the VM, or its last attempt, is here" : "refused"
        }
    }

    /// What it is to the source's machine.
    var sourceEvent: SourceMachine.Event {
        switch self {
        case .accepted: .accepted(Cast.terms)
        case .rehearsed: .rehearsed
        case .ready(let isRight): .ready(root: isRight ? Cast.root : Cast.otherRoot)
        case .running(let epoch): .running(epoch)
        case .neverRan(let epoch): .answer(.neverRan(epoch))
        case .refused(let isHere): .refused(isHere ? Cast.isHere : Cast.refusal)
        case .offer, .rehearse, .verify, .go: .failed
        }
    }

    /// What it is to the destination's machine. An offer is more than its word, and made where it is read.
    var destinationEvent: DestinationMachine.Event {
        switch self {
        case .rehearse: .rehearse
        case .verify: .complete(ours: Cast.root, theirs: Cast.root)
        case .go(let epoch): .go(epoch)
        case .refused: .refused(Cast.refusal)
        case .offer, .accepted, .rehearsed, .ready, .running, .neverRan: .failed(Cast.refusal)
        }
    }
}

extension Inquiry.Body {
    var words: String {
        switch self {
        case .question(let question): "did you take epoch \(question.epoch)?"
        case .notice(let notice): "epoch \(notice.epoch) is mine by a forced takeover"
        }
    }
}

extension Inquiry.Reply {
    var words: String {
        switch self {
        case .answer(.taken(let epoch)): "answer: taken, at epoch \(epoch)"
        case .answer(.neverRan(let epoch)): "answer: never ran at epoch \(epoch)"
        case .answer(.superseded(let epoch)): "answer: not before epoch \(epoch)"
        case .refused: "no answer: refused"
        }
    }
}

extension SourceMachine.Ending {
    var words: String {
        switch self {
        case .handedOver(let epoch): "handed over at epoch \(epoch)"
        case .runsHere(let epoch, _): "failed, and the VM runs here at epoch \(epoch)"
        case .stoppedHere(let epoch, _): "failed, and the VM stands here at epoch \(epoch)"
        case .unsettled(let epoch, _): "failed, and epoch \(epoch) is unsettled"
        }
    }
}

extension DestinationMachine.Ending {
    var words: String {
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
    var words: String {
        switch self {
        case .keep: "keeps what it found"
        case .keepAndResume: "lets the guest run that it found sealed"
        case .keepAsLost: "tells that the VM is lost"
        case .hold: "holds the guest still"
        case .holdAndResolve: "holds the guest still, and will ask"
        case .endAndForget: "ends and forgets what it found"
        }
    }
}

extension OwnershipEntry? {
    var words: String {
        guard let self else { return "nothing" }
        return
            "epoch \(self.epoch) for \(self.host)\(self.takeover == nil ? "" : ", takeover open")"
    }
}

extension World {
    /// Where everything stands, in a few lines.
    var summary: [String] {
        Side.allCases.map { side in
            let host = hosts[side]
            let ledger = host.ledger.ownership.map { LedgerRecord(vm: Cast.vm, $0).words }
            let power = host.isOn ? (host.isUp ? "agent up" : "agent down") : "off"
            let guest = host.process.map {
                "guest \($0.lifecycle.state.rawValue)\($0.lifecycle.isSealed ? ", sealed" : "")"
            }
            let activity =
                (host.outgoing.isEmpty ? "" : ", sends")
                + (host.sessions.isEmpty ? "" : ", receives")
                + (host.errand == .idle ? "" : ", asks")
                + (host.undecided == nil ? "" : ", undecided")
            return
                "\(side.label): \(power), ledger \(ledger ?? "empty"), \(guest ?? "no guest")\(activity)"
        }
    }
}
