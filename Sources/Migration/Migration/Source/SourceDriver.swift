// Performs the actions of the source's machine on the migration's own thread, and gives the machine the resulting
// events.
//
// A successful migration, phase by phase:
//
//     phase         function                     file
//     connect       openControlConnection        SourceDriver+PreCopy
//     negotiate     makeOffer, openStreams       SourceDriver+PreCopy
//     pre-copy      sendRound (many times)       SourceDriver+PreCopy, Streams/SourceStreams
//     pause         pauseGuest                   SourceDriver+Handover
//     device state  sendLastPages                SourceDriver+Handover
//     last pages    sendLastPages                SourceDriver+Handover, Streams/SourceStreams
//     verify        sendLastPages, nextMessage   SourceDriver+Handover
//     handover      sealGuest, writeRecord,      SourceDriver+Handover
//                   sendGoMessage
//     announce      nextMessage                  SourceDriver+Handover; then finishMigration, here
//
// The machine decides; this file and its extensions only act. The reason of a failed action is recorded for the user;
// the machine receives only the event.

import Host
import MigrationProtocol
import Model
import Ownership
import PageCodec
import PeerLink

/// The driver of one migration at its source. For one thread.
final class SourceDriver {
    var offer: MigrationOffer
    let ledger: any OwnershipLedger
    let options: MigrationOptions
    let watch: MigrationWatch
    let dialer: PeerDialer

    var loop: SourceLoop
    var guest: GuestControl
    var connection: SourceConnection
    var reconnection: ReconnectState
    var reporting: SourceReporting

    init(
        offer: MigrationOffer, guest: any SourceGuest, destination: PeerAddress,
        ledger: any OwnershipLedger, options: MigrationOptions, watch: MigrationWatch,
        runtime: any MigrationRuntime, stop: any WakeFlag, news: any WakeFlag
    ) {
        self.offer = offer
        self.ledger = ledger
        self.options = options
        self.watch = watch
        dialer = PeerDialer(
            destination: destination, runtime: runtime, timing: options.timing, stop: stop,
            versions: offer.versions)
        self.guest = GuestControl(guest)
        connection = SourceConnection(dialer: dialer, news: news)
        reconnection = ReconnectState(pageCount: guest.layout.pageCount)
        reporting = SourceReporting(watch: watch, runtime: runtime)
        loop = SourceLoop(
            SourceMachine(
                vm: offer.vm, migration: offer.migration, epoch: offer.epoch,
                destination: destination.name,
                downtimeLimit: (options.downtimeLimit ?? offer.spec.downtimeLimit).duration,
                questionsMax: options.timing.questionsMax,
                // A rehearsal that meets a loss ends with that result.
                reconnectsMax: options.isRehearsal ? 0 : options.timing.reconnectsMax,
                isRehearsal: options.isRehearsal))
    }

    var machine: SourceMachine { loop.machine }
    var runtime: any MigrationRuntime { dialer.runtime }
    /// Ends every wait of every connection while it is set.
    var stop: any WakeFlag { dialer.stop }

    func runToCompletion() throws(MigrationFailure) -> MigrationReport {
        loop.receiveEvent(.start, isCancelled: isCancelObeyed)
        while true {
            guard let action = loop.nextAction else {
                loop.receiveEvent(nextMessage(), isCancelled: isCancelObeyed)
                continue
            }
            if case .end(let ending) = action { return try finishMigration(with: ending) }
            loop.finishAction(with: performAction(action), isCancelled: isCancelObeyed)
        }
    }

    /// Called only while the machine can be cancelled.
    private func isCancelObeyed() -> Bool {
        guard watch.isCancelled else { return false }
        reporting.recordCancel()
        return true
    }

    /// The event that resulted from the action; nil if the destination reports it.
    private func performAction(_ action: SourceMachine.Action) -> SourceMachine.Event? {
        switch action {
        case .connect: return openControlConnection()
        case .offer: return makeOffer()
        case .reconnect(let attempt): return reconnect(attempt: attempt)
        case .rehearse: return rehearseHandover()
        case .sendRound(let round): return sendRound(number: round)
        case .throttle(let percent): return throttleGuest(percent: percent)
        case .pause: return pauseGuest()
        case .sendLast(let round): return sendLastPages(round: round)
        case .seal: return sealGuest()
        case .write(let record): return writeRecord(record)
        case .sendGo(let epoch): return sendGoMessage(for: epoch)
        case .ask(let question, let attempt): return askDestination(question, attempt: attempt)
        case .resumeGuest: return guest.restoreGuest() ? .resumed : .resumeFailed
        case .abandon(let refusal):
            abandonMigration(with: refusal)
            return nil
        case .end: return nil
        }
    }

    func reportFailure(_ reason: MigrationFailure.Reason) -> SourceMachine.Event {
        reporting.recordFailure(reason)
        return .failed
    }

    private func abandonMigration(with refusal: MigrationRefusal) {
        // The peer may be unreachable: its own silence limit then ends its session.
        if let control = connection.control { try? control.sendMessage(.refused(refusal)) }
        closeConnection()
    }

    func closeConnection() {
        guard let streams = connection.closeAllConnections() else { return }
        reporting.recordStreams(streams, count: offer.streams)
        reconnection.retainPages(of: streams)
    }

    private func finishMigration(
        with ending: SourceMachine.Ending
    ) throws(MigrationFailure) -> MigrationReport {
        reporting.beginCleanUp()
        closeConnection()
        switch ending {
        case .handedOver, .runsHere(_, .rehearsed):
            return reporting.finishReport(pageCount: guest.guest.layout.pageCount)
        case .runsHere(let epoch, let cause):
            throw makeFailure(causedBy: cause, aftermath: .runsAtSource(epoch))
        case .stoppedHere(let epoch, let cause):
            let error =
                guest.resumeFailure
                ?? GuestError(operation: "resume", detail: "the guest did not resume")
            throw makeFailure(causedBy: cause, aftermath: .stoppedAtSource(epoch, error))
        case .unsettled(let epoch, let cause):
            let destination = dialer.destination.name
            throw makeFailure(causedBy: cause, aftermath: .unresolved(epoch, with: destination))
        }
    }

    private func makeFailure(
        causedBy cause: SourceMachine.Cause, aftermath: MigrationFailure.Aftermath
    ) -> MigrationFailure {
        reporting.makeFailure(
            causedBy: cause, aftermath: aftermath, resumeFailure: guest.resumeFailure)
    }

    /// What the post-migration verification needs; nil if none is requested.
    func makeVerifier() -> MemoryVerifier? {
        guard options.verifiesMemory, !reporting.isRehearsal, let table = reconnection.table else {
            return nil
        }
        return MemoryVerifier(
            guest: guest.guest, table: table, seed: offer.hashSeed, runtime: runtime)
    }
}
