// A cluster in virtual time: hosts with agents and ledgers, a store, a network that loses and delays, and one
// controller at a time around the real Cluster value, which may die between any two steps.

import API
import ClusterCore
import Model

/// A mistake put in on purpose: the checks must find it.
enum Plant: String, CaseIterable {
    /// Commands are sent although their records were not stored.
    case commandsBeforeStore
    /// Leased VMs run on after their lease.
    case leasesDoNotEnd
    /// An operator calls hosts off that run.
    case falseFences
    /// Copies that are to be removed stay.
    case deletionsAreLost
    /// Changes of VMs are not stored.
    case startsAreForgotten
    /// The controller's limits are wider than the operator's.
    case limitsAreIgnored
}

struct Trouble {
    /// Parts of a thousand.
    var lostMessages = 0
    var lostAnswers = 0
    var failedMigrations = 0
    var brokenHandovers = 0
    var crashes = 0

    static let none = Trouble()
}

final class World {
    var random: SplitMix64
    var now = Duration.zero
    var trouble = Trouble.none
    var isJournalKept = false
    /// What operators allow at once.
    var limits = (perHost: 2, perCluster: 16)
    let plant: Plant?
    var settings: ControlSettings
    var hosts: [HostName: SimHost] = [:]
    var store: [RecordKey: ClusterRecord] = [:]
    /// Nil: no controller runs.
    var cluster: Cluster?
    var term: UInt64 = 0
    var news: [ClusterLogEvent] = []
    var commandsSent: [AgentCommand] = []
    /// VMs whose creation was acknowledged, and not their deletion.
    var kept: Set<VMName> = []
    var deleted: Set<VMName> = []
    var wrong: String?
    /// What happened, for whoever looks into a seed.
    private(set) var journal: [(at: Duration, of: String, what: String)] = []
    private var names: [VMID: String] = [:]
    private var events: [(at: Duration, order: Int, run: (World) -> Void)] = []
    private var order = 0

    init(
        hosts count: Int, seed: UInt64 = 1, plant: Plant? = nil, balance: BalanceMode = .off,
        change: (inout SimHost) -> Void = { _ in }
    ) throws {
        random = SplitMix64(seed: seed)
        self.plant = plant
        settings = ControlSettings(
            cluster: try ClusterName("world"), heartbeat: .seconds(1), hostLease: .seconds(5),
            balance: balance)
        for number in 0..<count {
            let name = try HostName("h\(number)")
            var host = SimHost(name: name, agentID: identifier())
            change(&host)
            hosts[name] = host
            after(.milliseconds(10 * number)) { $0.beat(name) }
        }
        startController()
        after(.milliseconds(250)) { $0.tick() }
    }

    var moment: Moment { Moment(uptime: now, wallMs: now.wholeMilliseconds + 1_000_000) }
    var hostNames: [HostName] { hosts.keys.sorted() }

    func identifier() -> Identifier128 {
        Identifier128(high: random.next(), low: random.next())
    }

    func chance(_ perThousand: Int) -> Bool { random.drawNumber(below: 1000) < perThousand }

    func milliseconds(_ range: ClosedRange<Int>) -> Duration {
        .milliseconds(range.lowerBound + random.drawNumber(below: range.count))
    }

    func note(_ of: String, _ what: @autoclosure () -> String) {
        guard isJournalKept else { return }
        journal.append((now, of, what()))
    }

    /// What happened with a VM, and with hosts.
    func story(of vm: String) -> String {
        journal.filter { $0.of == vm || $0.of.isEmpty }.suffix(80)
            .map { "\n\($0.at.wholeMilliseconds) \($0.what)" }.joined()
    }

    // MARK: Time

    func after(_ time: Duration, _ run: @escaping (World) -> Void) {
        order += 1
        let (at, place) = (now + time, order)
        var (low, high) = (0, events.count)
        while low < high {
            let middle = (low + high) / 2
            if (events[middle].at, events[middle].order) > (at, place) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        events.insert((at, place, run), at: low)
    }

    func run(for time: Duration) {
        let end = now + time
        while wrong == nil, let next = events.last, next.at <= end {
            events.removeLast()
            now = next.at
            next.run(self)
            look()
        }
        now = max(now, end)
    }

    /// Runs until something holds; false when it does not in time.
    func run(
        atMost time: Duration, lookingEvery step: Duration = .milliseconds(100),
        until holds: (World) -> Bool
    ) -> Bool {
        let end = now + time
        while wrong == nil, now < end {
            if holds(self) { return true }
            run(for: step)
        }
        return holds(self)
    }

    // MARK: The controller

    func startController() {
        term += 1
        do {
            cluster = try Cluster(
                records: Array(store.values), settings: settings, term: Term(term),
                seed: identifier(),
                now: moment)
        } catch { wrong = "what is stored cannot be read: \(error)" }
    }

    /// The controller dies; another one leads after a while.
    func crash(for pause: Duration) {
        cluster = nil
        note("", "the controller dies")
        after(pause) { if $0.cluster == nil { $0.startController() } }
    }

    func tick() {
        after(.milliseconds(250)) { $0.tick() }
        _ = call { $0.advanceTime(in: &$1) }
        checkPromises()
    }

    /// One call of the controller: its output is stored, then commands are sent; nil when the controller died first.
    @discardableResult
    func call<T>(
        _ body: (inout Cluster, inout Context) throws(Problem) -> T
    ) -> Result<T, Problem>? {
        guard cluster != nil else { return nil }
        var context = Context(now: moment)
        var result: Result<T, Problem>
        do throws(Problem) {
            result = .success(try body(&cluster!, &context))
        } catch { result = .failure(error) }
        if chance(trouble.crashes) {
            if plant == .commandsBeforeStore { send(context.output.commands) }
            crash(for: milliseconds(0...4000))
            return nil
        }
        for key in context.output.changed {
            if plant == .startsAreForgotten, case .vm = key, chance(50) { continue }
            store[key] = cluster?.storedRecord(under: key)
            if isJournalKept, case .vm(let vm)? = store[key] {
                names[vm.id] = vm.name.text
                note(vm.name.text, "stored \(vm.short)")
            }
        }
        news += context.output.events
        if chance(trouble.crashes) {
            crash(for: milliseconds(0...4000))
            return nil
        }
        send(context.output.commands)
        return result
    }

    private func send(_ commands: [AgentCommand]) {
        for command in commands {
            commandsSent.append(command)
            let sender = term
            after(milliseconds(5...50)) { $0.arrive(command, from: sender) }
        }
    }

    private func arrive(_ command: AgentCommand, from sender: UInt64) {
        let timeOut = Duration.seconds(2)
        guard reaches(command.host), !chance(trouble.lostMessages) else {
            return after(timeOut) { $0.answered(command, .unanswered("no answer"), sender) }
        }
        let result = perform(command, term: sender)
        note(names[command.vm] ?? "", "\(command.host) \(command.order): \(result.short)")
        if chance(trouble.lostMessages) {
            // The network brought it twice.
            after(milliseconds(5...500)) { world in
                if world.reaches(command.host) { _ = world.perform(command, term: sender) }
            }
        }
        if chance(trouble.lostAnswers) {
            return after(timeOut) { $0.answered(command, .unanswered("no answer"), sender) }
        }
        after(milliseconds(5...300)) { $0.answered(command, result, sender) }
    }

    private func answered(_ command: AgentCommand, _ result: CommandResult, _ sender: UInt64) {
        guard sender == term else { return }
        call { $0.finishCommand(withID: command.id, result: result, in: &$1) }
    }

    func reaches(_ host: HostName) -> Bool {
        hosts[host].map { $0.isUp && $0.isConnected } ?? false
    }

    // MARK: Heartbeats

    private func beat(_ name: HostName) {
        after(settings.heartbeat) { $0.beat(name) }
        guard let host = hosts[name], reaches(name) else { return }
        guard !chance(trouble.lostMessages) else { return }
        let delay = milliseconds(1...200)
        if host.isRegistered {
            let (sentAt, sent) = (now, hosts[name]!.heartbeat())
            after(delay) { $0.deliver(sent, from: name, sentAt) }
        } else {
            let (registration, agent) = (host.registration, host.agentID)
            after(delay) { world in
                guard
                    case .success(let answer)? = world.call({
                        c, context throws(Problem) in
                        try c.registerHost(named: name, as: registration, in: &context)
                    }), world.reaches(name), world.hosts[name]?.agentID == agent
                else { return }
                world.hear(answer, name)
                world.hosts[name]?.isRegistered = true
            }
        }
    }

    private func deliver(_ sent: Heartbeat, from name: HostName, _ sentAt: Duration) {
        guard hosts[name]?.isConnected ?? false else { return }
        guard
            case .success(let answer)? = call({ c, context throws(Problem) in
                try c.receiveHeartbeat(sent, from: name, in: &context)
            })
        else { return }
        if chance(trouble.lostMessages) {
            after(milliseconds(1...900)) { world in
                _ = world.call { c, context throws(Problem) in
                    try c.receiveHeartbeat(sent, from: name, in: &context)
                }
            }
        }
        guard !chance(trouble.lostAnswers) else { return }
        after(milliseconds(1...100)) { world in
            guard world.reaches(name), world.hosts[name]?.agentID == sent.agentID else { return }
            world.hear(answer, name)
            world.hosts[name]?.untold.subtract(sent.migrations.filter(\.isOver).map(\.id))
            guard answer.leaseMs > 0 else { return }
            world.grant(sentAt + .milliseconds(answer.leaseMs), name)
        }
    }

    private func hear(_ answer: HeartbeatAnswer, _ name: HostName) {
        let heard = hosts[name]?.term ?? 0
        hosts[name]?.term = max(heard, answer.term)
        if answer.wantsRegistration { hosts[name]?.isRegistered = false }
    }

    private func grant(_ end: Duration, _ name: HostName) {
        guard let host = hosts[name], end > host.leaseEnd else { return }
        hosts[name]?.leaseEnd = end
        guard plant != .leasesDoNotEnd else { return }
        after(end - now) { world in
            world.hosts[name]?.endLease(world.now)
        }
    }
}

extension CommandResult {
    var short: String {
        switch self {
        case .done: "done"
        case .vm(let vm): "\(vm.state) at \(vm.epoch)"
        case .migration(let info): "\(info.state)"
        case .refused(let problem): "refused: \(problem.code)"
        case .unanswered: "unanswered"
        }
    }
}

extension ClusterVMRecord {
    var short: String {
        let place = place.map { "\($0.host)@\($0.epoch)" } ?? "-"
        let start = start.map { " start \($0.host)@\($0.epoch)" } ?? ""
        let move = move.map { " move \($0.from)-\($0.to) \($0.isCancelled)" } ?? ""
        let old = retired.map { " old \($0.host)@\($0.epoch)" }.joined()
        return "\(id) \(place)\(start)\(move)\(old) max \(epochMax) floor \(epochFloor)"
    }
}
