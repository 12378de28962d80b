// Migrations: start, list, show, follow, cancel.

import API
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Model
import NIOCore
import Serving
import Synchronization

extension Routes {
    func addMigrations(to router: Router<APIContext>) {
        router.post("v1/migrations") { request, _ in
            try await start(request.decode(StartMigration.self))
        }
        router.get("v1/migrations") { _, _ in try Response.json(await migrations.list()) }
        router.get("v1/migrations/:id") { _, context in
            try Response.json(await migrations.info(id(context)))
        }
        router.delete("v1/migrations/:id") { _, context in
            try Response.json(await migrations.cancel(id(context)), status: .accepted)
        }
        router.get("v1/migrations/:id/events") { request, context in
            let id = try id(context)
            _ = try await migrations.info(id)
            let isStopped = StopFlag()
            return request.live(
                mediaType: "application/x-ndjson", stop: { isStopped.set() }
            ) { writer in
                try await follow(id, until: isStopped, to: &writer)
            }
        }
    }

    private func start(_ request: StartMigration) async throws -> Response {
        let (info, isNew) = try await migrations.start(request)
        return try Response.json(info, status: isNew ? .accepted : .ok)
    }

    /// One line at once, then one each interval, the last when the migration is over.
    private func follow(
        _ id: MigrationID, until isStopped: StopFlag, to writer: inout any ResponseBodyWriter
    ) async throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        while !isStopped.isSet {
            let info = try await migrations.info(id)
            let line = try encoder.encode(info) + [UInt8(ascii: "\n")]
            try await writer.write(ByteBuffer(bytes: line))
            if info.isOver { return }
            try await Task.sleep(for: APILimits.followInterval)
        }
    }

    private func id(_ context: APIContext) throws -> MigrationID {
        let text = try context.parameters.require("id")
        guard let id = MigrationID(text) else {
            throw Problem(
                .badRequest, "'\(text.prefix(40))' is no migration's id: 32 hexadecimal digits")
        }
        return id
    }
}

/// Set once, by whoever wants something to end.
private final class StopFlag: Sendable {
    private let value = Atomic(false)
    var isSet: Bool { value.load(ordering: .relaxed) }
    func set() { value.store(true, ordering: .relaxed) }
}
