// Opens connections to one peer: TLS, then hello and welcome.

import Host
import MigrationProtocol
import Model
import PeerLink

/// Why a connection could not be opened.
enum DialError: Error, Sendable {
    case link(LinkError)
    case refused(MigrationRefusal)
    case malformed(MessageError)
    case unexpected(String)
}

/// Opens connections to one destination.
struct PeerDialer: Sendable {
    let destination: PeerAddress
    let runtime: any MigrationRuntime
    let timing: PeerTiming
    /// Ends every wait of every connection.
    let stop: any WakeFlag
    /// The protocol versions that this side supports.
    var versions = MigrationProtocol.Limits.versionMin...MigrationProtocol.Limits.versionMax

    /// A connection whose peer has accepted its purpose, and the time until the hello was answered.
    func openConnection(
        for purpose: ConnectionPurpose
    ) throws(DialError) -> (connection: any Link, roundTrip: Duration) {
        let connection: any Link
        do {
            connection = try runtime.openConnection(
                to: destination, within: timing.connect, silenceMax: timing.deadPeer,
                interruptedBy: stop)
            try connection.sendMessage(.hello(versions: versions, purpose))
        } catch { throw .link(error) }
        let start = runtime.now
        let reply: PeerMessage
        do { reply = try connection.receiveMessage() } catch {
            if case .link(let error) = error { throw .link(error) }
            throw .malformed(error)
        }
        switch reply {
        case .welcome: return (connection, runtime.now - start)
        case .refused(let refusal): throw .refused(refusal)
        default: throw .unexpected(reply.name)
        }
    }
}
