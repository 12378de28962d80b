// From the pause to the answer "running", and what follows when that answer does not come.
//
// What need not wait does not: the last pages leave on the data streams while the state is saved and sent on the
// control connection; the guest is sealed while the destination compares and loads.

import Host
import MigrationProtocol
import Model
import Ownership
import PeerLink

extension SourceDriver {
    func pause() -> SourceMachine.Event {
        reporting.recordPause(at: runtime.now, predicted: machine.prediction?.expected)
        do throws(GuestError) {
            try guest.pause()
            try guest.fetchDirtyLog()
        } catch { return fail(.guest(error)) }
        return .paused
    }

    func sendLast(round: Int) -> SourceMachine.Event {
        guard let streams = connection.streams, let control = connection.control else {
            return .peerLost
        }
        reporting.beginPhase(.deviceState)
        let silenceMax = options.timing.deadPeerInHandover
        control.silenceMax = silenceMax
        streams.beginLastRound(round, silenceMax: silenceMax)
        let state: [UInt8]
        do { state = try guest.guest.saveState() } catch { return fail(.guest(error)) }
        do { try control.send(.state(state)) } catch { return reportLoss(error) }
        reporting.recordState(bytes: state.count)
        reporting.beginPhase(.lastPages)
        let pages = guest.dirtyPages
        do throws(RoundError) {
            try streams.finish { () throws(RoundError) in try watchRound(round, pages: pages) }
        } catch { return reportRoundFailure(error) }
        let digest = streams.digest
        reporting.recordMemoryDigest(digest)
        reporting.beginPhase(.verify)
        do { try control.send(.verify(round: round, digest: digest)) } catch {
            return reportLoss(error)
        }
        return .sentAll(digest: digest)
    }

    func seal() -> SourceMachine.Event {
        do { try guest.guest.seal() } catch { return fail(.guest(error)) }
        return .sealed
    }

    func write(_ record: LedgerRecord) -> SourceMachine.Event {
        let isRelease = if case .released = record { true } else { false }
        if isRelease {
            guard watch.release() else {
                reporting.recordFailure(.cancelled)
                return .recordFailed
            }
            reporting.beginPhase(.handover)
        }
        do { try ledger.append(record) } catch {
            if isRelease { watch.takeBackRelease() }
            reporting.recordFailure(.ledger(error))
            return .recordFailed
        }
        return .recordWritten
    }

    func sendGo(_ epoch: Epoch) -> SourceMachine.Event? {
        guard let control = connection.control else { return .peerLost }
        do { try control.send(.go(epoch)) } catch { return reportLoss(error) }
        return nil
    }

    /// Waits for the next message of the destination. Called when there is nothing left to do here.
    func nextMessage() -> SourceMachine.Event {
        guard let control = connection.control else { return .peerLost }
        let message: PeerMessage
        do { message = try control.receiveMessage() } catch {
            return watch.isCancelled && machine.canCancel ? .cancel : reportUnreadable(error)
        }
        switch message {
        case .ready(let digest, let load):
            reporting.recordLoad(load)
            return .ready(digest: digest)
        case .running(let epoch, _, let resume):
            markRunning(at: runtime.now, resume: resume)
            return .running(epoch)
        case .answer(let answer): return .answer(answer)
        case .refused(let refusal): return reportRefusal(refusal)
        default: return fail(.unexpectedMessage(message.name))
        }
    }

    /// The destination runs the VM: the end of the downtime by this host's clock.
    private func markRunning(at now: Instant, resume: Duration) {
        reporting.recordRunning(at: now, resume: resume)
        guest.markRunningAtDestination()
    }

    func ask(_ question: OwnershipQuestion, attempt: Int) -> SourceMachine.Event {
        if attempt == 1 { closeConnection() }
        stop.clear()
        do {
            if attempt > 1 { _ = try stop.wait(until: runtime.now + options.timing.questionPause) }
            let answer = try Questioner(dialer: dialer).ask(question)
            if case .taken = answer { markRunning(at: runtime.now, resume: .zero) }
            return .answer(answer)
        } catch let error as QuestionError {
            if case .noAnswer(let error) = error { reporting.recordFailure(.link(error)) }
            return .noAnswer
        } catch {
            return .noAnswer
        }
    }
}
