// The network between simulated hosts: connections with delay and bandwidth, and all that can happen to them.

import Glibc
import Host
import Migration
import Model
import PeerLink

final class SimNetwork {
    private unowned let scheduler: Scheduler
    private var random: SeededRandom
    let cluster: ClusterName
    let names: [HostName]
    /// What one direction of a connection holds at most.
    let bufferBytes: Int
    private var pipes: [[Pipe]]
    /// Those of which one end is not released, oldest first.
    private(set) var connections: [Connection] = []
    private var listeners: [SimListener?]
    private var gone: Set<Int> = []
    private var nextNumber = 0
    /// Sees every message of the protocol; nil when the run is not recorded.
    var recorder: TraceRecorder?

    init(
        scheduler: Scheduler, random: SeededRandom, cluster: ClusterName, names: [HostName],
        plan: NetworkPlan
    ) {
        self.scheduler = scheduler
        self.random = random
        self.cluster = cluster
        self.names = names
        bufferBytes = plan.bufferBytes
        pipes = names.map { _ in
            names.map { _ in
                Pipe(
                    delay: UInt64(plan.delay.wholeNanoseconds), bytesPerSecond: plan.bytesPerSecond)
            }
        }
        listeners = names.map { _ in nil }
    }

    func isGone(_ host: Int) -> Bool { gone.contains(host) }

    private func identity(_ host: Int) -> Identity {
        Identity(cluster: cluster, role: .agent, name: names[host])
    }

    // MARK: Connections

    func listen(_ process: SimProcess, on host: Int) -> SimListener {
        let listener = SimListener(scheduler, process, cluster: cluster)
        listeners[host] = listener
        return listener
    }

    func connect(
        _ process: SimProcess, from: Int, to peer: PeerAddress, within limit: Duration,
        silenceMax: Duration, _ flag: any WakeFlag
    ) throws(LinkError) -> any Link {
        scheduler.step("connect")
        guard !process.isDead else {
            scheduler.block(on: [], until: nil, for: "its end")
            throw .interrupted
        }
        guard let to = names.firstIndex(of: peer.name) else {
            throw .unreachable(SystemError(call: "connect", code: EHOSTUNREACH))
        }
        let connection = open(process, from, to, deadPeerAfter: silenceMax)
        let link = SimLink(
            connection.client, of: connection, peer: identity(to), silenceMax: silenceMax,
            flag: flag.simulated, scheduler: scheduler)
        try link.connect(within: limit)
        return link
    }

    private func open(
        _ process: SimProcess, _ from: Int, _ to: Int, deadPeerAfter limit: Duration
    ) -> Connection {
        let connection = Connection(number: nextNumber, network: self)
        nextNumber += 1
        let there = Lane(pipe: pipes[from][to], scheduler: scheduler)
        let back = Lane(pipe: pipes[to][from], scheduler: scheduler)
        // Whose end the server's is, is known when it knocks.
        let server = listeners[to]?.process ?? process
        connection.join(
            Endpoint(
                self, connection, host: from, process: process, identity: identity(from),
                out: there, back: back, deadPeerAfter: limit, isThere: true),
            Endpoint(
                self, connection, host: to, process: server, identity: identity(to), out: back,
                back: there, deadPeerAfter: limit, isThere: false))
        connections.append(connection)
        there.send(bytes: 0) { [self] in knock(connection, at: to, server) }
        return connection
    }

    private func knock(_ connection: Connection, at host: Int, _ expected: SimProcess) {
        if isGone(host) || connection.client.isReleased { return }
        guard let listener = listeners[host], listener.isOpen, listener.process === expected
        else {
            return connection.server.out.send(bytes: 0) {
                connection.client.fail(
                    .unreachable(SystemError(call: "connect", code: ECONNREFUSED)))
            }
        }
        connection.server.begin()
        listener.knock(
            SimArrival(connection, peer: identity(connection.client.host), scheduler: scheduler))
        connection.server.out.send(bytes: 0) {
            connection.client.isConnected = true
            connection.client.point.wakeAll()
        }
    }

    func forget(_ connection: Connection) {
        connections.removeAll { $0 === connection }
        connection.drop()
    }

    // MARK: Faults

    /// Both ends find the connection reset.
    func cut(_ connection: Connection) {
        let error = LinkError.broken(SystemError(call: "recv", code: ECONNRESET))
        connection.client.fail(error)
        connection.server.fail(error)
    }

    func connections(between left: Int, _ right: Int) -> [Connection] {
        connections.filter { $0.isBetween(left, right) }
    }

    /// Nothing arrives from one host at the other until `unblock`.
    func block(from: Int, to: Int) {
        let pipe = pipes[from][to]
        guard !pipe.isBlocked else { return }
        pipe.setBlocked(true)
        let change = pipe.changes
        for connection in connections(between: from, to) {
            for end in [connection.client, connection.server] {
                guard let end else { continue }
                scheduler.plan(after: UInt64(end.deadPeerAfter.wholeNanoseconds)) {
                    guard pipe.isBlocked, pipe.changes == change else { return }
                    end.fail(.broken(SystemError(call: "recv", code: ETIMEDOUT)))
                }
            }
        }
    }

    func unblock(from: Int, to: Int) {
        let pipe = pipes[from][to]
        guard pipe.isBlocked else { return }
        pipe.setBlocked(false)
        for connection in connections(between: from, to) {
            let end = connection.client.host == from ? connection.client : connection.server
            let pause = random.duration(.milliseconds(1) ... .seconds(2))
            end?.out.goOn(after: UInt64(pause.wholeNanoseconds))
            tellOfDeadPeer(connection)
        }
    }

    /// The next probe of a connection that the other end has given up finds nobody.
    private func tellOfDeadPeer(_ connection: Connection) {
        guard connection.client.failure != nil || connection.server.failure != nil else { return }
        scheduler.plan(after: 1_000_000_000) { [self] in cut(connection) }
    }

    func setStalled(_ isStalled: Bool, _ connection: Connection) {
        connection.client.out.setStalled(isStalled)
        connection.server.out.setStalled(isStalled)
    }

    func setSpeed(from: Int, to: Int, _ bytesPerSecond: Double?) {
        pipes[from][to].setSpeed(bytesPerSecond, at: scheduler.now)
        for connection in connections(between: from, to) {
            connection.client.out.speedChanged()
            connection.server.out.speedChanged()
        }
    }

    func healAll() {
        for from in names.indices {
            for to in names.indices { unblock(from: from, to: to) }
        }
        for connection in connections { setStalled(false, connection) }
    }

    func dissolve() {
        for connection in connections { connection.drop() }
        connections = []
        listeners = []
    }

    // MARK: Ends of processes and hosts

    func processEnded(_ process: SimProcess, hostVanishes: Bool) {
        for index in listeners.indices where listeners[index]?.process === process {
            listeners[index]?.close()
            listeners[index] = nil
        }
        for connection in connections {
            for end in [connection.client, connection.server] {
                guard let end, end.process === process else { continue }
                hostVanishes ? end.vanish() : end.release()
            }
        }
    }

    /// Peers of a host without power hear nothing until it is back, and then that nobody knows them.
    func hostVanished(_ host: Int) {
        gone.insert(host)
        for connection in connections {
            for end in [connection.client, connection.server] where end?.host != host {
                guard let end, connection.isBetween(host, end.host) else { continue }
                scheduler.plan(after: UInt64(end.deadPeerAfter.wholeNanoseconds)) {
                    end.fail(.broken(SystemError(call: "recv", code: ETIMEDOUT)))
                }
            }
        }
    }

    func hostReturned(_ host: Int) {
        gone.remove(host)
        for connection in connections
        where connection.client.host == host || connection.server.host == host {
            cut(connection)
        }
    }
}

/// Peers that knock at one host. `@unchecked`: whoever holds the baton may touch it.
final class SimListener: LinkListener, @unchecked Sendable {
    let process: SimProcess
    let cluster: ClusterName
    private let scheduler: Scheduler
    private var arrivals: [SimArrival] = []
    private let point = WaitPoint()
    private(set) var isOpen = true

    init(_ scheduler: Scheduler, _ process: SimProcess, cluster: ClusterName) {
        self.scheduler = scheduler
        self.process = process
        self.cluster = cluster
    }

    func acceptArrival(
        wakingOn flag: any WakeFlag, until end: Instant
    ) throws(SystemError) -> (any ArrivingLink)? {
        scheduler.step("accept")
        let flag = flag.simulated
        while true {
            if process.isDead {
                scheduler.block(on: [], until: nil, for: "its end")
                throw .deadProcess
            }
            if flag.isSet { return nil }
            if !arrivals.isEmpty { return arrivals.removeFirst() }
            if scheduler.now >= end.nanoseconds { return nil }
            scheduler.block(on: [point, flag.point], until: end.nanoseconds, for: "a peer")
        }
    }

    func knock(_ arrival: SimArrival) {
        arrivals.append(arrival)
        point.wakeAll()
    }

    func close() {
        isOpen = false
        arrivals = []
    }
}

/// `@unchecked`: whoever holds the baton may touch it.
final class SimArrival: ArrivingLink, @unchecked Sendable {
    private let connection: Connection
    private let peer: Identity
    private let scheduler: Scheduler
    private var isTaken = false

    init(_ connection: Connection, peer: Identity, scheduler: Scheduler) {
        self.connection = connection
        self.peer = peer
        self.scheduler = scheduler
    }

    deinit { if !isTaken { connection.server.release() } }

    func completeHandshake(
        silenceMax: Duration, interruptedBy flag: any WakeFlag
    ) throws(LinkError) -> any Link {
        isTaken = true
        connection.server.deadPeerAfter = silenceMax
        let link = SimLink(
            connection.server, of: connection, peer: peer, silenceMax: silenceMax,
            flag: flag.simulated, scheduler: scheduler)
        try link.accept()
        return link
    }
}
