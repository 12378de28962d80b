// The peer addresses of the other hosts: those of the cluster file, and those that controllers sent for hosts that may
// not be in this host's copy of it. Addresses from controllers are stored in STATE/peers.json, because an agent that
// starts again must be able to query the destination of a released VM.

package import ClusterFile
import FoundationEssentials
package import Host
package import Logging
package import Model
import Synchronization

package final class PeerDirectory: Sendable {
    private struct Entry: Codable {
        var name: HostName
        var address: String
    }

    private let cluster: ClusterFile
    private let path: String
    /// Addresses from controllers, the latest last.
    private let received: Mutex<[Entry]>

    /// If the file cannot be read, only the addresses of the cluster file are known.
    package init(cluster: ClusterFile, path: String, logger: Logger) {
        self.cluster = cluster
        self.path = path
        var entries: [Entry] = []
        if File.isPresent(at: path) {
            do {
                let bytes = try File.readContents(at: path, limit: Limits.peersBytesMax)
                entries = try JSONDecoder().decode([Entry].self, from: Data(bytes))
            } catch {
                logger.error(
                    "the file of other hosts' addresses cannot be read",
                    metadata: ["error": "\(error)"])
            }
        }
        received = Mutex(entries)
    }

    /// The most likely address first; empty for an unknown host.
    package func addresses(of host: HostName) -> [SocketAddress] {
        let sent = received.withLock {
            $0.last { $0.name == host }.flatMap { SocketAddress($0.address) }
        }
        let known = cluster.findHost(named: host)?.peer
        return [sent, sent == known ? nil : known].compactMap(\.self)
    }

    /// Stores the address of a host. Returns when it is written. Blocks.
    package func recordPeer(named host: HostName, at address: SocketAddress) throws(SystemError) {
        // The lock is held during the write on purpose: an older list must not overwrite a newer one.
        try received.withLock { (received) throws(SystemError) in
            let entry = Entry(name: host, address: address.description)
            if received.contains(where: { $0.name == host && $0.address == entry.address }) {
                return
            }
            var entries = received.filter { $0.name != host } + [entry]
            entries.removeFirst(max(0, entries.count - Limits.peersMax))
            try AtomicFile.writeBytes(Self.encodeEntries(entries), to: path, mode: 0o600)
            received = entries
        }
    }

    private static func encodeEntries(_ entries: [Entry]) -> [UInt8] {
        do { return try Array(JSONEncoder().encode(entries)) } catch {
            fatalError("names and addresses are always JSON: \(error)")
        }
    }
}
