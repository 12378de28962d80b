// ferry top: the cluster, live.

import API
import ArgumentParser
import Clients
import ClusterText
import Host
import Model

struct Top: AsyncParsableCommand {
    private static let interval = Duration.seconds(1)

    static let configuration = CommandConfiguration(
        abstract: "Shows hosts, VMs and moves as they change; needs a controller.",
        discussion: """
            Drawn anew each second; q or Ctrl-C ends it. When standard output is no terminal it prints one frame. \
            Hosts are sorted by how busy their cores are, VMs by load.

            Example:
              ferry top
            """)

    @OptionGroup var cluster: ClusterOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await Session.withConnection(to: cluster, reporting: output) { session in
            let feed = TopFeed(from: try session.requireController(for: "ferry top"))
            if output.output == .json {
                return print(try encodedJSON(of: try await feed.fetchSnapshot()))
            }
            guard StandardStreams.outputIsTerminal, StandardStreams.inputIsTerminal else {
                let lines = try await feed.fetchFrame().renderLines(width: .max, height: nil)
                return print(lines.joined(separator: "\n"))
            }
            try await refreshFullScreen(from: feed)
        }
    }

    /// Returns when a key ends it; the terminal is as before, whatever happens.
    private func refreshFullScreen(from feed: TopFeed) async throws {
        let terminal = RawTerminal(takesScreen: true)
        try await drawUntilKeyPress(from: feed)
        _ = consume terminal
    }

    private func drawUntilKeyPress(from feed: TopFeed) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while true {
                    try drawFrame(await feed.frameOrFailure())
                    try await Task.sleep(for: Self.interval)
                }
            }
            group.addTask { await Keyboard.waitForEnd() }
            _ = try await group.next()
            group.cancelAll()
        }
    }

    private func drawFrame(_ frame: Result<TopFrame, any Error>) throws {
        let size = Terminal.size ?? (columns: 80, rows: 24)
        let lines =
            switch frame {
            case .success(let frame): frame.renderLines(width: size.columns, height: size.rows)
            case .failure(let error): [String("\(error)".prefix(size.columns))]
            }
        // Home, then each line and what is left of the old one, then what is left of the old screen: no flicker.
        let text = lines.map { "\($0)\u{1b}[K" }.joined(separator: "\r\n")
        try StandardStreams.writeBytes(Array("\u{1b}[H\(text)\u{1b}[J".utf8))
    }
}

/// What the frames are made of.
actor TopFeed {
    struct Snapshot: Encodable {
        var cluster: ClusterInfo
        var hosts: [ClusterHost]
        var vms: [ClusterVM]
        var operations: [OperationInfo]
    }

    private let controller: ControllerClient
    private let began = Instant.now
    /// Of operations under way, so that what is left of each is known better from look to look.
    private var watches: [OperationID: OperationWatch] = [:]

    init(from controller: ControllerClient) { self.controller = controller }

    func fetchSnapshot() async throws -> Snapshot {
        async let cluster = controller.readClusterInfo()
        async let hosts = controller.fetchAllHosts()
        async let vms = controller.fetchAllVMs()
        async let operations = controller.fetchRunningOperations()
        return try await Snapshot(
            cluster: cluster, hosts: hosts, vms: vms, operations: operations)
    }

    func fetchFrame() async throws -> TopFrame {
        let look = try await fetchSnapshot()
        let now = (Instant.now - began).seconds
        var lines: [(title: String, line: String)] = []
        var next: [OperationID: OperationWatch] = [:]
        for operation in look.operations {
            var watch = watches[operation.id] ?? OperationWatch()
            lines.append((operation.title, watch.progressLine(for: operation, at: now)))
            next[operation.id] = watch
        }
        watches = next
        return TopFrame(
            cluster: look.cluster, hosts: look.hosts, vms: look.vms, operations: lines)
    }

    /// A controller that is silent for a moment does not end the show.
    func frameOrFailure() async -> Result<TopFrame, any Error> {
        do { return .success(try await fetchFrame()) } catch { return .failure(error) }
    }
}

/// The keys that end a live screen.
private enum Keyboard {
    private static let endings: Set<UInt8> = [UInt8(ascii: "q"), UInt8(ascii: "Q"), 3, 4]

    /// Returns at q, Ctrl-C, Ctrl-D or the end of the input.
    static func waitForEnd() async {
        for await bytes in TypedInput.makeByteStream() where bytes.contains(where: endings.contains)
        {
            return
        }
    }
}
