// Cuts what is to be changed into transactions that every store takes: nearly always one.
//
// Each record stands for itself, so a batch that is cut in two by a crash is like two batches of which one was made.
// Hosts and groups come before the VMs that name them, and those before the operations that follow them.

import ClusterCore
import Store

struct StoreChunks {
    private(set) var chunks: [[StoreChange]] = []
    private var open: [StoreChange] = []
    private var openBytes = 0

    init(changedKeys changed: Set<RecordKey>, of cluster: Cluster) throws(StoreError) {
        for key in changed.sorted(by: { $0.rank < $1.rank }) {
            if let record = cluster.storedRecord(under: key) {
                appendChange(.put(key.storeKey, try RecordCodec.encodeRecord(record)))
            } else {
                appendChange(.delete(key.storeKey))
            }
        }
        closeChunk()
    }

    /// In this order.
    init(_ changes: [StoreChange]) {
        for change in changes { appendChange(change) }
        closeChunk()
    }

    private mutating func appendChange(_ change: StoreChange) {
        var bytes = change.key.text.utf8.count
        if case .put(_, let value) = change { bytes += value.count }
        if open.count == TransactionBounds.changesMax
            || openBytes + bytes > TransactionBounds.bytesMax
        {
            closeChunk()
        }
        open.append(change)
        openBytes += bytes
    }

    private mutating func closeChunk() {
        if !open.isEmpty { chunks.append(open) }
        open = []
        openBytes = 0
    }
}

extension RecordKey {
    fileprivate var rank: Int {
        switch self {
        case .host: 0
        case .group: 1
        case .vm: 2
        case .operation: 3
        case .balance: 4
        case .token: 5
        }
    }
}
