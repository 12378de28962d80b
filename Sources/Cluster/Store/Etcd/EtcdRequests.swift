// etcd's v3 requests as its JSON gateway reads them: keys and values in base64, 64-bit numbers as strings, names as in
// etcd's `rpc.proto` (3.4).

import ClusterCore
import FoundationEssentials

struct EtcdRangeRequest: Encodable {
    var key: Data
    var rangeEnd: Data?
    var limit: EtcdNumber?
    /// The store as it was then.
    var revision: EtcdNumber?
    var minModRevision: EtcdNumber?
    var keysOnly: Bool?
    var countOnly: Bool?

    enum CodingKeys: String, CodingKey {
        case key, limit, revision
        case rangeEnd = "range_end"
        case minModRevision = "min_mod_revision"
        case keysOnly = "keys_only"
        case countOnly = "count_only"
    }

    init(key: Data) { self.key = key }

    init(range: EtcdRange) {
        key = range.first
        rangeEnd = range.end
    }
}

struct EtcdPutRequest: Encodable {
    var key: Data
    var value: Data
    var lease: EtcdNumber?
}

struct EtcdDeleteRequest: Encodable { var key: Data }

struct EtcdCompare: Encodable {
    var key: Data
    var target: String
    var result = "EQUAL"
    var createRevision: EtcdNumber?
    var modRevision: EtcdNumber?

    enum CodingKeys: String, CodingKey {
        case key, target, result
        case createRevision = "create_revision"
        case modRevision = "mod_revision"
    }

    /// A key that is not there has 0.
    static func compareCreation(of key: Data, at revision: UInt64) -> EtcdCompare {
        EtcdCompare(key: key, target: "CREATE", createRevision: EtcdNumber(revision))
    }

    static func compareChange(of key: Data, at revision: UInt64) -> EtcdCompare {
        EtcdCompare(key: key, target: "MOD", modRevision: EtcdNumber(revision))
    }
}

struct EtcdOperation: Encodable {
    var requestRange: EtcdRangeRequest?
    var requestPut: EtcdPutRequest?
    var requestDeleteRange: EtcdDeleteRequest?
    var requestTxn: EtcdTransactionRequest?

    enum CodingKeys: String, CodingKey {
        case requestRange = "request_range"
        case requestPut = "request_put"
        case requestDeleteRange = "request_delete_range"
        case requestTxn = "request_txn"
    }

    static func rangeOperation(for request: EtcdRangeRequest) -> EtcdOperation {
        EtcdOperation(requestRange: request)
    }

    /// Tells only which revisions the key has.
    static func revisions(of key: Data) -> EtcdOperation {
        var request = EtcdRangeRequest(key: key)
        request.keysOnly = true
        return .rangeOperation(for: request)
    }
}

struct EtcdTransactionRequest: Encodable {
    var compare: [EtcdCompare] = []
    var success: [EtcdOperation] = []
    var failure: [EtcdOperation] = []
}

struct EtcdGrantRequest: Encodable {
    var seconds: EtcdNumber
    enum CodingKeys: String, CodingKey { case seconds = "TTL" }
}

/// To keep a lease alive, or to revoke it.
struct EtcdLeaseRequest: Encodable {
    var id: EtcdNumber
    enum CodingKeys: String, CodingKey { case id = "ID" }
}

struct EtcdCompactionRequest: Encodable { var revision: EtcdNumber }

struct EtcdWatchRequest: Encodable {
    struct Create: Encodable {
        var key: Data
        var rangeEnd: Data
        var startRevision: EtcdNumber
        /// Long answers come in several.
        var fragment = true
        /// Tells from time to time how far it is, when nothing else does.
        var progressNotify = true

        enum CodingKeys: String, CodingKey {
            case key, fragment
            case rangeEnd = "range_end"
            case startRevision = "start_revision"
            case progressNotify = "progress_notify"
        }
    }
    var createRequest: Create
    enum CodingKeys: String, CodingKey { case createRequest = "create_request" }
}

/// A 64-bit number, in JSON a string of decimal digits.
package struct EtcdNumber: Codable, Hashable, Sendable {
    package let value: UInt64

    init(_ value: UInt64) { self.value = value }

    /// etcd's are signed, and none that is read here is negative, but for the time that a lost lease has left.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let number = Int64(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "'\(text.prefix(40))' is not a 64-bit number")
        }
        value = UInt64(max(0, number))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(String(Int64(clamping: value)))
    }
}
