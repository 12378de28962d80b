// The record of ownership. LedgerFile is the implementation; tests have others.

package import Host
package import Model
package import Ownership
package import Wire

/// Why the ledger did not accept a record. The ledger is unchanged.
package enum LedgerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The record contradicts the ledger: it would create a second owner.
    case contradicts(LedgerRecord, current: Ownership?)
    /// No space for another record.
    case full(SystemError)
    case failed(SystemError)
    /// The file is not a ledger, or is damaged before its end.
    case damaged(path: String, offset: Int, WireError?)
    /// The file was removed or replaced while it was in use: its records do not outlive this process.
    case replaced(path: String)

    package var description: String {
        switch self {
        case .contradicts(let record, let current):
            "the ledger says \(current.map { "\($0)" } ?? "nothing"), which excludes \(record)"
        case .full(let error): "the ledger has no space: \(error)"
        case .failed(let error): "the ledger cannot be written: \(error)"
        case .damaged(let path, let offset, let error):
            "\(path) is damaged at byte \(offset)\(error.map { ": \($0)" } ?? "")"
        case .replaced(let path): "\(path) was removed or replaced while it was in use"
        }
    }
}

/// A record is durable before the append returns. Any thread may call.
package protocol OwnershipLedger: AnyObject, Sendable {
    /// Checks the record against the ledger and appends it, as one step.
    func appendRecord(_ record: LedgerRecord) throws(LedgerError)
    /// The current duration of a durable write.
    func measureWrite() throws(LedgerError) -> Duration
    func ownership(of vm: VMID) -> Ownership?
    /// Every VM in the ledger.
    var ownerships: [VMID: Ownership] { get }
}
