// One of the demo's VMs: how busy it is, where it starts, and what its heartbeats say.

import API
import Host
import Model
import Pulse
import Testbed

/// Watched on every host from before its start: its heartbeats, and who runs it.
final class DemoGuest {
    let name: VMName
    let startsOn: HostName
    /// Pages that it writes a second: its load.
    let rate: Int
    let id = VMID.random()
    let watch: PulseWatch
    private let owners: OwnerWatch
    private(set) var ownerViolations: [String] = []

    /// Names, loads and places: the first host gets most of it, the last nothing.
    static let shapes: [(name: String, rate: Int, host: Int)] = [
        ("mail", 9000, 0), ("shop", 9000, 0), ("search", 6000, 0), ("wiki", 600, 0),
        ("chat", 600, 0), ("build", 6000, 1), ("files", 600, 1), ("dns", 600, 1),
    ]
    private static let heartbeatPeriod = Duration.milliseconds(20)

    init(
        shape: (name: String, rate: Int, host: Int), in cluster: LocalCluster
    ) throws {
        name = try VMName(shape.name)
        rate = shape.rate
        startsOn = cluster.hosts[shape.host]
        watch = try PulseWatch(name, in: cluster)
        owners = try OwnerWatch(name, in: cluster)
    }

    func creationRequest(memory: ByteCount) throws -> CreateClusterVM {
        var options = PulseOptions()
        options.period = Self.heartbeatPeriod
        options.fillBytes = Int(memory.bytes) / 2
        options.workingSetBytes = Int(memory.bytes) / 16
        options.rate = .pagesPerSecond(rate)
        options.checksPerSecond = 200
        var request = CreateClusterVM(
            VMSpec(name: name, memory: memory, commandLine: try options.commandLine()))
        request.id = id
        request.startOn = startsOn
        return request
    }

    func stopWatching() {
        watch.stopWatching()
        ownerViolations = owners.finishWatching()
    }

    /// What the guest or its watchers saw that must not be.
    var problem: String? {
        let trace = watch.trace
        if trace.errors > 0 { return "\(name) found \(trace.errors) wrong pages" }
        if let (before, after) = trace.firstBreak {
            return "\(name): heartbeat \(after) came after \(before)"
        }
        return ownerViolations.first
    }
}
