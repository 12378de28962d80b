// The end of a rehearsal: one short pause to save the state, which the destination loads for trial while the guest
// runs.

import Host
import MigrationProtocol
import Model
import PageCodec
import PeerLink

extension SourceDriver {
    func rehearseHandover() -> SourceMachine.Event {
        guard let control = connection.control else { return .peerLost }
        let state: [UInt8]
        do { state = try snapshotState() } catch { return reportFailure(.guest(error)) }
        reporting.beginPhase(.deviceState)
        let reply: PeerMessage
        do {
            try control.sendMessage(.rehearse(state: state))
            reply = try control.receiveMessage()
        } catch let error as LinkError {
            return reportPeerLoss(causedBy: error)
        } catch let error as MessageError {
            return reportMessageError(error)
        } catch {
            trapOnUnexpectedError(error)
        }
        switch reply {
        case .rehearsed(let load):
            reporting.recordRehearsedLoad(lasting: load)
            return .rehearsed
        case .refused(let refusal): return reportRefusal(refusal)
        default: return reportFailure(.unexpectedMessage(reply.name))
        }
    }

    /// Returns with the guest running, or throws; in that case the machine resumes it.
    private func snapshotState() throws(GuestError) -> [UInt8] {
        var rehearsal = Rehearsal()
        let start = runtime.now
        reporting.beginPhase(.pause, at: start)
        let state = try guest.snapshotState()
        rehearsal.pause = runtime.now - start
        rehearsal.stateBytes = state.count
        rehearsal.downtimeLimit = options.downtimeLimit ?? offer.spec.downtimeLimit
        reporting.recordRehearsal(rehearsal, machine: machine, streams: connection.streams)
        return state
    }
}
