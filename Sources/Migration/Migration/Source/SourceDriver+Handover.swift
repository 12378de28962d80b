// From the pause to the message "running", and what follows if that message does not arrive.
//
// Steps overlap where they can: the last pages leave on the data streams while the state is saved and sent on the
// control connection, and the guest is sealed while the destination compares and loads.

import Host
import MigrationProtocol
import Model
import Ownership
import PeerLink

extension SourceDriver {
    func pauseGuest() -> SourceMachine.Event {
        reporting.recordPause(at: runtime.now, predicted: machine.prediction?.expected)
        do throws(GuestError) {
            try guest.pauseGuest()
            try guest.fetchDirtyLog()
        } catch { return reportFailure(.guest(error)) }
        return .paused
    }

    func sendLastPages(round: Int) -> SourceMachine.Event {
        guard let streams = connection.streams, let control = connection.control else {
            return .peerLost
        }
        reporting.beginPhase(.deviceState)
        let silenceMax = options.timing.deadPeerInHandover
        control.silenceMax = silenceMax
        streams.beginLastRound(number: round, silenceMax: silenceMax)
        let state: [UInt8]
        do { state = try guest.guest.saveState() } catch { return reportFailure(.guest(error)) }
        do { try control.sendMessage(.state(state)) } catch {
            return reportPeerLoss(causedBy: error)
        }
        reporting.recordState(bytes: state.count)
        reporting.beginPhase(.lastPages)
        let pages = guest.dirtyPages
        do throws(RoundError) {
            try streams.finishRound { () throws(RoundError) in
                try monitorRound(number: round, pages: pages)
            }
        } catch { return reportRoundFailure(causedBy: error) }
        let digest = streams.digest
        reporting.recordMemoryDigest(digest)
        reporting.beginPhase(.verify)
        do { try control.sendMessage(.verify(round: round, digest: digest)) } catch {
            return reportPeerLoss(causedBy: error)
        }
        return .sentAll(digest: digest)
    }

    func sealGuest() -> SourceMachine.Event {
        do { try guest.guest.sealForHandover() } catch { return reportFailure(.guest(error)) }
        return .sealed
    }

    func writeRecord(_ record: LedgerRecord) -> SourceMachine.Event {
        let isRelease = if case .released = record { true } else { false }
        if isRelease {
            guard watch.releaseUnlessCancelled() else {
                reporting.recordFailure(.cancelled)
                return .recordFailed
            }
            reporting.beginPhase(.handover)
        }
        do { try ledger.appendRecord(record) } catch {
            if isRelease { watch.revokeRelease() }
            reporting.recordFailure(.ledger(error))
            return .recordFailed
        }
        return .recordWritten
    }

    func sendGoMessage(for epoch: Epoch) -> SourceMachine.Event? {
        guard let control = connection.control else { return .peerLost }
        do { try control.sendMessage(.go(epoch)) } catch { return reportPeerLoss(causedBy: error) }
        return nil
    }

    /// Waits for the destination's next message. Called when this host has nothing left to do.
    func nextMessage() -> SourceMachine.Event {
        guard let control = connection.control else { return .peerLost }
        let message: PeerMessage
        do { message = try control.receiveMessage() } catch {
            return watch.isCancelled && machine.canCancel ? .cancel : reportMessageError(error)
        }
        switch message {
        case .ready(let digest, let load):
            reporting.recordStateLoad(lasting: load)
            return .ready(digest: digest)
        case .running(let epoch, _, let resume):
            markRunning(at: runtime.now, resume: resume)
            return .running(epoch)
        case .answer(let answer): return .answer(answer)
        case .refused(let refusal): return reportRefusal(refusal)
        default: return reportFailure(.unexpectedMessage(message.name))
        }
    }

    /// The destination runs the VM: the end of the downtime, by this host's clock.
    private func markRunning(at now: Instant, resume: Duration) {
        reporting.recordRunning(at: now, resume: resume)
        guest.markRunningAtDestination()
    }

    func askDestination(_ question: OwnershipQuestion, attempt: Int) -> SourceMachine.Event {
        if attempt == 1 { closeConnection() }
        stop.clearFlag()
        do {
            if attempt > 1 {
                _ = try stop.waitUntilSet(before: runtime.now + options.timing.questionPause)
            }
            let answer = try OwnershipQueryClient(dialer: dialer).askQuestion(question)
            if case .taken = answer { markRunning(at: runtime.now, resume: .zero) }
            return .answer(answer)
        } catch let error as OwnershipQueryError {
            if case .noAnswer(let error) = error { reporting.recordFailure(.link(error)) }
            return .noAnswer
        } catch {
            return .noAnswer
        }
    }
}
