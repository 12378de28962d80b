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
//   controllers:                           none: the agents are told one by one
//     - name: controller-1
//       api: 127.0.0.1:7100                where it serves the cluster's API
//   store:                                 what the controllers keep (optional: sqlite, for one controller)
//     kind: etcd
//     endpoints: [https://10.0.0.1:2379]
//     keys-folder: /etc/ferry/etcd         ca.pem, cert.pem and key.pem for etcd (https only)
//   control:                               (optional, and so is each)
//     heartbeat: 5s                        between an agent's reports
//     host-lease: 20s                      a host that was not answered for so long stops its leased VMs
//     controller-lease: 5s                 a controller that is silent for so long no longer leads
//     policy: worst-fit                    where VMs are placed
//     balance: advise                      off, advise or auto, until an operator says otherwise
//   hosts:
//     - name: host-a
//       api: 127.0.0.1:7101                where its agent serves the API
//       peer: 127.0.0.1:7201               where it takes migrations
//       labels: [ssd, generation=7]        what VMs may ask for (optional, and so is all that follows)
//       zone: hall-1                       what fails together: zone and rack
//       rack: r12
//       link: switch-3                     a link that its migrations share with those of other hosts
//       link-speed: 10Gbit
//       cpu-overcommit: 4                  vCPUs that may be promised for each core
//       memory-overcommit: 1
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
        package var traits = Traits()
    }

    /// What the scheduler should know of a host and its agent cannot find out.
    package struct Traits: Hashable, Sendable {
        package var labels: [String] = []
        package var zone = ""
        package var rack = ""
        package var link = ""
        package var linkBytesPerSecond = 1.25e9
        package var cpuOvercommit = 1.0
        package var memoryOvercommit = 1.0

        package init() {}
    }

    package struct Controller: Hashable, Sendable {
        package var name: HostName
        package var api: SocketAddress
    }

    /// Where the controllers keep the cluster's state.
    package enum Store: Hashable, Sendable {
        /// A file in the controller's state folder.
        case sqlite
        /// - keysFolder: absolute; nil for endpoints without TLS.
        case etcd(endpoints: [String], keysFolder: String?)
    }

    package struct Control: Hashable, Sendable {
        package var heartbeat = Duration.seconds(5)
        package var hostLease = Duration.seconds(20)
        package var controllerLease = Duration.seconds(5)
        package var policy = "worst-fit"
        package var balance = "advise"

        package init() {}
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
    package var controllers: [Controller]
    package var store: Store
    package var control: Control

    package func findHost(named name: HostName) -> Member? { hosts.first { $0.name == name } }
    /// Another host has its API at the same IP address: both are one machine, as in a cluster on loopback.
    package func isOnSharedMachine(host name: HostName) -> Bool {
        guard let ip = findHost(named: name)?.api.ip else { return false }
        return hosts.contains { $0.name != name && $0.api.ip == ip }
    }
    package func findController(named name: HostName) -> Controller? {
        controllers.first { $0.name == name }
    }

    package func stateFolder(of host: HostName) -> String { "\(stateFolder)/hosts/\(host)" }
    package func controllerFolder(of name: HostName) -> String {
        "\(stateFolder)/controllers/\(name)"
    }
    package var authorityFolder: String { "\(keysFolder)/authority" }
    package func keysFolder(for role: Role, named name: HostName) -> String {
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
