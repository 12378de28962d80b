// One agent's side of registration and heartbeats, for as long as its task runs.

import API
import Clients
import Host
import Model

struct HeartbeatLoop: Sendable {
    let host: HostName
    let fleet: SimulatedFleet
    /// With the agent's own certificate.
    let controllers: ControllerClient

    /// Ends with its task.
    func runUntilCancelled() async {
        var isRegistered = false
        var interval = Limits.intervalUsual
        while !Task.isCancelled {
            let start = Instant.now
            if !fleet.isHostSilent(host) {
                do throws(ClientError) {
                    let answer = try await sendReport(registersFirst: !isRegistered)
                    isRegistered = !answer.wantsRegistration
                    interval = .milliseconds(answer.intervalMs)
                    // The first heartbeat follows a registration at once.
                    if answer.wantsRegistration { continue }
                } catch {
                    // A controller that is away is what tests make happen.
                    fleet.recordFailure(error)
                    interval = Limits.retry
                }
            }
            let pause = interval - (Instant.now - start)
            // Cancelled in its sleep: the loop ends.
            if pause > .zero { try? await Task.sleep(for: pause) }
        }
    }

    private func sendReport(registersFirst register: Bool) async throws(ClientError)
        -> HeartbeatAnswer
    {
        if register {
            fleet.recordTerm(
                try await controllers.registerAgent(of: host, with: fleet.registration(of: host))
                    .term, on: host)
        }
        let heartbeat = fleet.heartbeat(of: host)
        let start = Instant.now
        let answer = try await controllers.sendHeartbeat(of: host, with: heartbeat)
        fleet.recordHeartbeat(heartbeat, answer: answer, on: host, latency: Instant.now - start)
        return answer
    }
}
