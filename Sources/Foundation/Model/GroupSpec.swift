// A group of VMs, as its owner describes it.

/// A group of VMs that seek or shun each other.
package struct GroupSpec: Hashable, Sendable, Codable {
    package enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        case affinity
        case antiAffinity = "anti-affinity"
    }
    package enum Scope: String, Hashable, Sendable, Codable, CaseIterable {
        case host, rack, zone
    }

    package var name: String
    package var kind: Kind
    /// Nil for host.
    package var scope: Scope?
    /// Soft: a term of the score, with this weight. Nil: hard, never broken.
    package var softWeight: Double?
    /// Of anti-affinity: members that one host, rack or zone may have. Nil for 1.
    package var perDomainMax: Int?

    package init(
        name: String, kind: Kind, scope: Scope? = nil, softWeight: Double? = nil,
        perDomainMax: Int? = nil
    ) {
        self.name = name
        self.kind = kind
        self.scope = scope
        self.softWeight = softWeight
        self.perDomainMax = perDomainMax
    }
}
