// Records what can be seen at the hosts of a run, in the explorer's terms: its model of the drivers must have such a path.

package import Explorer
import Host
import MigrationProtocol
import Model
import Ownership
import VMControl

/// What was seen in one run.
package struct RunRecord: Sendable {
    package var source: [Observation] = []
    package var destination: [Observation] = []
    package var migrations = 0
    /// It was recorded to its end.
    package var isComplete = false

    package init() {}
}

/// `@unchecked`: only the thread that holds the baton (see Scheduler) uses it.
final class TraceRecorder: @unchecked Sendable {
    let names: TraceNames
    private let hosts: [HostName]
    private let home: Int
    private var isRecording = false
    private var conditions: [Int: GuestCondition] = [:]
    private(set) var result = RunRecord()

    /// Nil when the explorer's model does not cover the scenario: it has one VM and two hosts, and no agent stops in good
    /// order there.
    init?(of plan: Scenario, names: [HostName]) {
        let isStopped = plan.faults.contains {
            if case .stopAgent = $0.fault { true } else { false }
        }
        guard plan.hosts == 2, plan.vms.count == 1, !isStopped else { return nil }
        hosts = names
        let home = plan.vms[0].home
        self.names = TraceNames(source: names[home], destination: names[1 - home]) { id in
            TraceNames.migrationNumber(ordinal: Int(id.low / 1000), renewals: Int(id.low % 1000))
        }
        self.home = home
    }

    /// Every VM runs at home.
    func begin() {
        conditions = [home: .running]
        isRecording = true
    }

    func end(migrations: Int) {
        guard isRecording else { return }
        isRecording = false
        result.migrations = migrations
        result.isComplete = true
    }

    func add(_ observation: Observation, on host: Int) {
        guard isRecording else { return }
        switch names.migrationSide(of: hosts[host]) {
        case .s: result.source.append(observation)
        case .d: result.destination.append(observation)
        case nil: break
        }
    }

    private func add(_ observation: Observation, by process: SimProcess) {
        guard !process.isDead,
            let host = hosts.firstIndex(where: {
                process.name.prefix(while: { $0 != "#" }) == $0.text
            })
        else { return }
        add(observation, on: host)
    }

    func wrote(_ record: LedgerRecord, by process: SimProcess) {
        add(.wrote(names.modelRecord(for: record)), by: process)
    }

    func wrote(_ record: LedgerRecord, on host: Int) {
        add(.wrote(names.modelRecord(for: record)), on: host)
    }

    func writeFailed(by process: SimProcess) { add(.writeFailed, by: process) }

    func guestChanged(_ vmm: SimVMM) {
        let condition = vmm.isAlive ? GuestCondition(vmm.lifecycle) : .none
        guard conditions[vmm.host, default: .none] != condition else { return }
        conditions[vmm.host] = condition
        add(.guest(condition), on: vmm.host)
    }

    func agentEnded(on host: SimHost) {
        let ownership = host.disk.book.ownerships.values.first
        add(.agentEnded(ownership.map(names.modelOwnership)), on: host.index)
    }
}

/// Sees the messages of one end of a connection. For the thread that has the link.
final class MessageObserver {
    private let recorder: TraceRecorder
    /// A message whose body has not been received yet.
    private var header: PeerMessageHeader?

    init(_ recorder: TraceRecorder) { self.recorder = recorder }

    /// A message is sent in one piece.
    func sent(_ bytes: [UInt8], by end: Endpoint, on connection: Connection) {
        if case .data? = connection.purpose { return }
        guard bytes.count >= PeerMessageHeader.bytes,
            let header = try? PeerMessageHeader(Array(bytes.prefix(PeerMessageHeader.bytes))),
            let message = try? PeerMessage(
                kind: header.kind, body: Array(bytes.dropFirst(PeerMessageHeader.bytes)))
        else { return }
        switch message {
        case .hello(_, let purpose): connection.purpose = purpose
        case .welcome: connection.isWelcomed = true
        default:
            let other = connection.other(of: end)
            guard connection.isWelcomed, end.failure == nil, !other.isClosed, !other.isReleased
            else { return }
            observe(message, sentBy: end, on: connection)
        }
    }

    private func observe(_ message: PeerMessage, sentBy end: Endpoint, on connection: Connection) {
        if case .question? = connection.purpose {
            if let query = recorder.names.ownershipQuery(in: message) {
                recorder.add(.asked(query), on: end.host)
            } else if let reply = recorder.names.queryReply(in: message) {
                recorder.add(.answered(reply), on: end.host)
            }
        } else if let message = recorder.names.controlMessage(
            for: message, isFromSource: end === connection.client)
        {
            recorder.add(.sent(message), on: end.host)
        }
    }

    /// A header and a body are received one after the other.
    func received(_ bytes: [UInt8], by end: Endpoint, on connection: Connection) {
        guard case .control? = connection.purpose else { return }
        if let header {
            self.header = nil
            receive(header, body: bytes, by: end, on: connection)
        } else if let header = try? PeerMessageHeader(bytes) {
            if header.bodyBytes > 0 { return self.header = header }
            receive(header, body: [], by: end, on: connection)
        }
    }

    private func receive(
        _ header: PeerMessageHeader, body: [UInt8], by end: Endpoint, on connection: Connection
    ) {
        guard connection.isWelcomed,
            let message = try? PeerMessage(kind: header.kind, body: body),
            let seen = recorder.names.controlMessage(
                for: message, isFromSource: end !== connection.client)
        else { return }
        recorder.add(.received(seen), on: end.host)
    }
}
