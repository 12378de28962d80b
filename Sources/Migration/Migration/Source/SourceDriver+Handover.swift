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
        let now = runtime.now
        pausedAt = now
        let predicted = machine.prediction?.expected
        report.predictedDowntime = predicted ?? .zero
        watch.update { $0.predictedDowntime = predicted }
        setPhase(.pause, at: now)
        do throws(GuestError) {
            isPaused = true
            try guest.pauseForHandover()
            dirtyPages = try guest.fetchDirtyLog()
        } catch {
            fail(.guest(error))
            return .failed
        }
        return .paused
    }

    func sendLast(_ round: Int) -> SourceMachine.Event {
        guard let streams, let control else { return .peerLost }
        setPhase(.deviceState)
        let silenceMax = options.timing.deadPeerInHandover
        control.silenceMax = silenceMax
        streams.beginLastRound(round, silenceMax: silenceMax)
        let state: [UInt8]
        do { state = try guest.saveState() } catch {
            fail(.guest(error))
            return .failed
        }
        do { try control.send(.state(state)) } catch { return lost(error) }
        stateBytes = state.count
        setPhase(.lastPages)
        let pages = dirtyPages
        do throws(RoundError) {
            try streams.finish { () throws(RoundError) in try tick(round, pagesOfRound: pages) }
        } catch { return failedRound(error) }
        let root = streams.root
        report.memoryRoot = "\(root)"
        setPhase(.verify)
        do { try control.send(.verify(round: round, root: root)) } catch { return lost(error) }
        return .sentAll(root: root)
    }

    func seal() -> SourceMachine.Event {
        do { try guest.seal() } catch {
            fail(.guest(error))
            return .failed
        }
        return .sealed
    }

    func write(_ record: LedgerRecord) -> SourceMachine.Event {
        let isRelease = if case .released = record { true } else { false }
        if isRelease {
            guard watch.release() else {
                fail(.cancelled)
                return .recordFailed
            }
            setPhase(.handover)
        }
        do { try ledger.append(record) } catch {
            if isRelease { watch.takeBackRelease() }
            fail(.ledger(error))
            return .recordFailed
        }
        return .recordWritten
    }

    func sendGo(_ epoch: Epoch) -> SourceMachine.Event? {
        guard let control else { return .peerLost }
        do { try control.send(.go(epoch)) } catch { return lost(error) }
        return nil
    }

    /// Waits for what the destination says next. Called when there is nothing left to do here.
    func nextMessage() -> SourceMachine.Event {
        guard let control else { return .peerLost }
        let message: PeerMessage
        do { message = try control.receiveMessage() } catch {
            return watch.isCancelled && machine.canCancel ? .cancel : broken(error)
        }
        switch message {
        case .ready(let root, let load):
            clock.move(load, from: .verify, to: .deviceState)
            return .ready(root: root)
        case .running(let epoch, _, let resume):
            ranAt(runtime.now, resume: resume)
            return .running(epoch)
        case .answer(let answer): return .answer(answer)
        case .refused(let refusal): return refused(refusal)
        default:
            fail(.unexpectedMessage(message.name))
            return .failed
        }
    }

    /// The destination runs the VM: the end of the downtime by this host's clock.
    private func ranAt(_ now: Instant, resume: Duration) {
        setPhase(.announce, at: now)
        clock.move(resume, from: .handover, to: .resume)
        if let pausedAt { report.downtime = now - pausedAt }
        isPaused = false
    }

    func ask(_ question: OwnershipQuestion, _ attempt: Int) -> SourceMachine.Event {
        if attempt == 1 { closeAll() }
        stop.clear()
        do {
            if attempt > 1 { _ = try stop.wait(until: runtime.now + options.timing.questionPause) }
            let answer = try Questioner(dialer: dialer).ask(question)
            if case .taken = answer { ranAt(runtime.now, resume: .zero) }
            return .answer(answer)
        } catch let error as QuestionError {
            if case .noAnswer(let error) = error { fail(.link(error)) }
            return .noAnswer
        } catch {
            return .noAnswer
        }
    }
}
