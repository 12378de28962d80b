// The agent: makes its parts and runs them until SIGTERM or SIGINT. Its VMs run on without it.

import API
import ClusterFile
import FoundationEssentials
import Host
import Keys
import Logging
import Migration
import Model
import PeerLink
import ServiceLifecycle
import Serving
import UnixSignals

package struct AgentService {
    /// Runs an agent. Throws an error with a message for operators when it cannot start.
    package static func runUntilShutdown(with options: AgentOptions) async throws {
        let output = LogOutput(
            label: "ferry-agent", format: options.logFormat, level: options.logLevel)
        var logger = Logger(label: "ferry-agent") { _ in output }
        logger[metadataKey: "host"] = "\(options.host)"
        let cluster = try ClusterFile(
            loading: options.config, relativeTo: FileManager.default.currentDirectoryPath)
        let member = try findMember(named: options.host, in: cluster)
        let keys = try loadCredentials(of: member, in: cluster)
        let launcher = try makeVMLauncher(from: options)
        let state = try StateFolder(path: cluster.stateFolder(of: member.name))
        let context = HostContext(
            member: member, cluster: cluster, state: state, ledger: try openLedger(of: state),
            launcher: launcher, logger: logger)
        let fence = try loadFence(of: state)
        let facts = HostFacts.readFromSystem()
        if let problem = facts.kvm.problem {
            logger.error("no KVM", metadata: ["problem": "\(problem)"])
        }

        let peerKeys = try PeerKeys(folder: keys.folder.path)
        let inventory = VMInventory(context: context)
        let history = MigrationHistory(
            folder: state.migrations, logger: logger, news: context.news)
        let resolver = HandoverResolver(inventory: inventory, history: history, keys: peerKeys)
        let migrations = OutgoingMigrations(
            inventory: inventory, history: history, resolver: resolver, keys: peerKeys)
        let listener = try TCPSocket.openListener(on: member.peer)
        await inventory.adoptExistingVMs(resolver: resolver)
        await migrations.loadHistory()
        let peers = PeerService(
            host: IncomingMigrations(inventory: inventory, facts: facts), migrations: migrations,
            listener: listener, keys: peerKeys)
        let routes = Routes(
            inventory: inventory, migrations: migrations,
            recovery: RecoveryService(
                inventory: inventory, resolver: resolver, history: history),
            checker: HostChecker(inventory: inventory, resolver: resolver, history: history),
            facts: facts, fence: fence)
        let maker = HeartbeatMaker(inventory: inventory, migrations: migrations)
        let membership = ClusterMembership(
            context: context, inventory: inventory, maker: maker, migrations: migrations,
            fence: fence,
            registration: try HostRegistration(of: context, facts: facts, agentID: maker.agentID),
            keysFolder: keys.folder.path)
        let server = try APIServer(
            router: routes.router, at: member.api, keys: keys.folder, clients: .required,
            connectionsMax: Limits.connectionsMax, logger: logger)
        let count = await inventory.count
        logger.info(
            "agent starts",
            metadata: [
                "version": "\(ferryVersion)", "api": "\(member.api)", "peer": "\(member.peer)",
                "state": "\(state.path)", "vms": "\(count)",
            ])
        // Shut down in reverse order: first the API, then migrations, then the queries to other hosts, and last the
        // reports that extend the leases of the host's VMs.
        var configuration = ServiceGroupConfiguration(
            services: [membership, resolver, peers, server.application],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = Timing.shutdown
        try await ServiceGroup(configuration: configuration).run()
        logger.info("agent ended; its VMs go on running")
    }

    private static func findMember(
        named host: HostName, in cluster: ClusterFile
    ) throws(AgentError) -> ClusterFile.Member {
        guard let member = cluster.findHost(named: host) else {
            throw .hostNotInCluster(host, path: cluster.path, known: cluster.hosts.map(\.name))
        }
        return member
    }

    private static func loadCredentials(
        of member: ClusterFile.Member, in cluster: ClusterFile
    ) throws -> Credentials {
        let folder = cluster.keysFolder(for: .agent, named: member.name)
        let keys = try Credentials(loading: KeyFolder(folder))
        let wanted = Identity(cluster: cluster.cluster, role: .agent, name: member.name)
        guard keys.identity == wanted else {
            throw AgentError.wrongKeys(
                folder: folder, found: keys.identity, wanted: wanted,
                authority: cluster.authorityFolder)
        }
        guard !keys.isExpired() else {
            throw AgentError.expiredKeys(
                folder: folder, of: wanted, authority: cluster.authorityFolder)
        }
        return keys
    }

    private static func makeVMLauncher(from options: AgentOptions) throws(AgentError) -> VMLauncher
    {
        guard File.isPresent(at: options.vmm) else { throw .programMissing(path: options.vmm) }
        return VMLauncher(program: options.vmm, shippedKernel: ShippedKernel.path)
    }

    private static func loadFence(of state: StateFolder) throws(AgentError) -> TermFence {
        do throws(TermFileError) { return try TermFence(path: state.term) } catch {
            throw .term(error)
        }
    }

    /// A ledger is made at the first start only: a new ledger beside existing VMs would lose their owners.
    private static func openLedger(of state: StateFolder) throws -> LedgerFile {
        if !File.isPresent(at: state.ledger) {
            let folders = try state.listVMNames().map(\.text)
            guard folders.isEmpty else {
                throw AgentError.ledgerMissing(path: state.ledger, folders: folders)
            }
        }
        do throws(LedgerError) { return try LedgerFile(path: state.ledger) } catch {
            throw AgentError.ledger(error)
        }
    }
}
