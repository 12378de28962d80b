// The cluster file: the one piece of configuration, the same file on every host.
//
//   cluster: local-3
//   state-folder: .ferry/local-3/state     each host's agent keeps its things in state-folder/hosts/HOST
//   keys-folder: .ferry/local-3/keys       agent-HOST/, operator-NAME/ and, where it was made, authority/
//   memory-reserve: 256MiB                 kept back from VMs on every host (optional)
//   migration:                             how long a silent peer is waited for (optional, and so is each)
//     dead-peer-after: 10s                 before the handover
//     dead-peer-after-in-handover: 3s      from pause to resume, while the guest stands still
//     keep-broken-for: 60s                 what arrived before a loss is kept for a new attempt
//   hosts:
//     - name: host-a
//       api: 127.0.0.1:7101                where its agent serves the API
//       peer: 127.0.0.1:7201               where it takes migrations
//
// Relative folders are relative to the folder that the program is started in.

package import Host
package import Model

/// A cluster as its file describes it, checked.
package struct ClusterFile: Hashable, Sendable {
    package struct Member: Hashable, Sendable {
        package var name: HostName
        package var api: SocketAddress
        package var peer: SocketAddress
    }

    /// How long migrations wait.
    package struct Patience: Hashable, Sendable {
        package var deadPeer = Duration.seconds(10)
        package var deadPeerInHandover = Duration.seconds(3)
        package var keepBroken = Duration.seconds(60)
    }

    /// Where it was read from.
    package var path: String
    package var cluster: ClusterName
    /// Absolute.
    package var stateFolder: String
    /// Absolute.
    package var keysFolder: String
    package var memoryReserve: ByteCount
    package var patience: Patience
    package var hosts: [Member]

    package func host(_ name: HostName) -> Member? { hosts.first { $0.name == name } }

    package func stateFolder(of host: HostName) -> String { "\(stateFolder)/hosts/\(host)" }
    package var authorityFolder: String { "\(keysFolder)/authority" }
    package func keysFolder(of role: Role, _ name: HostName) -> String {
        "\(keysFolder)/\(role.rawValue)-\(name)"
    }
}

/// Why a cluster file cannot be used. Each sentence names the file, and the key where there is one.
package enum ClusterFileError: Error, Hashable, Sendable, CustomStringConvertible {
    case unreadable(path: String, SystemError)
    case notYAML(path: String, reason: String)
    case unknownKey(path: String, key: String, known: [String])
    case missingKey(path: String, key: String)
    case badValue(path: String, key: String, value: String, wanted: String)
    case duplicate(path: String, key: String, value: String)

    package var description: String {
        switch self {
        case .unreadable(let path, let error): "cannot read the cluster file \(path): \(error)"
        case .notYAML(let path, let reason): "\(path) is not YAML: \(reason)"
        case .unknownKey(let path, let key, let known):
            "\(path): unknown key '\(key)'; known here are \(known.joined(separator: ", "))"
        case .missingKey(let path, let key): "\(path): the key '\(key)' is missing"
        case .badValue(let path, let key, let value, let wanted):
            "\(path): '\(key)' is '\(value.prefix(80))'; use \(wanted)"
        case .duplicate(let path, let key, let value):
            "\(path): '\(key)' \(value) is there more than once"
        }
    }
}
