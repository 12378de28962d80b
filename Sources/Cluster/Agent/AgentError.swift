// Why an agent does not start. Each message says what to do.

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
    /// VM folders exist, and the ledger that has the owners of the VMs is missing.
    case ledgerMissing(path: String, folders: [String])
    case programMissing(path: String)
    case term(TermFileError)

    package var description: String {
        switch self {
        case .hostNotInCluster(let host, let path, let known):
            "\(path) has no host \(host); it has \(known.map(\.text).joined(separator: ", "))"
        case .wrongKeys(let folder, let found, let wanted, let authority):
            "\(folder) contains the keys of \(found), and this agent is \(wanted): make new keys with `\(Self.issueCommand(for: wanted, authority: authority, folder: folder))`"
        case .expiredKeys(let folder, let identity, let authority):
            "the certificate in \(folder) has expired: make a new one with `\(Self.issueCommand(for: identity, authority: authority, folder: folder))`"
        case .ledger(let error): "\(error)"
        case .ledgerMissing(let path, let folders):
            "\(path) is missing, and only the ledger says which VMs this host may run; there are folders of \(folders.joined(separator: ", ")). Restore the file if it was moved, but never an older copy. If it is lost: find out with `ferry vm list` which of these VMs run on other hosts, end the ferry-vmm processes of all VMs on this host, move their folders out of \(Folder.parentFolder(ofPath: path))/vms, and start this agent again"
        case .term(let error): "\(error)"
        case .programMissing(let path):
            "\(path) does not exist: install ferry-vmm beside ferry-agent, or set FERRY_VMM to its path"
        }
    }

    /// The command that replaces the keys in a folder. The authority may be on another machine.
    private static func issueCommand(
        for identity: Identity, authority: String, folder: String
    ) -> String {
        "ferry pki issue --ca \(authority) --role \(identity.role.rawValue) --name \(identity.name) --out \(folder) --force"
    }
}
