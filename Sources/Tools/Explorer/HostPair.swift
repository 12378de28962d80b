// Both hosts of a world. Worlds that follow one another share what did not change: a host is copied when it is changed,
// and its hash is computed once.

/// A host and its hash. It is written only while one world alone refers to it, and read by any thread afterwards.
private final class HostBox: @unchecked Sendable {
    var state: HostState
    /// Nil from a change until the next fingerprint, which is taken before the world is handed on.
    var hash: UInt64?

    init(_ state: HostState) { self.state = state }
}

struct HostPair: Sendable {
    private var s: HostBox
    private var d: HostBox

    init(s: HostState, d: HostState) {
        self.s = HostBox(s)
        self.d = HostBox(d)
    }

    subscript(side: Side) -> HostState {
        _read {
            if side == .s { yield s.state } else { yield d.state }
        }
        _modify {
            if side == .s {
                Self.makeBoxUnique(&s)
                yield &s.state
            } else {
                Self.makeBoxUnique(&d)
                yield &d.state
            }
        }
    }

    private static func makeBoxUnique(_ box: inout HostBox) {
        if !isKnownUniquelyReferenced(&box) { box = HostBox(box.state) }
        box.hash = nil
    }

    /// Computes the hashes that are not known yet.
    mutating func computeHashes() -> (UInt64, UInt64) {
        (Self.cachedHash(of: s), Self.cachedHash(of: d))
    }

    private static func cachedHash(of box: HostBox) -> UInt64 {
        if let hash = box.hash { return hash }
        let hash = UInt64(bitPattern: Int64(box.state.hashValue))
        box.hash = hash
        return hash
    }
}
