// The identity in a peer's certificate, and whether it is the expected one.

import COpenSSL
package import Model

/// The expected peer.
package enum ExpectedPeer: Hashable, Sendable {
    /// The agent of this host, in our cluster.
    case agent(HostName)
    /// Any agent of our cluster.
    case anyAgent

    /// Throws if `found` is not the expected peer.
    package func checkIdentity(_ found: Identity, in cluster: ClusterName) throws(LinkError) {
        guard found.cluster == cluster else {
            throw .wrongCluster(expected: cluster, found: found)
        }
        guard found.role == .agent else { throw .wrongRole(expected: .agent, found: found) }
        if case .agent(let name) = self, found.name != name {
            throw .wrongName(expected: name, found: found)
        }
    }
}

/// Why a certificate has no valid identity.
struct IdentityProblem: Error {
    let detail: String
}

/// The one ferry:// identity among the certificate's subject alternative names.
func readIdentity(from certificate: OpaquePointer) throws(IdentityProblem) -> Identity {
    let names = unsafe ferry_x509_alternative_names(certificate)
    defer { unsafe GENERAL_NAMES_free(names) }
    var uris: [String] = []
    let count = unsafe ferry_names_count(names)
    for index in 0..<count {
        var bytes: UnsafePointer<UInt8>?
        let count = unsafe Int(ferry_names_uri(names, index, &bytes))
        guard count >= 0, let start = unsafe bytes else { continue }
        guard count <= Limits.uriBytesMax else {
            throw IdentityProblem(detail: "it has a URI of \(count) bytes")
        }
        let text = unsafe String(
            validating: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
        uris.append(text ?? "a URI that is not UTF-8")
    }
    let ours = uris.filter { $0.hasPrefix("ferry://") }
    guard ours.count == 1 else {
        throw IdentityProblem(
            detail: ours.isEmpty ? "it has no ferry:// URI" : "it has \(ours.count) ferry:// URIs")
    }
    guard let identity = Identity(ours[0]) else {
        throw IdentityProblem(detail: "'\(ours[0])' is not ferry://CLUSTER/ROLE/NAME")
    }
    return identity
}
