// Migrations: start, list, show, follow, cancel.

import API
import Hummingbird
import Model
import NIOCore
import Serving
import Synchronization

extension Routes {
    var migrationRoutes: [ServedRoute] {
        [
            AgentRoutes.startMigration.serveReply { call in
                let (info, isNew) = try await migrations.start(call.body)
                return RouteReply(info, status: isNew ? 202 : 200)
            },
            AgentRoutes.listMigrations.serve { _ in await migrations.list() },
            AgentRoutes.showMigration.serve { call in try await migrations.info(call.path) },
            AgentRoutes.cancelMigration.serve { call in try await migrations.cancel(call.path) },
            AgentRoutes.followMigration.serveRaw { call in
                _ = try await migrations.info(call.path)
                let isStopped = StopFlag()
                return call.request.live(
                    mediaType: "application/x-ndjson", stop: { isStopped.set() }
                ) { writer in
                    try await follow(call.path, until: isStopped, to: &writer)
                }
            },
        ]
    }

    /// Sends one line at once, then one each interval; the last when the migration has ended.
    private func follow(
        _ id: MigrationID, until isStopped: StopFlag, to writer: inout any ResponseBodyWriter
    ) async throws {
        while !isStopped.isSet {
            let info = try await migrations.info(id)
            let line = try JSONText.bytes(info) + [UInt8(ascii: "\n")]
            try await writer.write(ByteBuffer(bytes: line))
            if info.isOver { return }
            try await Task.sleep(for: APILimits.followInterval)
        }
    }
}

/// Set once, when the stream is to end.
private final class StopFlag: Sendable {
    private let value = Atomic(false)
    var isSet: Bool { value.load(ordering: .relaxed) }
    func set() { value.store(true, ordering: .relaxed) }
}
