// What ferry down does before it stops the agents: no migration goes on, no VM runs. What fails is written down
// and does not keep the rest.

import API
import Clients
import ClusterFile
import Host
import Model

struct ClusterShutdown {
    /// How long migrations may take to end, and VMs that are busy or arriving to become free.
    private static let patience = Duration.seconds(10)
    private static let poll = Duration.milliseconds(250)

    private let cluster: ClusterFile
    private let client: ClusterClient
    private let isQuiet: Bool

    init(of session: Session, isQuiet: Bool) throws {
        cluster = session.cluster
        client = try session.client
        self.isQuiet = isQuiet
    }

    /// Returns the names of the VMs that it stopped, and a sentence for each thing that failed.
    func shutDownVMs() async -> (stopped: [String], failures: [String]) {
        let silent = await cancelMigrations()
        let (stopped, failures) = await stopAllVMs()
        return (stopped, silent + failures)
    }

    /// Returns when none runs, or out of patience: a migration that is too late to cancel ends by itself.
    private func cancelMigrations() async -> [String] {
        let local = LocalAgents(cluster: cluster)
        let end = Instant.now + Self.patience
        while true {
            var silent: [String] = []
            var running: [(AgentClient, MigrationInfo)] = []
            let answers = await client.queryAllAgents { agent throws(ClientError) in
                try await agent.migrations()
            }
            for (agent, answer) in answers {
                switch answer {
                case .success(let migrations):
                    running += migrations.filter { !$0.isOver }.map { (agent, $0) }
                case .failure(let error):
                    // A host without an agent is down already.
                    if local.agentDaemon(for: agent.name).processID != nil {
                        silent.append("\(error)")
                    }
                }
            }
            if running.isEmpty || Instant.now >= end { return silent }
            for (agent, migration) in running {
                // It may be over by now, or too late to cancel: the next round sees how it ended.
                _ = try? await agent.cancelMigration(withID: migration.id)
            }
            try? await Task.sleep(for: Self.poll)
        }
    }

    private func stopAllVMs() async -> (stopped: [String], failures: [String]) {
        var stopped: Set<String> = []
        var final: [Place: String] = [:]
        let end = Instant.now + Self.patience
        while true {
            var again: [String] = []
            for vm in await client.fetchAllVMs().vms where vm.hasProcess {
                let place = Place(vm: vm.name, host: vm.host)
                if final[place] != nil { continue }
                switch await requestStop(of: vm) {
                case .stopped: stopped.insert(vm.name.text)
                case .gone: break
                case .notYet(let sentence): again.append(sentence)
                case .failed(let sentence): final[place] = sentence
                }
            }
            if again.isEmpty || Instant.now >= end {
                return (stopped.sorted(), final.values.sorted() + again)
            }
            try? await Task.sleep(for: Self.poll)
        }
    }

    private struct Place: Hashable {
        var vm: VMName
        var host: HostName
    }

    private enum Outcome {
        case stopped
        /// It was only a part of a VM.
        case gone
        case notYet(String)
        case failed(String)
    }

    /// What is kept for a source that was lost can be deleted; what still arrives refuses, and ends with its source.
    private func discardIncomingVM(_ vm: VMInfo) async -> Outcome {
        do {
            try await client.agentClient(named: vm.host)?.deleteVM(named: vm.name)
            return .gone
        } catch { return .notYet("VM \(vm.name) is still arriving on host \(vm.host)") }
    }

    private func requestStop(of vm: VMInfo) async -> Outcome {
        if vm.state == .incoming { return await discardIncomingVM(vm) }
        if !isQuiet { print("stopping VM \(vm.name) on host \(vm.host)") }
        do {
            _ = try await client.agentClient(named: vm.host)?.performAction(.stop, on: vm.name)
            return .stopped
        } catch {
            let sentence = "VM \(vm.name) on host \(vm.host) was not stopped: \(error)"
            guard case ClientError.problem(let problem, _) = error else { return .failed(sentence) }
            switch problem.knownCode {
            case .vmBusy: return .notYet(sentence)
            // It left in the meantime; where it is now, the next look finds it.
            case .vmNotFound: return .notYet(sentence)
            default: return .failed(sentence)
            }
        }
    }
}

extension VMInfo {
    /// A process that its agent cannot reach shows as a warning only.
    fileprivate var hasProcess: Bool { processID != nil || (warning != nil && state != .stopped) }
}
