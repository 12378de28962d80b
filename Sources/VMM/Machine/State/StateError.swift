// What can be wrong with a saved state, and with which part of it.

package import Host
package import Wire

/// A part of a saved state that cannot be saved or loaded.
package struct StateError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Reason: Hashable, Sendable {
        case system(SystemError)
        case malformed(WireError)
        case wrongChecksum
        case missing
        /// A part that this version does not know.
        case unknown
        case wrongVersion(found: Int, known: Int)
        case wrongSize(found: Int, expected: Int)
        /// It was saved of another machine; the text says what differs.
        case mismatch(String)
    }

    /// "vcpu0/msrs", "vm/irqchip"; "header" for the whole.
    package var part: String
    package var reason: Reason

    package init(part: String, reason: Reason) {
        self.part = part
        self.reason = reason
    }

    package var explanation: String {
        switch reason {
        case .system(let error): "\(error)"
        case .malformed(let error): "\(error)"
        case .wrongChecksum: "the checksum is wrong: the bytes were changed on their way"
        case .missing: "it is missing"
        case .unknown: "this version of ferry-vmm does not know it"
        case .wrongVersion(let found, let known):
            "it has version \(found), this ferry-vmm knows version \(known)"
        case .wrongSize(let found, let expected): "it has \(found) bytes and not \(expected)"
        case .mismatch(let text): text
        }
    }

    package var description: String { "saved state, \(part): \(explanation)" }
}
