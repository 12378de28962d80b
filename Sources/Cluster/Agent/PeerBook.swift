// Where the other hosts take migrations: what the cluster file says, and what controllers have said of hosts that may
// not be in this host's copy of it. What was said is kept in STATE/peers.json, for a VM that was released must be
// talked about with its destination also by the agent's next life.

package import ClusterFile
import FoundationEssentials
package import Host
package import Logging
package import Model
import Synchronization

package final class PeerBook: Sendable {
    private struct Entry: Codable {
        var name: HostName
        var address: String
    }

    private let cluster: ClusterFile
    private let path: String
    /// What was said, the latest last.
    private let told: Mutex<[Entry]>

    /// A file that cannot be read costs what was said; the cluster file is still there.
    package init(cluster: ClusterFile, path: String, logger: Logger) {
        self.cluster = cluster
        self.path = path
        var entries: [Entry] = []
        if File.isThere(path) {
            do {
                let bytes = try File.read(path, limit: Limits.peersBytesMax)
                entries = try JSONDecoder().decode([Entry].self, from: Data(bytes))
            } catch {
                logger.error(
                    "the addresses of other hosts are forgotten", metadata: ["error": "\(error)"])
            }
        }
        told = Mutex(entries)
    }

    /// Where it may be, the likeliest first; empty for a host that nobody has spoken of.
    package func addresses(of host: HostName) -> [SocketAddress] {
        let said = told.withLock {
            $0.last { $0.name == host }.flatMap { SocketAddress($0.address) }
        }
        let known = cluster.host(host)?.peer
        return [said, said == known ? nil : known].compactMap(\.self)
    }

    /// A host is there. Returns when that is written down. Blocks.
    package func learn(_ host: HostName, at address: SocketAddress) throws(SystemError) {
        // The lock is held over the write on purpose: an older list must not overwrite a newer one.
        try told.withLock { (told) throws(SystemError) in
            let entry = Entry(name: host, address: address.description)
            if told.contains(where: { $0.name == host && $0.address == entry.address }) { return }
            var entries = told.filter { $0.name != host } + [entry]
            entries.removeFirst(max(0, entries.count - Limits.peersMax))
            try AtomicFile.write(Self.encoded(entries), to: path, mode: 0o600)
            told = entries
        }
    }

    private static func encoded(_ entries: [Entry]) -> [UInt8] {
        do { return try Array(JSONEncoder().encode(entries)) } catch {
            fatalError("names and addresses are always JSON: \(error)")
        }
    }
}
