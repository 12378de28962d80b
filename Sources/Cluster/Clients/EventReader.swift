// Reads the controller's server-sent events, and goes on behind the last one after a break.

import API
import FoundationEssentials
import Model

struct EventReader {
    private(set) var isOver = false
    /// Of the last event that was given on.
    private var revision: UInt64?
    private var id = ""
    private var kind = ""
    private var data: [UInt8] = []
    /// The server's first message, the revision after which it begins, was received.
    private var hasBegun = false

    private enum Message {
        case begins(UInt64)
        case event(ClusterEvent)
    }

    init(after revision: UInt64?) { self.revision = revision }

    /// Until the stream ends, or `begins` or `body` returns false: then `isOver`.
    mutating func followEvents(
        from endpoint: Endpoint, begins: (UInt64) async throws -> Bool,
        receiving body: (ClusterEvent) async throws -> Bool
    ) async throws {
        var lines = LineReader(from: endpoint.address.name)
        (id, kind, data, hasBegun) = ("", "", [], false)
        var reader = self
        defer { self = reader }
        try await endpoint.streamAnswer(
            to: ControllerRoutes.events.makeRequest(query: EventsQuery(after: revision))
        ) { part in
            for line in try lines.completed(byAppending: part) {
                let goesOn: Bool
                switch try reader.parseLine(line, from: endpoint) {
                case nil: continue
                case .begins(let revision):
                    reader.revision = revision
                    goesOn = try await begins(revision)
                case .event(let event):
                    reader.revision = event.revision
                    goesOn = try await body(event)
                }
                guard goesOn else {
                    reader.isOver = true
                    return false
                }
            }
            return true
        }
    }

    /// What this line ends.
    private mutating func parseLine(
        _ line: [UInt8], from endpoint: Endpoint
    ) throws(ClientError) -> Message? {
        guard !line.isEmpty else {
            defer { (kind, data) = ("", []) }
            if !kind.isEmpty { return try decodeEvent(from: endpoint).map { .event($0) } }
            guard !hasBegun, let revision = UInt64(id) else { return nil }
            hasBegun = true
            return .begins(revision)
        }
        if let value = fieldValue(named: "id: ", in: line) {
            id = String(decoding: value, as: UTF8.self)
        }
        if let value = fieldValue(named: "event: ", in: line) {
            kind = String(decoding: value, as: UTF8.self)
        }
        if let value = fieldValue(named: "data: ", in: line) { data += value }
        return nil
    }

    private func fieldValue(named field: String, in line: [UInt8]) -> ArraySlice<UInt8>? {
        line.starts(with: field.utf8) ? line.dropFirst(field.utf8.count) : nil
    }

    /// Nil for a kind that is not known here: of a newer controller.
    private func decodeEvent(from endpoint: Endpoint) throws(ClientError) -> ClusterEvent? {
        guard let kind = ClusterEvent.Kind(rawValue: kind) else { return nil }
        guard let revision = UInt64(id) else {
            throw .unexpected(host: endpoint.address.name, reason: "an event without a revision")
        }
        if let gone = try? JSONDecoder().decode(DeletedThing.self, from: Data(data)) {
            return ClusterEvent(revision: revision, change: .deleted(kind, name: gone.deleted))
        }
        let change: ClusterEvent.Change =
            switch kind {
            case .host: .host(try endpoint.decodeAnswer(from: data))
            case .vm: .vm(try endpoint.decodeAnswer(from: data))
            case .operation: .operation(try endpoint.decodeAnswer(from: data))
            case .balance: .balance(try endpoint.decodeAnswer(from: data))
            case .reset: .reset
            }
        return ClusterEvent(revision: revision, change: change)
    }
}
