// The ledger of a host: one append-only file.

package import MigrationProtocol
package import Model

/// Opens or makes the ledger at a path; one process at a time (it is locked).
package final class LedgerFile: OwnershipLedger {
    package init(path: String) throws(LedgerError) {
        throw .damaged(path: path, offset: 0, nil)
    }

    package func append(_ record: LedgerRecord) throws(LedgerError) {}
    package func ownership(of vm: VMID) -> Ownership? { nil }
    package var ownerships: [VMID: Ownership] { [:] }
}
