// What changed, as server-sent events: see `ClusterEvent`.
//
//   store's watch ──▶ names of what changed ──▶ the cluster, for what they are now ──▶ lines ──▶ client
//
// Only the last event of a commit carries its revision: who comes back with it has seen the whole commit.

import API
import ClusterCore
import Hummingbird
import Logging
import Model
import NIOCore
import Serving

extension ControllerAPI {
    var eventsRoute: ServedRoute {
        ControllerRoutes.events.serveRawResponse { call in
            let wanted = try lastEventRevision(header: call.query.lastEventID) ?? call.query.after
            let after = wanted.map { Revision($0) }
            // Only the leader knows the current state of each object.
            try await runOnCluster { _, _ in }
            let start = await driver.revision
            guard metrics.beginStream() else {
                throw Problem(
                    .tooMany, detail: "\(Limits.streamsMax) clients already follow the events")
            }
            let stream = EventStream(
                driver: driver, store: store, metrics: metrics, from: min(after ?? start, start))
            return call.request.streamResponse(
                mediaType: "text/event-stream", stop: { stream.stopStream() }
            ) { writer in
                try await stream.writeEvents(to: &writer)
            }
        }
    }

    private func lastEventRevision(header text: String?) throws(Problem) -> UInt64? {
        guard let text else { return nil }
        guard let number = UInt64(text) else {
            throw Problem(
                .badRequest, detail: "Last-Event-ID is '\(text.prefix(40))': use the id of an event"
            )
        }
        return number
    }
}

/// One client that follows.
final class EventStream: Sendable {
    private let driver: ClusterDriver
    private let store: any StateStore
    private let metrics: ControllerMetrics
    private let chunks: AsyncStream<[UInt8]>
    private let source: AsyncStream<[UInt8]>.Continuation
    private let producers: [Task<Void, Never>]

    init(
        driver: ClusterDriver, store: any StateStore, metrics: ControllerMetrics,
        from revision: Revision
    ) {
        self.driver = driver
        self.store = store
        self.metrics = metrics
        let (chunks, source) = AsyncStream<[UInt8]>.makeStream(
            bufferingPolicy: .bufferingOldest(Limits.eventsWaitingMax))
        self.chunks = chunks
        self.source = source
        let feed = EventFeed(driver: driver, store: store, source: source)
        producers = [
            Task { await feed.feedEvents(from: revision) },
            Task {
                while (try? await Task.sleep(for: Limits.keepAlive)) != nil {
                    source.yield(Array(":\n\n".utf8))
                }
            },
        ]
        source.onTermination = { [metrics, producers] _ in
            for producer in producers { producer.cancel() }
            metrics.endStream()
        }
    }

    func stopStream() { source.finish() }

    func writeEvents(to writer: inout any ResponseBodyWriter) async throws {
        defer { stopStream() }
        for await chunk in chunks { try await writer.write(ByteBuffer(bytes: chunk)) }
    }
}

/// Turns the store's batches into events until it ends, nobody listens, or this controller no longer leads.
private struct EventFeed: Sendable {
    let driver: ClusterDriver
    let store: any StateStore
    let source: AsyncStream<[UInt8]>.Continuation

    func feedEvents(from start: Revision) async {
        var seen = start
        sendText("id: \(seen)\n\n")
        while !Task.isCancelled {
            do throws(StoreError) { try await followChanges(since: &seen) } catch {
                guard case .compacted = error else { break }
                seen = await driver.revision
                sendText("id: \(seen)\nevent: \(ClusterEvent.Kind.reset.rawValue)\ndata: {}\n\n")
                continue
            }
            break
        }
        source.finish()
    }

    private func followChanges(since seen: inout Revision) async throws(StoreError) {
        let watch = try await store.watchChanges(prefix: "", after: seen)
        while let batch = try await watch.nextBatch() {
            guard let text = await eventText(of: batch) else { return }
            seen = batch.revision
            if !text.isEmpty, !sendText(text) { return }
        }
    }

    /// False when the client does not keep up.
    @discardableResult
    private func sendText(_ text: String) -> Bool {
        if case .enqueued = source.yield(Array(text.utf8)) { true } else { false }
    }

    /// Nil when this controller does not lead any more.
    private func eventText(of batch: StoreBatch) async -> String? {
        let keys = batch.changes.compactMap { RecordKey($0.key) }
        guard !keys.isEmpty else { return "" }
        do {
            let events = try await driver.runOnCluster { cluster, context in
                keys.compactMap {
                    Self.changeEvent(for: $0, in: cluster, at: context.now)
                }
            }
            guard !events.isEmpty else { return "" }
            return events.dropLast().map { "\($0)\n" }.joined()
                + "id: \(batch.revision)\n\(events[events.count - 1])\n"
        } catch { return nil }
    }

    /// "event: …\ndata: …\n"; nil for what is nobody's business.
    private static func changeEvent(
        for key: RecordKey, in cluster: Cluster, at now: Moment
    ) -> String? {
        switch key {
        case .host(let name):
            encodedEvent(
                ofKind: .host, name: name.text,
                object: try? cluster.clusterHost(named: name, at: now))
        case .vm(let name):
            encodedEvent(ofKind: .vm, name: name.text, object: try? cluster.clusterVM(named: name))
        case .operation(let id):
            encodedEvent(
                ofKind: .operation, name: "\(id)", object: try? cluster.operation(withID: id))
        case .balance: encodedEvent(ofKind: .balance, name: "", object: cluster.balanceInfo())
        case .group, .token: nil
        }
    }

    private static func encodedEvent(
        ofKind kind: ClusterEvent.Kind, name: String, object thing: (some Encodable)?
    ) -> String? {
        let bytes =
            thing.map { try? JSONText.encodedBytes(of: $0) }
            ?? (try? JSONText.encodedBytes(of: DeletedThing(deleted: name)))
        guard let bytes else { return nil }
        return "event: \(kind.rawValue)\ndata: \(String(decoding: bytes, as: UTF8.self))\n"
    }
}
