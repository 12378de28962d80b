// Why a controller does not start. Each is a sentence that says what to do.

package import Host
package import Model

package enum ControllerError: Error, Sendable, CustomStringConvertible {
    case notInCluster(HostName, path: String, known: [HostName])
    case wrongKeys(folder: String, found: Identity, wanted: Identity, authority: String)
    case expiredKeys(folder: String, of: Identity, authority: String)
    case folderInUse(path: String)
    case folder(SystemError)

    package var description: String {
        switch self {
        case .notInCluster(let name, let path, let known):
            known.isEmpty
                ? "\(path) has no controllers: add `controllers:` with a name and an api address"
                : "\(path) has no controller \(name); it has \(known.map(\.text).joined(separator: ", "))"
        case .wrongKeys(let folder, let found, let wanted, let authority):
            "\(folder) holds the keys of \(found), and this controller is \(wanted): make them with `\(Self.identityIssue(of: wanted, authority: authority, folder: folder))`"
        case .expiredKeys(let folder, let identity, let authority):
            "the certificate in \(folder) has expired: make a new one with `\(Self.identityIssue(of: identity, authority: authority, folder: folder))`"
        case .folderInUse(let path):
            "\(path) is in use by another controller: stop that one, or give this one another state-folder"
        case .folder(let error): "the state folder cannot be used: \(error)"
        }
    }

    /// The command that replaces the keys in a folder. The authority may lie on another machine.
    private static func identityIssue(
        of identity: Identity, authority: String, folder: String
    ) -> String {
        "ferry pki issue --ca \(authority) --role \(identity.role.rawValue) --name \(identity.name) --out \(folder) --force"
    }
}
