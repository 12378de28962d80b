// A VM as the scheduler sees it.

package import Model

/// The last time that a VM was moved, as far as anybody remembers.
package struct LastMove: Hashable, Sendable {
    /// The host that it left.
    package var from: String
    package var age: Duration

    package init(from: String, age: Duration) {
        self.from = from
        self.age = age
    }
}

/// A VM's shape, its demands on a host, and what is measured of it.
package struct PlacementVM: Hashable, Sendable {
    package var id: VMID
    package var name: String
    package var request: Resources
    /// CPU features that it was started with: a host must have them all.
    package var features = CPUFeatures([])
    /// Labels that a host must have.
    package var labels: Set<String> = []
    /// Affinity groups that it belongs to, by name.
    package var groups: [String] = []
    /// The only host that it may run on.
    package var pinnedHost: String?
    /// Whether balance may move it; a drain moves it all the same.
    package var mayBeBalanced = true
    /// Larger is more important: placed and moved before others.
    package var priority = 0
    /// Nil before anything is measured.
    package var use: MeasuredUse?
    /// Bytes of memory written in a second; nil when not known.
    package var dirtyBytesPerSecond: Double?
    package var downtimeLimit = DowntimeLimit.usual
    package var lastMove: LastMove?

    package init(id: VMID, name: String, request: Resources) {
        self.id = id
        self.name = name
        self.request = request
    }
}

/// Whether a group's VMs seek each other or shun each other, and how near counts.
package struct AffinityGroup: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// Members run in one domain.
        case together
        /// At most so many members run in one domain.
        case apart(perDomainMax: Int = 1)
        /// Members share a domain with each other, but never with members of another partition of the same whole: what
        /// clouds call partition or fault-domain placement.
        case partition(of: String)
    }

    package enum Scope: String, Hashable, Sendable, CaseIterable {
        case host, rack, zone
    }

    package enum Strength: Hashable, Sendable {
        /// Never broken.
        case hard
        /// A term of the score.
        case soft(weight: Double = 1)
    }

    package var name: String
    package var kind: Kind
    package var scope: Scope
    package var strength: Strength

    package init(
        name: String, kind: Kind, scope: Scope = .host, strength: Strength = .hard
    ) {
        self.name = name
        self.kind = kind
        self.scope = scope
        self.strength = strength
    }

    var isHard: Bool { strength == .hard }
}
