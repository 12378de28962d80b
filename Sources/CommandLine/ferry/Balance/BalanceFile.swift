// ferry balance --input: a plan for a cluster that stands in a file, without any cluster around.
//
// The file is Ganeti's (hbal -t); the score is Ganeti's or Ferry's. Nothing is moved.

import ArgumentParser
import ClusterText
import GanetiFormat
import Host
import Model
import Placement

enum BalanceScore: String, CaseIterable, ExpressibleByArgument {
    case hbal, ferry
}

struct BalanceFileOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Plan for the cluster in this file, in Ganeti's text format; needs no cluster.",
            valueName: "file"), completion: .file())
    var input: String?
    @Option(help: ArgumentHelp("With --input: at most so many moves.", valueName: "n"))
    var moves: Int?
    @Option(help: "With --input: the figure to lower: hbal (Ganeti's) or ferry (default: hbal).")
    var score: BalanceScore?
    @Option(
        help: ArgumentHelp(
            "With --input: plan how this node is emptied, instead of balance; may be repeated.",
            valueName: "node"))
    var drain: [String] = []

    var isUsed: Bool { input != nil }

    func validate() throws {
        guard input == nil else {
            if let moves, moves < 1 { throw ValidationError("--moves must be 1 or more") }
            if moves != nil, !drain.isEmpty {
                throw ValidationError("--moves has no meaning with --drain: all VMs must go")
            }
            return
        }
        guard moves == nil, score == nil, drain.isEmpty else {
            throw ValidationError(
                "--moves, --score and --drain are for --input; `ferry drain HOST --plan` plans for a live cluster"
            )
        }
    }
}

/// A plan for a file, as it is shown.
struct BalanceFilePlan: Encodable {
    struct Move: Encodable {
        var instance: String
        var from: String
        var to: String
        var wave: Int
        /// After this move.
        var score: Double
    }
    struct Left: Encodable {
        var instance: String
        var why: String
    }

    var nodes: Int
    var instances: Int
    var scoredBy: String
    var initialScore: Double
    var finalScore: Double
    var moves: [Move] = []
    /// Of a drain: what stays on the nodes.
    var left: [Left] = []
    var outcome: String?
    /// Of planning alone, and of reading the file.
    var planSeconds = 0.0
    var readSeconds = 0.0
}

extension BalanceFilePlan {
    init(options: BalanceFileOptions, file: String) throws {
        let began = Instant.now
        var ganeti = try Self.readGanetiCluster(from: file)
        var state = try Self.clusterState(of: ganeti, file: file)
        let drained = try options.drain.map { name in
            guard let host = state.indexOfHost(named: name) else {
                throw CommandFailure(
                    .notFound, code: "host_unknown", message: "\(file) has no node \(name)")
            }
            return host
        }
        for host in drained {
            // It counts as offline in the score, as with hbal -O.
            ganeti.nodes[host].isOffline = true
            state.setHostState(.draining, of: host)
        }
        let scoring = options.score ?? .hbal
        let spread =
            scoring == .hbal
            ? ganeti.balanceScore(of: state)
            : LoadSpread(of: state) { state.hosts[$0].state == .active }
        self.init(
            nodes: ganeti.nodes.count, instances: ganeti.instances.count,
            scoredBy: scoring.rawValue, initialScore: spread.score, finalScore: spread.score)
        readSeconds = (Instant.now - began).seconds
        planMoves(
            in: state, spread: spread, scoring: scoring, draining: drained, movesMax: options.moves)
    }

    private static func readGanetiCluster(from file: String) throws -> GanetiCluster {
        let path = CurrentCluster.absolutePath(for: file)
        let bytes: [UInt8]
        do {
            bytes = try File.readContents(at: path, limit: GanetiFormat.Limits.fileBytesMax)
        } catch {
            throw CommandFailure(
                .failed, code: "unreadable", message: "cannot read \(file): \(error)")
        }
        do {
            return try GanetiCluster(text: String(decoding: bytes, as: UTF8.self), file: file)
        } catch { throw CommandFailure(.refused, code: "bad_input", message: "\(error)") }
    }

    /// Figures that stand alone make sense together, too.
    private static func clusterState(of ganeti: GanetiCluster, file: String) throws -> ClusterState
    {
        do { return try ganeti.clusterState() } catch {
            throw CommandFailure(.refused, code: "bad_input", message: "\(file): \(error)")
        }
    }

    private mutating func planMoves(
        in state: ClusterState, spread: LoadSpread, scoring: BalanceScore,
        draining drained: [HostIndex], movesMax: Int?
    ) {
        let began = Instant.now
        let found: MovePlan
        if drained.isEmpty {
            var rules =
                scoring == .hbal ? BalanceRules.greedySearch(movesMax: instances) : BalanceRules()
            if let movesMax { rules.movesMax = movesMax }
            let balance = state.planBalance(rules: rules, spread: spread)
            found = balance.moves
            outcome = "\(balance.outcome)"
        } else {
            found = state.planDrain(of: drained)
        }
        planSeconds = (Instant.now - began).seconds
        recordPlan(found, startingFrom: state, spread: spread)
    }

    /// Follows the moves in their order, and the score with them.
    private mutating func recordPlan(
        _ plan: MovePlan, startingFrom state: ClusterState, spread: LoadSpread
    ) {
        var (state, spread) = (state, spread)
        for move in plan.moves {
            spread.relocateVM(move.vm, in: state, to: move.to)
            state.relocateVM(move.vm, to: move.to)
            moves.append(
                Move(
                    instance: state.description(of: move.vm).name,
                    from: state.hosts[move.from].name, to: state.hosts[move.to].name,
                    wave: move.wave, score: spread.score))
        }
        left = plan.left.map {
            Left(instance: state.description(of: $0.vm).name, why: "\($0.reason)")
        }
        finalScore = spread.score
    }

    var text: String {
        var lines = [
            "\(nodes) nodes, \(instances) instances; score by \(scoredBy)",
            "initial score \(scoreText(for: initialScore))",
        ]
        if !moves.isEmpty {
            var table = Table("", "INSTANCE", "FROM", "TO", "SCORE")
            for (number, move) in moves.enumerated() {
                table.addRow(
                    "\(number + 1)", move.instance, move.from, move.to, scoreText(for: move.score))
            }
            lines.append(table.text)
        }
        lines += left.map { "\($0.instance) stays: \($0.why)" }
        lines.append(
            "final score \(scoreText(for: finalScore)) after \(quantityText(count: moves.count, noun: "move"))"
        )
        if let outcome { lines.append(outcome) }
        lines.append(
            "planned in \(durationText(milliseconds: planSeconds * 1000)), read in \(durationText(milliseconds: readSeconds * 1000))"
        )
        return lines.joined(separator: "\n")
    }
}
