// The controller: everything put together, run until SIGTERM or SIGINT. Agents and VMs go on without it.

import API
import Clients
import ClusterFile
import ClusterCore
import FoundationEssentials
import Host
import Keys
import Logging
import Model
import ServiceLifecycle
import Serving
import Store
import UnixSignals

package struct ControllerService {
    /// Runs a controller. Throws a sentence for people when it cannot start.
    package static func runController(options: ControllerOptions) async throws {
        let output = LogOutput(
            label: "ferry-controller", format: options.logFormat, level: options.logLevel)
        var logger = Logger(label: "ferry-controller") { _ in output }
        logger[metadataKey: "controller"] = "\(options.name)"
        let cluster = try ClusterFile(
            loading: options.config, relativeTo: FileManager.default.currentDirectoryPath)
        guard let member = cluster.findController(named: options.name) else {
            throw ControllerError.notInCluster(
                options.name, path: cluster.path, known: cluster.controllers.map(\.name))
        }
        let keys = try loadCredentials(of: member.name, in: cluster)
        let folder = try ControllerFolder(path: cluster.controllerFolder(of: member.name))
        let store = try await openStore(of: cluster, in: folder)
        let pool = try AgentPool(keysFolder: keys.folder.path)
        let metrics = ControllerMetrics()
        let driver = ClusterDriver(
            store: store, settings: controlSettings(of: cluster),
            commands: CommandRunner(
                executor: AgentExecutor(pool: pool, cluster: cluster.cluster)),
            metrics: metrics, logger: logger)
        let leadership = Leadership(
            store: store,
            candidate: Candidate(name: member.name, apiAddress: "\(member.api)"),
            lease: cluster.control.controllerLease, driver: driver, logger: logger)
        let api = try ControllerAPI(
            cluster: cluster.cluster, name: member.name, policy: cluster.control.policy,
            driver: driver, store: store, metrics: metrics)
        let server = try APIServer(
            router: api.router, at: member.api, keys: keys.folder, clients: .optional,
            connectionsMax: Limits.connectionsMax, logger: logger)
        logger.info(
            "controller starts",
            metadata: [
                "version": "\(ferryVersion)", "api": "\(member.api)", "state": "\(folder.path)",
            ])
        // Shut down in reverse: first the API, then the leadership, which is given up for another controller.
        var configuration = ServiceGroupConfiguration(
            services: [leadership, server.application],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = Limits.shutdown
        try await ServiceGroup(configuration: configuration).run()
        await pool.shutdown()
        logger.info("controller ended")
    }

    private static func loadCredentials(
        of name: HostName, in cluster: ClusterFile
    ) throws -> Credentials {
        let folder = cluster.keysFolder(for: .controller, named: name)
        let keys = try Credentials(loading: KeyFolder(folder))
        let wanted = Identity(cluster: cluster.cluster, role: .controller, name: name)
        guard keys.identity == wanted else {
            throw ControllerError.wrongKeys(
                folder: folder, found: keys.identity, wanted: wanted,
                authority: cluster.authorityFolder)
        }
        guard !keys.isExpired() else {
            throw ControllerError.expiredKeys(
                folder: folder, of: wanted, authority: cluster.authorityFolder)
        }
        return keys
    }

    private static func openStore(
        of cluster: ClusterFile, in folder: ControllerFolder
    ) async throws -> any StateStore {
        switch cluster.store {
        case .sqlite: return try SQLiteStore(path: "\(folder.path)/cluster.sqlite")
        case .etcd(let endpoints, let keysFolder):
            return try EtcdStore(
                endpoints: endpoints, cluster: cluster.cluster, keysFolder: keysFolder)
        }
    }

    private static func controlSettings(of cluster: ClusterFile) -> ControlSettings {
        ControlSettings(
            cluster: cluster.cluster, heartbeat: cluster.control.heartbeat,
            hostLease: cluster.control.hostLease, policy: cluster.control.policy,
            balance: BalanceMode(rawValue: cluster.control.balance) ?? .advise)
    }
}
