// Where a server's API is, and who must be there.

package import Model

/// An agent or a controller to talk to. Its certificate must name this very server: the connection goes to the IP
/// address, and the certificate is checked for the server's DNS name.
package struct HostAddress: Hashable, Sendable {
    package var identity: Identity
    package var ip: String
    package var port: Int

    package init(identity: Identity, ip: String, port: Int) {
        self.identity = identity
        self.ip = ip
        self.port = port
    }

    package init(
        cluster: ClusterName, role: Role = .agent, name: HostName, ip: String, port: Int
    ) {
        self.init(
            identity: Identity(cluster: cluster, role: role, name: name), ip: ip, port: port)
    }

    package var name: HostName { identity.name }
    var baseURL: String { "https://\(identity.dnsName):\(port)" }
    package var description: String { ip.contains(":") ? "[\(ip)]:\(port)" : "\(ip):\(port)" }
}
