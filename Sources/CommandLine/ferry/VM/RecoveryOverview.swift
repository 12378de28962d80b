// What all hosts together know of one VM.

import API
import Clients
import ClusterFile
import Model

struct RecoveryOverview: Encodable {
    struct Silent: Encodable {
        var host: HostName
        var problem: String
    }

    let vm: VMName
    /// Hosts that know the VM, in the cluster file's order.
    let hosts: [RecoveryInfo]
    let silent: [Silent]
    /// Hosts that answered and do not know it.
    let strangers: [HostName]

    /// Asks every host: by name first, then those that know another name, or only the ledger's word, by id.
    init(of name: VMName, in session: Session) async throws {
        vm = name
        let byName = try await session.client.queryAllAgents { agent throws(ClientError) in
            try await agent.readRecoveryInfo(named: name)
        }
        let ids = Set(byName.compactMap { try? $0.answer.get().vmID })
        var hosts: [RecoveryInfo] = []
        var silent: [Silent] = []
        var strangers: [HostName] = []
        for (agent, answer) in byName {
            do throws(ClientError) {
                hosts += try await Self.fetchRecoveryInfo(from: agent, answer: answer, vmIDs: ids)
                if !hosts.contains(where: { $0.host == agent.name }) {
                    strangers.append(agent.name)
                }
            } catch { silent.append(Silent(host: agent.name, problem: "\(error)")) }
        }
        (self.hosts, self.silent, self.strangers) = (hosts, silent, strangers)
        guard !hosts.isEmpty else {
            throw silent.isEmpty
                ? CommandFailure(
                    .notFound, code: "vm_not_found",
                    message: "there is no VM \(name) in cluster \(session.cluster.cluster)")
                : CommandFailure(
                    .unreachable, code: "unreachable",
                    message: "no host that answers knows a VM \(name); \(silent[0].problem)")
        }
    }

    private static func fetchRecoveryInfo(
        from agent: AgentClient, answer: Result<RecoveryInfo, ClientError>, vmIDs ids: Set<VMID>
    ) async throws(ClientError) -> [RecoveryInfo] {
        var found: [RecoveryInfo] = []
        do throws(ClientError) { found.append(try answer.get()) } catch {
            guard error.isNotFound else { throw error }
        }
        for id in ids where !found.contains(where: { $0.vmID == id }) {
            do throws(ClientError) {
                found.append(try await agent.readRecoveryInfo(withID: id))
            } catch {
                guard error.isNotFound else { throw error }
            }
        }
        return found
    }

    /// Every recovery action that a host would carry out, those at one host together.
    var options: [(place: RecoveryInfo, option: RecoveryOption)] {
        hosts.flatMap { place in place.options.map { (place, $0) } }
    }

    /// - Parameter host: nil for whichever would take it.
    func recoveryOption(
        for action: RecoveryAction, at host: HostName?
    ) throws -> (place: RecoveryInfo, option: RecoveryOption) {
        let found = options.first {
            $0.option.action == action && (host == nil || $0.place.host == host)
        }
        if let found { return found }
        let place = hosts.first { $0.host == host }
        let words = place.map { "the ledger of host \($0.host) says: \($0.ledger.words)" }
        let silence = silent.first { $0.host == host }?.problem
        throw CommandFailure(
            silence == nil ? .refused : .unreachable,
            code: silence == nil ? "nothing_to_rule" : "unreachable",
            message:
                "\(action.flag) is not possible for VM \(vm): \(silence ?? words ?? "no host that answers waits for that")"
        )
    }

    var text: String {
        var lines = ["VM \(vm)"]
        for place in hosts { lines += place.lines }
        lines += silent.map { "  \($0.problem)" }
        if !strangers.isEmpty {
            lines.append("  \(strangers.map(\.text).joined(separator: ", "))  knows nothing of it")
        }
        return (lines + advice).joined(separator: "\n")
    }

    private var advice: [String] {
        guard !options.isEmpty else {
            return hosts.contains { $0.ledger.mayRun }
                ? ["Nothing to decide: it has an owner."]
                : ["Nothing can be ruled at the hosts that answer."]
        }
        let silentHosts = silent.map(\.host.text).joined(separator: ", ")
        var lines = [
            "Safe, and needs nothing from you: the agents settle it as soon as they can talk\(silentHosts.isEmpty ? "" : "; bring back \(silentHosts)")."
        ]
        for (number, (place, option)) in options.enumerated() {
            let flag =
                option.action == .forgetPeer
                ? option.action.flag : "\(option.action.flag) \(place.host)"
            lines.append(
                "  \(number + 1)  \(flag)\(option.risk == nil ? " (safe)" : " (NOT SAFE)")")
            lines.append("     \(option.effect)")
            if let risk = option.risk { lines.append("     risk: \(risk)") }
        }
        return lines
    }
}

extension RecoveryInfo {
    var words: String {
        [ledger.words, state.map { "here it is \($0.rawValue)" }, now]
            .compactMap { $0 }.joined(separator: "; ")
    }

    fileprivate var lines: [String] {
        let process = processID.map { ", process \($0)" } ?? ", no process"
        var lines = ["  \(host)  ledger: \(ledger.words)"]
        let indent = String(repeating: " ", count: host.text.count + 4)
        lines.append(
            indent + "here: " + (state.map { "\($0.rawValue)\(process)" } ?? "nothing of it"))
        if let now { lines.append(indent + "now: \(now)") }
        return lines
    }
}

extension RecoveryAction {
    fileprivate var flag: String {
        switch self {
        case .takeOver: "--run-here"
        case .forgetPeer: "--forget-peer"
        case .giveUp: "--give-up"
        }
    }
}

extension ClientError {
    fileprivate var isNotFound: Bool {
        if case .problem(let problem, _) = self { problem.status == 404 } else { false }
    }
}
