// Follows a cluster and writes down what is news.
//
//   revision ─▶ list everything ─▶ events behind it ───────▶ lines, as things happen
//                                  readings, now and then ─▶ loads, and what no event told of
//
// Events resume behind the last one after a break; when the controller does not remember them (`reset`), the next
// reading lists everything again. A reading that is older than an event says nothing about the event's thing.

import API
import Clients
import History
import Host
import Model

actor Recorder {
    /// Between two tries to reach a controller.
    private static let pause = Duration.seconds(1)

    private let controller: ControllerClient
    private let path: String
    private let every: Duration
    private var writer: HistoryWriter
    /// Of the file's times, when this recorder began.
    private let firstTime: Int64
    /// What it found first was all written with that time; since then time passes. Nil before.
    private var began: Instant?

    /// Events up to this one are in the file.
    private var revision: UInt64
    private var lastReading: Int64
    /// Everything is to be listed, for events were lost.
    private var listsAll = false
    /// Revisions of things as last seen; what comes with a lower one is older.
    private var vmsSeen: [VMID: UInt64] = [:]
    private var hostsSeen: [HostName: UInt64] = [:]
    /// Gone, or come, since the reading under way was asked for.
    private var goneMeanwhile: Set<VMID> = []
    private var comeMeanwhile: Set<VMName> = []
    private var hostsComeMeanwhile: Set<HostName> = []
    /// Why nothing more can be written. Errors of those who are called by the client do not come through it.
    private var failure: HistoryWriteError?
    private var migrations = 0
    private var gaps = 0

    /// Lists the cluster and begins the file, or goes on with it.
    init(
        from controller: ControllerClient, file path: String, every: Duration
    ) async throws {
        let cluster = try await controller.readClusterInfo()
        let revision = try await controller.readCurrentRevision()
        let listing = try await Listing(from: controller, withAll: true)
        let now = wallMilliseconds()
        let header = HistoryHeader(
            cluster: cluster.cluster, policy: cluster.policy, startedAtMs: now,
            everySeconds: every.seconds)
        do throws(HistoryWriteError) {
            writer = try HistoryWriter(path: path, header: header)
        } catch {
            throw CommandFailure(error)
        }
        self.controller = controller
        self.path = path
        self.every = every
        self.revision = revision
        firstTime = max(writer.lastTime, now - writer.header.startedAtMs, 0)
        lastReading = writer.continues ? writer.lastTime : firstTime
        try beginRecording(with: listing)
        began = Instant.now
    }

    /// What to tell before it begins.
    var startNote: String {
        guard writer.continues else { return "recording into \(path); Ctrl-C ends it" }
        let cut =
            writer.cutOffBytes > 0
            ? "; its last line was cut off (\(writer.cutOffBytes) bytes) and is left out" : ""
        return "going on with \(path)\(cut); Ctrl-C ends it"
    }

    private func beginRecording(with listing: Listing) throws {
        if writer.continues { try appendLine(.gap(RecordedGap(.stopped, since: lastReading))) }
        let startedAt = writer.header.startedAtMs + lastReading
        for operation in listing.operations {
            // What had ended before is no part of this history.
            let isOld = (operation.endedAtMs ?? .max) < startedAt || !writer.continues
            for move in operation.recordedMoves where isOld { writer.markAsRecorded(move) }
        }
        try recordListing(listing)
    }

    private var now: Int64 {
        guard let began else { return firstTime }
        return firstTime + (Instant.now - began).wholeNanoseconds / 1_000_000
    }

    private func appendLine(_ line: HistoryLine) throws {
        if case .move = line { migrations += 1 }
        if case .gap = line { gaps += 1 }
        do throws(HistoryWriteError) {
            try writer.writeEntry(HistoryEntry(t: now, line: line))
        } catch {
            failure = failure ?? error
            throw error
        }
    }

    private func appendLines(_ lines: [HistoryLine]) throws {
        for line in lines { try appendLine(line) }
    }

    func finishRecording() throws -> RecordSummary {
        if let failure { throw CommandFailure(failure) }
        do {
            try writeGapIfNeeded()
            try appendLine(.end)
            try writer.flushToDisk()
        } catch let error as HistoryWriteError { throw CommandFailure(error) }
        return RecordSummary(
            file: path, seconds: Double(now - firstTime) / 1000, lines: writer.lines,
            bytes: writer.bytes, hosts: writer.recordedState.hosts.count,
            vms: writer.recordedState.vms.count,
            migrations: migrations, gaps: gaps)
    }
}

// MARK: - Events

extension Recorder {
    /// Writes what events tell, until it is cancelled.
    nonisolated func followEvents() async throws {
        while !Task.isCancelled {
            do {
                try await controller.followEvents(after: await revision) { event in
                    try await applyEvent(event)
                    return true
                }
            } catch {
                try await checkWritable()
                try await pauseOrThrow(after: error)
            }
        }
    }

    private func checkWritable() throws {
        if let failure { throw CommandFailure(failure) }
    }

    /// A controller that is away is waited for; what will not pass by itself ends the recording.
    private func pauseOrThrow(after error: any Error) async throws {
        if Task.isCancelled { throw CancellationError() }
        guard let error = error as? ClientError, error.isPassing else { throw error }
        try await Task.sleep(for: Self.pause)
    }

    private func applyEvent(_ event: ClusterEvent) async throws {
        switch event.change {
        case .host(let host):
            hostsComeMeanwhile.insert(host.name)
            try recordState(of: host)
        case .vm(let vm):
            comeMeanwhile.insert(vm.name)
            try await describeGroups(of: vm)
            try recordState(of: vm)
        case .operation(let operation): try recordMoves(of: operation)
        case .deleted(.vm, let name): try recordDeletion(ofVM: name)
        case .deleted(.host, let name):
            try appendLines(
                writer.recordedState.changedLines(forEnd: RecordedEnd(.host, name: name)))
        case .deleted, .balance: break
        case .reset:
            try appendLine(.gap(RecordedGap(.forgotten, since: lastReading)))
            listsAll = true
        }
        revision = event.revision
    }

    /// No event tells of groups: they are asked for when a VM names one that is not known.
    private func describeGroups(of vm: ClusterVM) async throws {
        guard !writer.recordedState.unknownGroups(of: RecordedVM(vm)).isEmpty else { return }
        for group in try await controller.fetchAllGroups() {
            try appendLines(writer.recordedState.changedLines(for: RecordedGroup(group.group)))
        }
    }

    private func recordState(of host: ClusterHost) throws {
        guard host.revision >= hostsSeen[host.name] ?? 0 else { return }
        hostsSeen[host.name] = host.revision
        try appendLines(writer.recordedState.changedLines(for: RecordedHost(host)))
    }

    private func recordState(of vm: ClusterVM) throws {
        guard vm.revision >= vmsSeen[vm.id] ?? 0 else { return }
        vmsSeen[vm.id] = vm.revision
        try appendLines(
            writer.recordedState.changedLines(for: RecordedVM(vm), place: RecordedPlace(vm)))
    }

    private func recordDeletion(ofVM name: String) throws {
        if let name = try? VMName(name), let vm = writer.recordedState.vms[name] {
            goneMeanwhile.insert(vm.id)
            vmsSeen[vm.id] = nil
        }
        try appendLines(writer.recordedState.changedLines(forEnd: RecordedEnd(.vm, name: name)))
    }

    private func recordMoves(of operation: OperationInfo) throws {
        for move in operation.recordedMoves {
            try appendLines(writer.recordedState.changedLines(for: move))
        }
    }
}

// MARK: - Readings

extension Recorder {
    /// Reads loads at equal distances, until it is cancelled.
    func readLoads() async throws {
        var next = Instant.now + every
        while true {
            try await Task.sleep(for: max(next - Instant.now, .zero))
            do { try await readListing() } catch {
                try checkWritable()
                try await pauseOrThrow(after: error)
            }
            // A reading that came late does not make the next ones hurry.
            next = max(next + every, Instant.now)
        }
    }

    private func readListing() async throws {
        (goneMeanwhile, comeMeanwhile, hostsComeMeanwhile) = ([], [], [])
        let all = listsAll
        let listing = try await Listing(from: controller, withAll: all)
        try writeGapIfNeeded()
        try recordListing(listing)
        if all { listsAll = false }
    }

    private func writeGapIfNeeded() throws {
        guard now - lastReading > silenceMax else { return }
        try appendLine(.gap(RecordedGap(.unreachable, since: lastReading)))
    }

    /// Readings that lie further apart leave a gap.
    private var silenceMax: Int64 { (every * 2 + .seconds(2)).wholeNanoseconds / 1_000_000 }

    private func recordListing(_ listing: Listing) throws {
        for host in listing.hosts { try recordState(of: host) }
        for group in listing.groups {
            try appendLines(writer.recordedState.changedLines(for: RecordedGroup(group.group)))
        }
        let vms = listing.vms.filter { !goneMeanwhile.contains($0.id) }
        for vm in vms { try recordState(of: vm) }
        for operation in listing.operations { try recordMoves(of: operation) }
        try recordMissing(
            listedVMs: Set(vms.map(\.name)).union(comeMeanwhile),
            listedHosts: Set(listing.hosts.map(\.name)).union(hostsComeMeanwhile))
        try appendLines(
            writer.recordedState.changedLines(forVMs: vms.readings, hosts: listing.hosts.readings))
        // So that a file whose recorder was killed says how far it goes.
        if now - writer.lastTime > Self.signOfLife { try appendLine(.load(RecordedLoad())) }
        lastReading = now
    }

    private func recordMissing(listedVMs vms: Set<VMName>, listedHosts hosts: Set<HostName>) throws
    {
        for case .gone(let end) in writer.recordedState.endedEntries(
            listedVMs: vms, listedHosts: hosts)
        {
            switch end.what {
            case .vm: try recordDeletion(ofVM: end.name)
            case .host: try appendLine(.gone(end))
            }
        }
    }

    /// Milliseconds after which a line is written though nothing changed.
    private static var signOfLife: Int64 { 60_000 }
}

/// Everything of the cluster at about one moment. VMs come first: what they name is then known by the other lists.
private struct Listing {
    var vms: [ClusterVM]
    var hosts: [ClusterHost]
    var groups: [GroupInfo] = []
    var operations: [OperationInfo] = []

    init(from controller: ControllerClient, withAll: Bool) async throws(ClientError) {
        vms = try await controller.fetchAllVMs()
        hosts = try await controller.fetchAllHosts()
        guard withAll else { return }
        groups = try await controller.fetchAllGroups()
        operations = try await controller.collectAllPages { (after) throws(ClientError) in
            try await controller.listOperations(after: after)
        }
    }
}

extension [ClusterVM] {
    fileprivate var readings: [VMName: VMReading] {
        Dictionary(compactMap { vm in VMReading(vm).map { (vm.name, $0) } }) { $1 }
    }
}

extension [ClusterHost] {
    fileprivate var readings: [HostName: HostReading] {
        Dictionary(compactMap { host in HostReading(host).map { (host.name, $0) } }) { $1 }
    }
}
