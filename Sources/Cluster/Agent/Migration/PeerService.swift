// The peer protocol's server as a service: it starts with the agent, and its shutdown waits for migrations.

import Host
import Migration
import PeerLink
import ServiceLifecycle

struct PeerService: Service, CustomStringConvertible {
    let host: IncomingMigrations
    let migrations: OutgoingMigrations
    let listener: Descriptor
    let keys: PeerKeys

    var description: String { "peers" }

    func run() async throws {
        let server = try PeerServer(
            listener: listener, keys: keys, host: host, timing: host.timing)
        host.beginServing(at: server)
        // Waits for shutdown; a cancellation ends the wait too.
        try? await gracefulShutdown()
        host.stopAccepting()
        await migrations.finishAll()
        await runOnThread(named: "peers-stop") { server.stop() }
        host.endServing()
    }
}
