// Why a host's ledger does not answer a query or a notice.

/// The ledger cannot answer. Nothing was written and nothing changed.
package struct OwnershipRefusal: Error, Hashable, Sendable {
    package enum Code: Hashable, Sendable {
        /// The host that asks is not permitted to ask about this VM.
        case notAllowed
        /// The ledger contradicts the query or the notice: its record of the VM does not match.
        case vmExists
    }

    package let code: Code
    package let text: String
    /// The facts, one by one.
    package let details: [String]

    package init(_ code: Code, text: String, details: [String] = []) {
        self.code = code
        self.text = text
        self.details = details
    }
}
