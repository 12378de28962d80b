// Every way to fail has a code of its own, and Codes.md says what each means.

import API
import Agent
import Host
import Migration
import MigrationProtocol
import Model
import Ownership
import PeerLink
import Testing
import Wire

@Suite("Codes of failures")
struct FailureCodeTests {
    private static let system = SystemError(call: "test", code: 5)

    private func links() throws -> [LinkError] {
        let identity = Identity(
            cluster: try ClusterName("test"), role: .agent, name: try HostName("b"))
        return [
            .unreachable(Self.system), .untrustedPeer(detail: ""), .expiredCertificate(detail: ""),
            .noIdentity(detail: ""), .wrongCluster(expected: identity.cluster, found: identity),
            .wrongRole(expected: .agent, found: identity),
            .wrongName(expected: identity.name, found: identity), .refusedByPeer(alert: ""),
            .notTLS, .tlsTooOld, .tls(detail: ""), .closed, .broken(nil),
            .timedOut(after: .seconds(1)), .interrupted, .system(Self.system),
        ]
    }

    @Test("Each reason for a failure has a code that no other has")
    func distinct() throws {
        let vm = VMID.random()
        let record = LedgerRecord.owned(vm: vm, epoch: .first, migration: nil)
        let kinds: [GuestError.Kind] = [.died, .silent, .refused]
        var reasons: [MigrationFailure.Reason] = try links().map { .link($0) }
        reasons += MigrationRefusal.Code.allCases.map { .refused(MigrationRefusal($0, text: "")) }
        reasons += kinds.map { .guest(GuestError(operation: "", detail: "", kind: $0)) }
        reasons += [
            .ledger(.contradicts(record, current: nil)), .ledger(.full(Self.system)),
            .ledger(.failed(Self.system)), .ledger(.damaged(path: "", offset: 0, nil)),
            .cancelled, .memoryDiffers(source: "", destination: ""),
            .malformed(.invalidText(field: "")), .unexpectedMessage(""), .noAnswer(nil), .neverRan,
        ]
        let codes = reasons.map { FailureCode($0) }
        #expect(Set(codes).count == codes.count)
        let others: Set<FailureCode> = [.notConverged, .agentRestarted]
        #expect(Set(codes).union(others) == Set(FailureCode.allCases))
    }

    @Test("Codes are stable words, each with a sentence of its own")
    func words() {
        for code in FailureCode.allCases {
            #expect(code.rawValue.allSatisfy { $0.isLowercase || $0 == "_" })
            #expect(code.summary.hasSuffix("."))
        }
        #expect(Set(FailureCode.allCases.map(\.summary)).count == FailureCode.allCases.count)
    }

    @Test("The documentation's table has every code with its sentence")
    func documented() throws {
        for code in FailureCode.allCases {
            let row = "| `\(code.rawValue)` | \(code.summary) |"
            #expect(try readme().contains(row), "missing: \(row)")
        }
    }
}
