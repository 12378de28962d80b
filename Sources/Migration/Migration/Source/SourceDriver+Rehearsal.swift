// A rehearsal's end: one short pause for the state, which the destination tries to load while the guest runs on.

import Host
import MigrationProtocol
import Model
import PageCodec
import PeerLink

extension SourceDriver {
    func rehearse() -> SourceMachine.Event {
        guard let control else { return .peerLost }
        let state: [UInt8]
        do { state = try snapshot() } catch {
            fail(.guest(error))
            return .failed
        }
        setPhase(.deviceState)
        let reply: PeerMessage
        do {
            try control.send(.rehearse(state: state))
            reply = try control.receiveMessage()
        } catch let error as LinkError {
            return lost(error)
        } catch let error as MessageError {
            return broken(error)
        } catch {
            unexpectedError(error)
        }
        switch reply {
        case .rehearsed(let load):
            report.rehearsal?.load = load
            return .rehearsed
        case .refused(let refusal): return refused(refusal)
        default:
            fail(.unexpectedMessage(reply.name))
            return .failed
        }
    }

    /// Returns with the guest running, or throws; then the machine resumes it.
    private func snapshot() throws(GuestError) -> [UInt8] {
        var rehearsal = Rehearsal()
        let start = runtime.now
        setPhase(.pause, at: start)
        isPaused = true
        try guest.pauseForHandover()
        let state = try guest.saveState()
        try guest.resume()
        isPaused = false
        rehearsal.pause = runtime.now - start
        rehearsal.stateBytes = state.count
        describe(&rehearsal)
        report.rehearsal = rehearsal
        return state
    }

    private func describe(_ rehearsal: inout Rehearsal) {
        if let prediction = machine.prediction {
            rehearsal.downtimeLower = prediction.lower
            rehearsal.downtime = prediction.expected
            rehearsal.downtimeUpper = prediction.upper
            report.predictedDowntime = prediction.expected
        }
        rehearsal.downtimeLimit = options.downtimeLimit ?? offer.spec.downtimeLimit
        rehearsal.dirtyPagesPerSecond = watch.progress.dirtyPagesPerSecond ?? 0
        rehearsal.wouldThrottle = machine.wouldThrottle
        let copying = clock.list.first { $0.phase == .preCopy }?.duration ?? .zero
        let bytes = pastCounts.wireBytes + (streams?.counts.wireBytes ?? 0)
        rehearsal.wireBytesPerSecond = Double(bytes) / max(copying.seconds, 1e-6)
    }
}
