// The refusal of a ledger in the form that the peer receives.

package import Ownership

extension MigrationRefusal {
    package init(_ refusal: OwnershipRefusal) {
        let code: Code =
            switch refusal.code {
            case .notAllowed: .notAllowed
            case .vmExists: .vmExists
            }
        self.init(code, text: refusal.text, details: refusal.details)
    }
}
