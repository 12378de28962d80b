// etcd's v3 answers as its JSON gateway writes them: what is zero, false or empty is left out.

package import ClusterCore
import FoundationEssentials

/// An answer's bytes are whatever came over the wire: decoding throws `malformed`, and never traps.
package protocol EtcdAnswer: Decodable, Sendable {}

extension EtcdAnswer {
    package static func decodeAnswer(from bytes: [UInt8]) throws(EtcdFailure) -> Self {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do { return try decoder.decode(Self.self, from: Data(bytes)) } catch {
            throw .malformed("\(Self.self): \(error)")
        }
    }
}

package struct EtcdHeader: Decodable, Sendable {
    let revision: EtcdNumber?
}

package struct EtcdKeyValue: Decodable, Sendable {
    let key: Data
    let value: Data?
    let createRevision: EtcdNumber?
    let modRevision: EtcdNumber?
    let lease: EtcdNumber?

    func storeEntry(using keys: EtcdKeys) throws(EtcdFailure) -> StoreEntry {
        guard let storeKey = keys.decodedStoreKey(from: key), let modRevision else {
            throw .malformed("a key that was not asked for")
        }
        return StoreEntry(
            key: storeKey, value: [UInt8](value ?? Data()), revision: Revision(modRevision.value))
    }
}

package struct EtcdRangeAnswer: EtcdAnswer {
    let header: EtcdHeader
    let kvs: [EtcdKeyValue]?
    let more: Bool?
    let count: EtcdNumber?

    var revision: Revision { Revision(header.revision?.value ?? 0) }

    package func storePage(using keys: EtcdKeys) throws(EtcdFailure) -> StorePage {
        var entries: [StoreEntry] = []
        for keyValue in kvs ?? [] {
            let entry = try keyValue.storeEntry(using: keys)
            if let last = entries.last, last.key >= entry.key {
                throw .malformed("keys out of order")
            }
            entries.append(entry)
        }
        return StorePage(entries: entries, revision: revision, isComplete: more != true)
    }
}

package struct EtcdTransactionAnswer: EtcdAnswer {
    struct Response: Decodable, Sendable { let responseRange: EtcdRangeAnswer? }

    let header: EtcdHeader
    let succeeded: Bool?
    let responses: [Response]?

    /// What each operation found; all of them must have been ranges.
    func ranges(expecting count: Int) throws(EtcdFailure) -> [EtcdRangeAnswer] {
        let ranges = (responses ?? []).compactMap(\.responseRange)
        guard ranges.count == count else { throw .malformed("\(ranges.count) ranges for \(count)") }
        return ranges
    }
}

package struct EtcdGrantAnswer: EtcdAnswer {
    let id: EtcdNumber
    enum CodingKeys: String, CodingKey { case id = "ID" }
}

/// What matters of it is that it came.
package struct EtcdEmptyAnswer: EtcdAnswer {}

package struct EtcdKeepAliveAnswer: EtcdAnswer {
    struct Result: Decodable, Sendable {
        let seconds: EtcdNumber?
        enum CodingKeys: String, CodingKey { case seconds = "TTL" }
    }
    let result: Result

    /// etcd sends no time for a lease that it does not know.
    var isAlive: Bool { (result.seconds?.value ?? 0) > 0 }
}

/// Any call that etcd did not do.
package struct EtcdErrorAnswer: EtcdAnswer {
    let message: String
    let code: Int
}

/// One line of a watch.
package struct EtcdWatchAnswer: EtcdAnswer {
    struct Event: Decodable, Sendable {
        enum Kind: String, Decodable { case put = "PUT", delete = "DELETE" }
        /// Left out for a put.
        let type: Kind?
        let kv: EtcdKeyValue
    }

    struct Result: Decodable, Sendable {
        let header: EtcdHeader
        let created: Bool?
        let canceled: Bool?
        let compactRevision: EtcdNumber?
        let cancelReason: String?
        /// More of the same answer follows.
        let fragment: Bool?
        let events: [Event]?
    }

    struct StreamError: Decodable, Sendable {
        let grpcCode: Int?
        let message: String?
    }

    let result: Result?
    let error: StreamError?
}
