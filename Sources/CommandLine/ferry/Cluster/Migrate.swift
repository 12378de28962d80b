// ferry migrate: moves a VM and shows how it goes; by the controller that keeps it, else by a word to its agent.

import API
public import ArgumentParser
import Clients
import Host
public import Model

struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Moves a running VM to another host.",
        discussion: """
            The VM runs while its memory is copied; it stands still only for the last pages. When that pause \
            would be longer than the limit, the migration gives up and the VM runs on where it was (exit code \
            6). With exit code 8 the VM does not run, or it is not known where it runs: look at once. Ctrl-C \
            leaves the migration running; `ferry migration cancel` ends it.

            A connection that is lost while memory is copied is made again, for about half a minute, and only \
            what the destination lacks is sent. With --rehearse the VM stays where it is: the destination is \
            tried in all but the handover, and the VM pauses once, for as long as saving its state takes.

            With a controller the destination may be left to it, and the migration is an operation of the \
            cluster. --downtime-limit, --streams, --compression, --rehearse and --no-audit are the agents' \
            business: with one of them the agent is told directly, and --to is needed.

            Example:
              ferry migrate web
              ferry migrate web --to host-b
              ferry migrate web --to host-b --downtime-limit 20ms --streams 4 --compression zstd
              ferry migrate web --to host-b --rehearse
            """)

    @Argument(help: "The VM's name.", completion: .vmNames, transform: { try VMName($0) })
    var name: VMName
    @Option(
        help: ArgumentHelp(
            "The host it moves to (default, with a controller: the best one).", valueName: "host"),
        completion: .hostNames, transform: { try HostName($0) })
    var to: HostName?
    @Option(
        help: "The longest pause, such as 50ms (default: the VM's own limit).",
        transform: { DowntimeLimit(try parseDuration(from: $0)) })
    var downtimeLimit: DowntimeLimit?
    @Option(help: "How many data streams, 1 to 16 (default: 2).")
    var streams: Int?
    @Option(help: "How pages travel: auto, none, lz4, zstd or zlib.")
    var compression: Compression?
    @Flag(help: "Do everything but the handover, and say how long the VM would stand still.")
    var rehearse = false
    @Flag(help: "Do not look at the memory that was left behind once more after the handover.")
    var noAudit = false
    @Flag(help: "Start it and return at once.")
    var detach = false
    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await Session.withConnection(to: cluster, reporting: output) { session in
            if !concernsAgents, let (controller, _) = try await session.findManagedVM(named: name) {
                let started = try await controller.migrateVM(named: name, to: to)
                let migration = ControlledMigration(
                    in: session, controller: controller, output: output)
                if detach { return try migration.announceStart(of: started) }
                try await migration.awaitCompletion(of: started)
            } else {
                try await migrateThroughAgent(in: session)
            }
        }
    }

    /// Something that the controller has no word for.
    private var concernsAgents: Bool {
        downtimeLimit != nil || streams != nil || compression != nil || rehearse || noAudit
    }

    private func migrateThroughAgent(in session: Session) async throws {
        guard let to else {
            if session.controller != nil, !concernsAgents {
                throw CommandFailure(
                    .notFound, code: "vm_not_found",
                    message:
                        "the cluster keeps no VM \(name); one that was made by a word to an agent moves with --to HOST"
                )
            }
            throw CommandFailure(
                .refused, code: "no_destination",
                message:
                    "say where to with --to HOST: only a controller chooses, for VMs that it keeps and without the agents' own options"
            )
        }
        let agent = try await session.locateAgent(ofVM: name, on: nil)
        let request = StartMigration(
            vm: name, to: to, downtimeLimit: downtimeLimit, streams: streams,
            compression: compression, rehearse: rehearse ? true : nil,
            audit: noAudit ? false : nil)
        let started = try await agent.startMigration(with: request)
        if detach {
            try announceStart(of: started)
        } else {
            try await followProgress(of: started, on: agent)
        }
    }

    private func announceStart(of info: MigrationInfo) throws {
        try output.printResult(
            info,
            text: "migration \(info.id) moves \(info.vm) from \(info.source) to \(info.destination)"
        )
    }

    private func followProgress(of started: MigrationInfo, on agent: AgentClient) async throws {
        let line = ProgressLine(isQuiet: output.output == .json)
        let ended = try await agent.followMigration(withID: started.id) {
            await line.displayProgress(of: $0)
        }
        await line.clearLine()
        if output.output == .json { print(try encodedJSON(of: ended)) }
        guard ended.state == .succeeded else { throw CommandFailure(ended: ended) }
        guard output.output == .text else { return }
        print(migrationReportText(of: ended))
    }
}

extension Compression: ExpressibleByArgument {}
