// A call to a guest's process that failed, as the migration needs to know it.

/// What was asked of the guest, and why it did not happen.
package struct GuestError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The call: "pause", "load state".
    package var operation: String
    package var detail: String

    package init(operation: String, detail: String) {
        self.operation = operation
        self.detail = detail
    }

    package var description: String { "\(operation): \(detail)" }
}
