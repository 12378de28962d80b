// What heartbeats have said of a host since this controller leads. It is never stored: the next controller hears it
// again.

import API
import Model

/// What a host's last heartbeat measured.
struct ObservedLoad {
    var cpuCores = 0.0
    var memoryUsedBytes: UInt64 = 0
    var pressure = HostPressure()
}

struct ObservedHost {
    private var agentID: Identifier128?
    private var sequence: UInt64 = 0
    /// When it was last heard, and last granted a lease: before the first time, when this controller began to lead.
    private(set) var heardAt: Duration
    private(set) var grantedAt: Duration
    /// When it was last fenced.
    private(set) var fencedAt: Duration?
    /// Since this life of its agent registered.
    private(set) var heartbeatCount = 0
    private(set) var load = ObservedLoad()
    private var reported: Set<VMID> = []
    private var migrations: [MigrationID: MigrationInfo] = [:]

    init(at now: Duration, isFenced: Bool = false) {
        heardAt = now
        grantedAt = now
        fencedAt = isFenced ? now : nil
    }

    /// Its agent has begun a life. What the host has arrives with the next heartbeat.
    mutating func beginLife(of agent: Identifier128, at now: Duration) {
        agentID = agent
        sequence = 0
        heardAt = now
        heartbeatCount = 0
    }

    func isRegistered(agentID agent: Identifier128) -> Bool { agentID == agent }

    mutating func grantLease(at now: Duration) { grantedAt = now }

    /// - Returns: the VMs that it does not report any more; nil when this heartbeat is not newer than the last one.
    mutating func receiveHeartbeat(_ heartbeat: Heartbeat, at now: Duration) -> Set<VMID>? {
        guard heartbeat.sequence > sequence else { return nil }
        sequence = heartbeat.sequence
        heardAt = now
        heartbeatCount += 1
        load = ObservedLoad(
            cpuCores: heartbeat.cpuCores, memoryUsedBytes: heartbeat.memoryUsedBytes,
            pressure: heartbeat.pressure)
        migrations = Dictionary(
            heartbeat.migrations.map { ($0.id, $0) }, uniquingKeysWith: { _, last in last })
        let before = reported
        reported = Set(heartbeat.vms.map(\.id))
        return before.subtracting(reported)
    }

    mutating func markFenced(at now: Duration) { fencedAt = now }

    /// It said that the migration runs or ended.
    func hasReported(migration: MigrationID) -> Bool { migrations[migration] != nil }

    /// Its answer to a command said so.
    mutating func recordMigration(_ info: MigrationInfo) { migrations[info.id] = info }
}
