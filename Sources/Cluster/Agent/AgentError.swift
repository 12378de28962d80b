// Why an agent does not start. Each is a sentence that says what to do.

import ClusterFile
import Host
import Keys
package import Migration
package import Model
import PeerLink

package enum AgentError: Error, Sendable, CustomStringConvertible {
    case hostNotInCluster(HostName, path: String, known: [HostName])
    case wrongKeys(folder: String, found: Identity, wanted: Identity, authority: String)
    case expiredKeys(folder: String, of: Identity, authority: String)
    case ledger(LedgerError)
    /// VM folders, and no ledger that says whose the VMs are.
    case ledgerMissing(path: String, folders: [String])
    case programMissing(path: String)
    case term(TermFileError)

    package var description: String {
        switch self {
        case .hostNotInCluster(let host, let path, let known):
            "\(path) has no host \(host); it has \(known.map(\.text).joined(separator: ", "))"
        case .wrongKeys(let folder, let found, let wanted, let authority):
            "\(folder) holds the keys of \(found), and this agent is \(wanted): make them with `\(Self.issue(wanted, authority, folder))`"
        case .expiredKeys(let folder, let identity, let authority):
            "the certificate in \(folder) has expired: make a new one with `\(Self.issue(identity, authority, folder))`"
        case .ledger(let error): "\(error)"
        case .ledgerMissing(let path, let folders):
            "\(path) is missing, and only it says which VMs this host may run; there are folders of \(folders.joined(separator: ", ")). Put it back if it was moved, but never an older copy. If it is lost: see with `ferry vm list` which of these VMs run on other hosts, end the ferry-vmm processes of all that are here, move their folders out of \(Folder.holding(path))/vms, and start this agent again"
        case .term(let error): "\(error)"
        case .programMissing(let path):
            "\(path) is not there: ferry-vmm must lie beside ferry-agent, or be named by FERRY_VMM"
        }
    }

    /// The command that replaces the keys in a folder. The authority may lie on another machine.
    private static func issue(
        _ identity: Identity, _ authority: String, _ folder: String
    ) -> String {
        "ferry pki issue --ca \(authority) --role \(identity.role.rawValue) --name \(identity.name) --out \(folder) --force"
    }
}
