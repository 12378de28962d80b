import API
import Clients
import Foundation
import Host
import Migration
import MigrationProtocol
import MigrationTestSupport
import Model
import Ownership
import PeerLink
import Testbed
import Testing

extension EndToEnd {
    @Suite("A real destination refuses an offer before the first page, in words")
    struct DestinationTests {
        @Test("a CPU feature that it lacks is named")
        func missingFeature() async throws {
            let refusal = try await refusal(
                of: FakeGuest(
                    memory: .mebibytes(64), cpuFeatures: CPUFeatures(["sse2", "avx9000"])))
            #expect(refusal.code == .cpuFeaturesMissing)
            #expect(refusal.details == ["avx9000"])
        }

        @Test("memory that it has not got is told in numbers")
        func notEnoughMemory() async throws {
            let refusal = try await refusal(of: FakeGuest(memory: .gibibytes(900)))
            #expect(refusal.code == .notEnoughMemory)
            #expect(refusal.description.contains("900GiB"))
        }

        /// This process plays host-b's agent and offers its guest to host-a's, over real TLS.
        private func refusal(of guest: FakeGuest) async throws -> MigrationRefusal {
            var refusal: MigrationRefusal?
            try await withCluster(hosts: ["host-a", "host-b"]) { cluster in
                let (a, b) = (cluster.hosts[0], cluster.hosts[1])
                let vm = VMID.random()
                let migration = SourceMigration(
                    vm: vm, epoch: .first, guest: guest,
                    to: PeerAddress(name: a, address: try cluster.peerAddress(of: a)),
                    keys: try PeerKeys(folder: cluster.keysFolder(of: b)),
                    ledger: MemoryLedger([.owned(vm: vm, epoch: .first, migration: nil)]))
                let failure = #expect(throws: MigrationFailure.self) {
                    try migration.runToCompletion()
                }
                guard case .refused(let words) = failure?.reason else {
                    throw TestbedError("\(String(describing: failure))")
                }
                refusal = words
                #expect(guest.now.isRunning)
                #expect(guest.now.isLogging == false)
                #expect(try await cluster.agentClient(for: a).listAllVMs().isEmpty)
            }
            return try #require(refusal)
        }
    }
}
