// What tests of the agent say again and again.

import API
import Clients
import Foundation
import Model
import Pulse
import Testing

/// The problem that a request ends with; fails the test when it ends otherwise.
func problem(
    _ code: Problem.Code, sourceLocation: SourceLocation = #_sourceLocation,
    _ request: () async throws -> Void
) async {
    do {
        try await request()
        Issue.record("it was not refused", sourceLocation: sourceLocation)
    } catch let ClientError.problem(problem, _) {
        #expect(problem.knownCode == code, sourceLocation: sourceLocation)
        #expect(problem.status == code.status, sourceLocation: sourceLocation)
        #expect(!problem.detail.isEmpty, sourceLocation: sourceLocation)
    } catch {
        Issue.record("\(error)", sourceLocation: sourceLocation)
    }
}

extension AgentClient {
    /// A small pulse guest that writes and checks memory all the time.
    func createPulse(_ name: String, paused: Bool = false) async throws -> VMInfo {
        try await createVM(
            with: CreateVM(
                VMSpec(
                    name: VMName(name), memory: .mebibytes(64),
                    commandLine: PulseOptions(
                        fillBytes: 16 << 20, workingSetBytes: 4 << 20, period: .milliseconds(20)
                    ).commandLine()), paused: paused))
    }

    /// Reads the console as it comes until a line is the one wanted.
    func line<Value: Sendable>(
        of vm: VMName, _ wanted: (PulseLine) -> Value?
    ) async throws -> Value {
        var text: [UInt8] = []
        var found: Value?
        try await followConsole(of: vm) { bytes in
            for byte in bytes {
                text.append(byte)
                guard byte == UInt8(ascii: "\n") else { continue }
                found = wanted(PulseLine(String(decoding: text, as: UTF8.self)))
                text = []
                if found != nil { return false }
            }
            return true
        }
        guard let found else { throw TestClusterError.consoleEnded(vm.text) }
        return found
    }

    /// The next heartbeat.
    func heartbeat(of vm: VMName) async throws -> PulseHeartbeat {
        try await line(of: vm) { line in
            if case .heartbeat(let beat) = line { beat } else { nil }
        }
    }
}
