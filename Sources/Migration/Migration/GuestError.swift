// A failed call to a guest's process, with the information that a migration needs.

/// The call, and why it failed.
package struct GuestError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        /// Its process has ended, or its connection is lost.
        case died
        /// Its process exists and did not answer in time.
        case silent
        /// Its process refused, or answered something invalid.
        case refused
    }

    package var kind: Kind
    /// The call: "pause", "load state".
    package var operation: String
    package var detail: String

    package init(operation: String, detail: String, kind: Kind = .refused) {
        self.kind = kind
        self.operation = operation
        self.detail = detail
    }

    package var description: String { "\(operation): \(detail)" }
}
