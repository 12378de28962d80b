// Where the files of an identity, or of a cluster's authority, lie in a folder.

/// The names in a folder of keys.
package struct KeyFolder: Hashable, Sendable {
    package let path: String

    package init(_ path: String) { self.path = path }

    /// The cluster authority's certificate: whom to trust.
    package var authorityCertificate: String { "\(path)/ca.pem" }
    /// The authority's key; only in the folder that `ferry pki init` made.
    package var authorityKey: String { "\(path)/ca-key.pem" }
    /// The own certificate.
    package var certificate: String { "\(path)/cert.pem" }
    /// The own key, PKCS#8.
    package var key: String { "\(path)/key.pem" }
}
