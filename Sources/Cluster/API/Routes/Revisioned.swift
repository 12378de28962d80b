// Messages whose revision is also their ETag.

/// A message with a revision, which the server also sends as the ETag where the route says so.
package protocol Revisioned {
    var revision: UInt64 { get }
}

extension ClusterHost: Revisioned {}
extension ClusterVM: Revisioned {}
extension BalanceInfo: Revisioned {}
extension OperationInfo: Revisioned {}

extension ActivatedHost: Revisioned {
    package var revision: UInt64 {
        switch self {
        case .host(let host): host.revision
        case .bringingBack(let operation): operation.revision
        }
    }
}
