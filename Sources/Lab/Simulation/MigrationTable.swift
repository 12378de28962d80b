// Moves that are planned and moves that are under way, with their shares of the links.
//
// A plan is carried out wave by wave. Of one wave, those moves begin that the limits let through; the others wait in
// their order. A move gets the slower of its two hosts' links, each divided by the moves on it at that time; when that
// changes, the rest of the move is predicted anew: of a move that is half done by the old prediction, half of the new
// one remains.

import Model
import Placement

/// A move that waits for its turn.
struct WaitingMove {
    var vm: VMIndex
    /// Of the VM, so that a row used again is not taken for it.
    var request: Int32
    var from: HostIndex
    var to: HostIndex
    var wave: Int
}

struct MoveJob {
    enum Purpose: Equatable {
        case round
        case drain([HostIndex])
    }

    let number: Int
    let purpose: Purpose
    /// Not begun, in order.
    var waiting: [WaitingMove]
    /// The wave of those that may begin.
    var wave: Int
    var underWay = 0

    fileprivate init(number: Int, purpose: Purpose, waiting: [WaitingMove]) {
        self.number = number
        self.purpose = purpose
        self.waiting = waiting
        wave = waiting.first?.wave ?? 0
    }

    var isOver: Bool { waiting.isEmpty && underWay == 0 }
}

struct ActiveMigration {
    let number: Int
    let vm: VMIndex
    let from: HostIndex
    let to: HostIndex
    /// The number of its job.
    let job: Int
    let began: Int64
    /// Of the event that will end it.
    var version = 0
    /// Share of the move that was done at `since`.
    var done = 0.0
    var since: Int64
    /// Bytes sent until `since`.
    var bytes = 0.0
    /// At the speed that it has now; 0: not known yet.
    var bytesPerSecond = 0.0
    var seconds = 0.0
    var bytesInAll = 0.0
    var downtime = 0.0
    var keepsDowntimeLimit = true

    /// What was done and sent until now.
    mutating func addProgress(until now: Int64) {
        let share = seconds > 0 ? Double(now - since) / 1e9 / seconds : 0
        let step = min(share, 1 - done)
        done += step
        bytes += step * bytesInAll
        since = now
    }
}

struct MigrationTable {
    private(set) var underWay: [ActiveMigration] = []
    var jobs: [MoveJob] = []
    private let limits: MoveLimits
    private var made = 0
    private var movesOfHost: [Int32]
    private let linkOfHost: [Int32]
    private var movesOfLink: [Int32]
    private let speedOfHost: [Double]

    init(hosts: [PlacementHost], limits: MoveLimits) {
        self.limits = limits
        movesOfHost = Array(repeating: 0, count: hosts.count)
        speedOfHost = hosts.map(\.linkBytesPerSecond)
        var numbers: [String: Int32] = [:]
        var links: [Int32] = []
        var count: Int32 = 0
        for host in hosts {
            if let known = numbers[host.link], !host.link.isEmpty {
                links.append(known)
            } else {
                numbers[host.link] = count
                links.append(count)
                count += 1
            }
        }
        linkOfHost = links
        movesOfLink = Array(repeating: 0, count: Int(count))
    }

    mutating func enqueueJob(for purpose: MoveJob.Purpose, waiting: [WaitingMove]) {
        made += 1
        jobs.append(MoveJob(number: made, purpose: purpose, waiting: waiting))
    }

    func moveCount(at host: HostIndex) -> Int { Int(movesOfHost[host]) }

    func activeMove(of vm: VMIndex) -> Int? { underWay.firstIndex { $0.vm == vm } }

    /// Whether the limits let these moves begin together. VMs that belong together may exceed a limit, but only alone.
    func canBeginTogether(_ moves: [WaitingMove]) -> Bool {
        if underWay.isEmpty { return true }
        guard underWay.count + moves.count <= limits.perCluster else { return false }
        let more = Int32(moves.count)
        return moves.allSatisfy {
            hasCapacity(at: $0.from, forMoves: more) && hasCapacity(at: $0.to, forMoves: more)
        }
    }

    private func hasCapacity(at host: HostIndex, forMoves more: Int32) -> Bool {
        Int(movesOfHost[host] + more) <= limits.perHost
            && Int(movesOfLink[Int(linkOfHost[host])] + more) <= limits.perLink
    }

    mutating func beginMigration(of move: WaitingMove, forJob job: Int, at now: Int64) {
        made += 1
        underWay.append(
            ActiveMigration(
                number: made, vm: move.vm, from: move.from, to: move.to, job: job, began: now,
                since: now))
        addToCounts(from: move.from, to: move.to, step: 1)
    }

    mutating func endMigration(at place: Int) -> ActiveMigration {
        let move = underWay.remove(at: place)
        addToCounts(from: move.from, to: move.to, step: -1)
        if let job = jobs.firstIndex(where: { $0.number == move.job }) { jobs[job].underWay -= 1 }
        return move
    }

    private mutating func addToCounts(from: HostIndex, to: HostIndex, step: Int32) {
        movesOfHost[from] += step
        movesOfHost[to] += step
        let (left, right) = (Int(linkOfHost[from]), Int(linkOfHost[to]))
        movesOfLink[left] += step
        if right != left { movesOfLink[right] += step }
    }

    /// Gives every move the speed that its links leave it now.
    ///
    /// - Parameter changed: told the moves whose end is another now.
    mutating func updateLinkShares(
        in cluster: ClusterState, costs: MigrationCostModel, at now: Int64,
        changed: (_ move: Int, _ version: Int, _ end: Int64) -> Void
    ) {
        for place in underWay.indices {
            let speed = min(linkShare(of: underWay[place].from), linkShare(of: underWay[place].to))
            guard speed != underWay[place].bytesPerSecond else { continue }
            let prediction = costs.predictMigration(
                of: cluster.description(of: underWay[place].vm), linkBytesPerSecond: speed)
            underWay[place].addProgress(until: now)
            underWay[place].version += 1
            underWay[place].bytesPerSecond = speed
            underWay[place].seconds = prediction.duration.expected.seconds
            underWay[place].bytesInAll = Double(prediction.bytes.expected)
            underWay[place].downtime = prediction.downtime.expected.seconds
            underWay[place].keepsDowntimeLimit = prediction.keepsDowntimeLimit
            let rest = (1 - underWay[place].done) * underWay[place].seconds
            let end = (Double(now) + (rest * 1e9).rounded(.up))
            changed(
                underWay[place].number, underWay[place].version, end < 0x1p62 ? Int64(end) : .max)
        }
    }

    private func linkShare(of host: HostIndex) -> Double {
        speedOfHost[host] / Double(max(1, movesOfLink[Int(linkOfHost[host])]))
    }
}
