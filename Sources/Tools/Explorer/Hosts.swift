// Both hosts of a world. Worlds that follow one another share what did not change: a host is copied when it is changed,
// and its hash is worked out once.

/// A host and its hash. Written only while one world alone has it, read by any thread afterwards.
private final class Box: @unchecked Sendable {
    var state: HostState
    /// Nil from a change until the next fingerprint, which is taken before the world is handed on.
    var hash: UInt64?

    init(_ state: HostState) { self.state = state }
}

struct Hosts: Sendable {
    private var s: Box
    private var d: Box

    init(s: HostState, d: HostState) {
        self.s = Box(s)
        self.d = Box(d)
    }

    subscript(side: Side) -> HostState {
        _read {
            if side == .s { yield s.state } else { yield d.state }
        }
        _modify {
            if side == .s {
                Self.own(&s)
                yield &s.state
            } else {
                Self.own(&d)
                yield &d.state
            }
        }
    }

    private static func own(_ box: inout Box) {
        if !isKnownUniquelyReferenced(&box) { box = Box(box.state) }
        box.hash = nil
    }

    /// Works out what is not known of them yet.
    mutating func hashes() -> (UInt64, UInt64) { (Self.hash(s), Self.hash(d)) }

    private static func hash(_ box: Box) -> UInt64 {
        if let hash = box.hash { return hash }
        let hash = UInt64(bitPattern: Int64(box.state.hashValue))
        box.hash = hash
        return hash
    }
}
