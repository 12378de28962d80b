// Where a cluster's keys are in etcd, which others may use as well.
//
//   /ferry/CLUSTER/leader         who leads; bound to its lease
//   /ferry/CLUSTER/entries/KEY    the entries

import ClusterCore
import FoundationEssentials
package import Model

package struct EtcdKeys: Hashable, Sendable {
    private let entries: String
    private let leaderText: String

    package init(cluster: ClusterName) {
        entries = "/ferry/\(cluster)/entries/"
        leaderText = "/ferry/\(cluster)/leader"
    }

    var leader: Data { Data(leaderText.utf8) }
    /// All changes of the one key.
    var leaderRange: EtcdRange { EtcdRange(first: leader, end: leader + [0]) }

    func encodedKey(for key: StoreKey) -> Data { Data((entries + key.text).utf8) }

    func etcdRange(prefix: String, after: StoreKey? = nil) -> EtcdRange {
        let range = KeyRange(prefix: entries + prefix)
        let first = after.map { encodedKey(for: $0) + [0] } ?? Data()
        return EtcdRange(
            first: laterKey(of: Data(range.first.utf8), comparedTo: first),
            end: Data(range.end.utf8))
    }

    /// Nil for a key that is no entry's.
    func decodedStoreKey(from key: Data) -> StoreKey? {
        guard let text = String(validating: key, as: UTF8.self), text.hasPrefix(entries) else {
            return nil
        }
        return StoreKey(String(text.dropFirst(entries.count)))
    }
}

/// From a key up to and without another.
struct EtcdRange: Hashable, Sendable {
    let first: Data
    let end: Data
}

private func laterKey(of left: Data, comparedTo right: Data) -> Data {
    left.lexicographicallyPrecedes(right) ? right : left
}
