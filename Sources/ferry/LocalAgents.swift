// The agents of a cluster that runs on this machine: started and stopped as processes.

import API
import ClusterFile
import Client
import Foundation
import Host
import Model

struct LocalAgents {
    static let startLimit = Duration.seconds(30)
    static let stopLimit = Duration.seconds(40)
    static let poll = Duration.milliseconds(50)

    let cluster: ClusterFile

    /// $FERRY_AGENT, else the one beside this program.
    private static var program: String {
        ProcessInfo.processInfo.environment["FERRY_AGENT"] ?? ProgramFolder.path + "/ferry-agent"
    }

    private func log(_ host: HostName) -> String { "\(cluster.stateFolder(of: host))/agent.log" }

    /// The process that holds the lock of a host's state folder; nil when none does.
    func processID(of host: HostName) -> Int32? {
        let path = "\(cluster.stateFolder(of: host))/lock"
        guard let file = try? Descriptor.open(path, O_RDONLY) else { return nil }
        // A lock that can be had is nobody's; it goes again with the descriptor.
        guard (try? file.lock()) == nil else { return nil }
        guard let text = try? file.read(upTo: 32) else { return nil }
        return Int32(
            String(decoding: text, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
    }

    /// Starts an agent, which goes on when this program ends.
    func start(_ host: HostName) throws -> ProcessHandle {
        try Folder.make(cluster.stateFolder(of: host), mode: 0o700)
        let program = Self.program
        guard File.isThere(program) else {
            throw CommandFailure(
                .failed, code: "no_agent",
                "\(program) is not there: ferry-agent must lie beside ferry, or $FERRY_AGENT say where it is"
            )
        }
        let processID = try DetachedProcess.start(
            program, ["--config", cluster.path, "--host", host.text], log: log(host))
        return try ProcessHandle(processID)
    }

    /// Returns when the agent answers; throws its last words when it ended.
    func waitUntilReady(
        _ host: HostName, _ process: ProcessHandle, _ client: AgentClient
    ) async throws {
        let end = Instant.now + Self.startLimit
        while Instant.now < end {
            // Another agent may answer there, when this one found its port taken.
            if let host = try? await client.host(), host.processID == process.processID { return }
            if try process.waitForExit(within: .zero) {
                let words = (try? File.tail(log(host), count: 2000)) ?? []
                let last = String(decoding: words, as: UTF8.self).split(separator: "\n").last
                throw CommandFailure(
                    .failed, code: "agent_failed",
                    "the agent of \(host) did not start: \(last ?? "see \(log(host))")")
            }
            try await Task.sleep(for: Self.poll)
        }
        throw CommandFailure(
            .unreachable, code: "agent_failed",
            "the agent of \(host) does not answer; see \(log(host))")
    }

    /// Ends an agent in good order; its VMs run on. False when there was none.
    func stop(_ host: HostName) async throws -> Bool {
        guard let processID = processID(of: host) else { return false }
        let process: ProcessHandle
        do { process = try ProcessHandle(processID) } catch  where error.code == ESRCH {
            return false
        }
        // The lock is still held, so the number is still the agent's.
        guard self.processID(of: host) == processID else { return false }
        try process.signal(SIGTERM)
        let end = Instant.now + Self.stopLimit
        while Instant.now < end {
            if try process.waitForExit(within: .zero) { return true }
            try await Task.sleep(for: Self.poll)
        }
        try process.signal(SIGKILL)
        return true
    }
}
