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
                let (info, isNew) = try await migrations.startMigration(with: call.body)
                return RouteReply(info, status: isNew ? 202 : 200)
            },
            AgentRoutes.listMigrations.serveAnswer { _ in await migrations.listMigrations() },
            AgentRoutes.showMigration.serveAnswer { call in
                try await migrations.readMigrationInfo(withID: call.path)
            },
            AgentRoutes.cancelMigration.serveAnswer { call in
                try await migrations.cancelMigration(withID: call.path)
            },
            AgentRoutes.followMigration.serveRawResponse { call in
                _ = try await migrations.readMigrationInfo(withID: call.path)
                let isStopped = StopFlag()
                return call.request.streamResponse(
                    mediaType: "application/x-ndjson", stop: { isStopped.requestStop() }
                ) { writer in
                    try await followMigration(withID: call.path, until: isStopped, to: &writer)
                }
            },
        ]
    }

    /// Sends one line at once, then one each interval; the last when the migration has ended.
    private func followMigration(
        withID id: MigrationID, until isStopped: StopFlag, to writer: inout any ResponseBodyWriter
    ) async throws {
        while !isStopped.isSet {
            let info = try await migrations.readMigrationInfo(withID: id)
            let line = try JSONText.encodedBytes(of: info) + [UInt8(ascii: "\n")]
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
    func requestStop() { value.store(true, ordering: .relaxed) }
}
