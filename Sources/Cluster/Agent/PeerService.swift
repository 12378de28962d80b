// The peer protocol's server as a service: it starts with the agent and ends in good order.

import Host
import Migration
import PeerLink
import ServiceLifecycle

struct PeerService: Service, CustomStringConvertible {
    let host: IncomingMigrations
    let migrations: Migrations
    let listener: Descriptor
    let keys: PeerKeys

    var description: String { "peers" }

    func run() async throws {
        let server = try PeerServer(
            listener: listener, keys: keys, host: host, timing: host.timing)
        host.begin(at: server)
        // Waits for shutdown; cancellation ends the wait just as well.
        try? await gracefulShutdown()
        host.stopAccepting()
        await migrations.finishAll()
        await onThread("peers-stop") { server.stop() }
        host.end()
    }
}
