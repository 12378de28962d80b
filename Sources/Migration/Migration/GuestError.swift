// A call to a guest's process that failed, as the migration needs to know it.

/// What was asked of the guest, and why it did not happen.
package struct GuestError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        /// Its process is gone, or its connection is.
        case died
        /// Its process is there and did not answer in time.
        case silent
        /// Its process said no, or something that makes no sense.
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
