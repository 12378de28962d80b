// What the lines of a recorded history say. `History.md` documents each field with its unit.
//
//   {"cluster":"blue",...,"kind":"history","version":1}        the first line
//   {"kind":"host","name":"host-a","t":0,...}                  a host, new or changed
//   {"host":"host-a","kind":"place","state":"running",...}     where a VM is now
//   {"cores":[0.42],"kind":"load","t":10000,"vms":["web"],...} what changed by more than a step

package import Model

/// The first line.
package struct HistoryHeader: Hashable, Sendable, Codable {
    package static let version = 1

    package var version = Self.version
    package var cluster: ClusterName
    /// The controller's placement policy.
    package var policy: String
    /// Milliseconds since 1970: the moment from which lines count their time.
    package var startedAtMs: Int64
    /// Time between two readings of load.
    package var everySeconds: Double

    package init(
        cluster: ClusterName, policy: String, startedAtMs: Int64, everySeconds: Double
    ) {
        self.cluster = cluster
        self.policy = policy
        self.startedAtMs = startedAtMs
        self.everySeconds = everySeconds
    }
}

package struct RecordedHost: Hashable, Sendable, Codable {
    package var name: HostName
    package var state: HostState
    /// It is known that nothing runs there.
    package var isFenced: Bool
    package var cores: Int
    package var memoryBytes: Int64
    package var memoryReserveBytes: Int64
    package var cpuOvercommit: Double
    package var memoryOvercommit: Double
    package var features: [String]
    package var labels: [String]
    package var zone: String
    package var rack: String
    package var link: String
    package var linkBytesPerSecond: Double

    package init(name: HostName, cores: Int, memoryBytes: Int64) {
        self.name = name
        self.cores = cores
        self.memoryBytes = memoryBytes
        (state, isFenced, memoryReserveBytes) = (.active, false, 0)
        (cpuOvercommit, memoryOvercommit) = (1, 1)
        (features, labels, zone, rack, link) = ([], [], "", "", "")
        linkBytesPerSecond = 1.25e9
    }
}

package struct RecordedGroup: Hashable, Sendable, Codable {
    package enum Rule: String, Hashable, Sendable, Codable {
        case affinity
        case antiAffinity = "anti-affinity"
    }

    package enum Scope: String, Hashable, Sendable, Codable {
        case host, rack, zone
    }

    package var name: String
    package var rule: Rule
    package var scope: Scope
    /// Nil: hard.
    package var softWeight: Double?
    /// Of anti-affinity.
    package var perDomainMax: Int

    package init(
        name: String, rule: Rule, scope: Scope = .host, softWeight: Double? = nil,
        perDomainMax: Int = 1
    ) {
        self.name = name
        self.rule = rule
        self.scope = scope
        self.softWeight = softWeight
        self.perDomainMax = perDomainMax
    }
}

/// What a VM asks for; where it is stands in `RecordedPlace`.
package struct RecordedVM: Hashable, Sendable, Codable {
    package var name: VMName
    package var id: VMID
    package var vcpus: Int
    package var memoryBytes: Int64
    package var labels: [String]
    package var groups: [String]
    package var pinnedHost: HostName?
    package var priority: Int
    package var mayBeBalanced: Bool
    package var downtimeLimitMs: Double

    package init(name: VMName, id: VMID, vcpus: Int, memoryBytes: Int64) {
        self.name = name
        self.id = id
        self.vcpus = vcpus
        self.memoryBytes = memoryBytes
        (labels, groups, pinnedHost) = ([], [], nil)
        (priority, mayBeBalanced) = (0, true)
        downtimeLimitMs = DowntimeLimit.usual.milliseconds
    }
}

package struct RecordedPlace: Hashable, Sendable, Codable {
    /// As the controller names them.
    package enum State: String, Hashable, Sendable, Codable {
        case pending, starting, running, paused, migrating, stopping, stopped, failed, unknown
        case deleting
    }

    package var vm: VMName
    package var state: State
    /// Nil: it is on no host.
    package var host: HostName?
    /// While it is moved.
    package var destination: HostName?
    /// Why it is in this state, where that needs saying.
    package var reason: String?

    package init(
        vm: VMName, state: State, host: HostName? = nil, destination: HostName? = nil,
        reason: String? = nil
    ) {
        self.vm = vm
        self.state = state
        self.host = host
        self.destination = destination
        self.reason = reason
    }
}

/// A VM's load at one moment.
package struct VMReading: Hashable, Sendable {
    package var cores: Double
    package var memoryBytes: Int64
    /// Nil: not measured.
    package var dirtyBytesPerSecond: Int64?

    package init(cores: Double, memoryBytes: Int64, dirtyBytesPerSecond: Int64? = nil) {
        self.cores = cores
        self.memoryBytes = memoryBytes
        self.dirtyBytesPerSecond = dirtyBytesPerSecond
    }
}

/// A host's load, that of its VMs included.
package struct HostReading: Hashable, Sendable {
    package var cores: Double
    package var memoryBytes: Int64

    package init(cores: Double, memoryBytes: Int64) {
        self.cores = cores
        self.memoryBytes = memoryBytes
    }
}

/// Readings that differ from the last written ones by more than a step: columns, so that names of fields stand once.
package struct RecordedLoad: Hashable, Sendable {
    package var vms: [(name: VMName, reading: VMReading)] = []
    package var hosts: [(name: HostName, reading: HostReading)] = []

    package init() {}

    package static func == (left: RecordedLoad, right: RecordedLoad) -> Bool {
        left.vms.elementsEqual(right.vms, by: ==) && left.hosts.elementsEqual(right.hosts, by: ==)
    }

    package func hash(into hasher: inout Hasher) {
        for (name, reading) in vms {
            hasher.combine(name)
            hasher.combine(reading)
        }
        for (name, reading) in hosts {
            hasher.combine(name)
            hasher.combine(reading)
        }
    }
}

/// A number with the bounds between which it was expected.
package struct RecordedEstimate: Hashable, Sendable, Codable {
    package var low: Double
    package var expected: Double
    package var high: Double

    package init(low: Double, expected: Double, high: Double) {
        self.low = low
        self.expected = expected
        self.high = high
    }
}

/// A migration that is over: what was predicted, and what came of it.
package struct RecordedMove: Hashable, Sendable, Codable {
    package enum Outcome: String, Hashable, Sendable, Codable {
        case done
        /// The VM is where it was.
        case failed
    }

    package var vm: VMName
    package var from: HostName
    package var to: HostName
    package var outcome: Outcome
    package var attempts: Int
    /// Why it was planned: balance, drain, room, stopover, return or request.
    package var plannedFor: String
    package var operation: Identifier128
    package var migration: MigrationID?
    /// Why it failed.
    package var reason: String?
    package var predictedSeconds: RecordedEstimate
    package var predictedDowntimeMs: RecordedEstimate
    package var predictedBytes: RecordedEstimate
    package var seconds: Double?
    package var downtimeMs: Double?
    package var bytes: Int64?

    package init(
        vm: VMName, from: HostName, to: HostName, outcome: Outcome, attempts: Int,
        plannedFor: String, operation: Identifier128, migration: MigrationID? = nil,
        reason: String? = nil, predictedSeconds: RecordedEstimate,
        predictedDowntimeMs: RecordedEstimate, predictedBytes: RecordedEstimate,
        seconds: Double? = nil, downtimeMs: Double? = nil, bytes: Int64? = nil
    ) {
        self.vm = vm
        self.from = from
        self.to = to
        self.outcome = outcome
        self.attempts = attempts
        self.plannedFor = plannedFor
        self.operation = operation
        self.migration = migration
        self.reason = reason
        self.predictedSeconds = predictedSeconds
        self.predictedDowntimeMs = predictedDowntimeMs
        self.predictedBytes = predictedBytes
        self.seconds = seconds
        self.downtimeMs = downtimeMs
        self.bytes = bytes
    }
}

/// Something that is no more.
package struct RecordedEnd: Hashable, Sendable, Codable {
    package enum What: String, Hashable, Sendable, Codable {
        case host, vm
    }

    package var what: What
    package var name: String

    package init(_ what: What, name: String) {
        self.what = what
        self.name = name
    }
}

/// A time of which not everything is known; it ends at its line.
package struct RecordedGap: Hashable, Sendable, Codable {
    package enum Why: String, Hashable, Sendable, Codable {
        /// No controller answered. All that was decided is here, each thing at the time at which it was heard of.
        case unreachable
        /// The controller did not remember what changed: only what came of it is here.
        case forgotten
        /// Nobody recorded: only what came of it is here.
        case stopped
    }

    package var why: Why
    /// As `t`.
    package var since: Int64

    package init(_ why: Why, since: Int64) {
        self.why = why
        self.since = since
    }
}

package enum HistoryLine: Hashable, Sendable {
    case begin(HistoryHeader)
    case host(RecordedHost)
    case group(RecordedGroup)
    case vm(RecordedVM)
    case place(RecordedPlace)
    case load(RecordedLoad)
    case move(RecordedMove)
    case gone(RecordedEnd)
    case gap(RecordedGap)
    /// The recorder ended in good order.
    case end
}

/// A line and its time: milliseconds since the header's `startedAtMs`.
package struct HistoryEntry: Hashable, Sendable {
    package var t: Int64
    package var line: HistoryLine

    package init(t: Int64, line: HistoryLine) {
        self.t = t
        self.line = line
    }
}
