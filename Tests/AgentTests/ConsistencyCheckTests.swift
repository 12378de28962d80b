// What a consistency check finds: planted inconsistencies, one at a time.

import API
import Agent
import Clients
import ClusterFile
import Foundation
import Host
import Migration
import Model
import Ownership
import Testing
import VMControl

@Suite("Consistency check of a VM")
struct VMCheckFactsTests {
    private let migration = MigrationID.random()
    private let epoch = Epoch(4)

    private func code(
        _ ownership: Ownership?, _ remains: DiscoveredState, exit: VMExit? = nil,
        activity: String? = nil
    ) throws -> CheckCode? {
        let facts = VMCheckFacts(
            id: .random(), name: try VMName("web"), ownership: ownership, remains: remains,
            exit: exit, activity: activity)
        return facts.consistencyFinding(at: try HostName("a")).flatMap {
            CheckCode(rawValue: $0.code)
        }
    }

    @Test("An owned VM is as it should be, or its trouble has a name")
    func owned() throws {
        let owned = Ownership.owned(epoch, migration: nil)
        #expect(try code(owned, .running) == nil)
        #expect(try code(owned, .paused(isSealed: false)) == nil)
        #expect(try code(owned, .paused(isSealed: true)) == .vmSealed)
        #expect(try code(owned, .nothing) == .vmLost)
        #expect(try code(owned, .silent) == .vmSilent)
        #expect(try code(owned, .folder) == .vmDied)
        let died = VMExit(reason: .processDied, detail: "")
        #expect(try code(owned, .folder, exit: died) == .vmDied)
        for reason in [VMExit.Reason.powerOff, .stopped, .tripleFault] {
            #expect(try code(owned, .folder, exit: VMExit(reason: reason, detail: "")) == nil)
        }
    }

    @Test("What is between two hosts is listed, and nothing may run of it")
    func between() throws {
        let (a, b) = (try HostName("a"), try HostName("b"))
        let still = DiscoveredState.paused(isSealed: true)
        let released = Ownership.released(epoch, to: b, migration: migration)
        #expect(try code(released, still) == .unresolvedHandover)
        let ruled = Ownership.takenOver(epoch, against: b, migration: migration)
        #expect(try code(ruled, .running) == .takeoverUnacknowledged)
        #expect(try code(ruled, .nothing) == .vmLost)
        let overruled = Ownership.superseded(epoch, by: a)
        #expect(try code(overruled, still) == .supersededCopy)
        let incoming = Ownership.incoming(epoch, from: a, migration: migration)
        #expect(try code(incoming, .incoming, activity: "arriving from a") == .arriving)
        #expect(try code(incoming, still) == .arrivalUndecided)
        let handedOver = Ownership.handedOver(epoch, to: b, migration: migration)
        #expect(try code(handedOver, still) == .vmNotOwned)
        #expect(try code(nil, still) == .vmNotInLedger)
        for gone in [
            overruled, handedOver, .neverRan(epoch, migration: migration), .deleted(epoch),
        ] {
            #expect(try code(gone, .nothing) == nil)
        }
        #expect(try code(released, .nothing) == .unresolvedHandover)
        #expect(try code(incoming, .nothing) == .arrivalUndecided)
        for ownership in [released, overruled, handedOver, nil] {
            #expect(try code(ownership, .running) == .runsUnowned)
        }
    }

    @Test("While something is done to a VM, ledger and reality may differ")
    func busy() throws {
        for remains in DiscoveredState.allCases {
            #expect(try code(nil, remains, activity: "starting") == nil)
        }
    }

    @Test("The documentation's table has every code with its sentence")
    func documented() throws {
        for code in CheckCode.allCases {
            let row = "| `\(code.rawValue)` | \(code.severity.rawValue) | \(code.summary) |"
            #expect(try readme().contains(row), "missing: \(row)")
        }
        #expect(Set(CheckCode.allCases.map(\.summary)).count == CheckCode.allCases.count)
    }
}

/// The lines of the chapter on codes.
func readme() throws -> Set<String> {
    let path = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(
            path: "Sources/Ferry.docc/Codes.md")
    let text = try String(contentsOf: path, encoding: .utf8)
    return Set(text.split(separator: "\n").map(String.init))
}

@Suite("Consistency check of a host", .enabled(if: kvmIsUsable, "needs /dev/kvm"), .serialized)
struct HostCheckTests {
    @Test("A host where all is well has nothing to say")
    func clean() async throws {
        try await TestCluster.with { cluster in
            try await cluster.agent { agent in
                _ = try await agent.createPulse("web")
                _ = try await agent.performAction(
                    .stop, on: agent.createPulse("off", paused: true).name)
                let check = try await agent.checkConsistency()
                #expect(check.findings.isEmpty, "\(check.findings)")
                #expect(check.vms.map(\.ledger.kind) == [.owned, .owned])
                #expect(check.ledgerSlotsUsed == 2)
                #expect((check.ledgerSlots ?? 0) > 1000)
                #expect((check.diskFreeBytes ?? 0) > 0)
            }
        }
    }

    @Test("A killed process, a folder that is no VM's, a process that is nobody's")
    func strays() async throws {
        try await TestCluster.with { cluster in
            try await cluster.agent { agent in
                let vm = try await agent.createPulse("web")
                try killProcess(of: vm)
                _ = try await agent.vm(vm.name) { $0.state == .failed }
                try Folder.createFolder(at: cluster.vmFolder("ghost"))
                let stray = try stray(cluster.vmFolder("nobody"), cluster)
                defer { stray.terminate() }
                let check = try await agent.checkConsistency()
                #expect(
                    Set(check.findings.map(\.code))
                        == ["vm_died", "stray_folder", "stray_process"])
                #expect(
                    check.findings.contains { $0.message.contains("\(stray.processIdentifier)") })
            }
        }
    }

    /// A program that looks like a ferry-vmm of this folder: a shell by another name that waits for input.
    private func stray(_ folder: String, _ cluster: TestCluster) throws -> Process {
        let program = "\(cluster.folder)/ferry-vmm"
        try FileManager.default.createSymbolicLink(
            atPath: program, withDestinationPath: "/bin/sh")
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = ["-c", "read line; true", "stray", "--directory=\(folder)"]
        process.standardInput = Pipe()
        try process.run()
        return process
    }

    @Test("A ledger that was replaced under the agent, and one that was damaged")
    func ledger() async throws {
        try await TestCluster.with { cluster in
            try await cluster.agent { agent in
                _ = try await agent.createPulse("web", paused: true)
                let path = cluster.ledgerPath()
                let handle = try FileHandle(forUpdating: URL(filePath: path))
                try handle.seek(toOffset: 128 + 40)
                let byte = try #require(try handle.read(upToCount: 1))
                func overwrite(_ byte: UInt8) throws {
                    try handle.seek(toOffset: 128 + 40)
                    try handle.write(contentsOf: Data([byte]))
                }
                try overwrite(byte[0] ^ 1)
                #expect(
                    try await agent.checkConsistency().findings.map(\.code) == ["ledger_unsound"])
                try overwrite(byte[0])
                #expect(try await agent.checkConsistency().findings.isEmpty)
                let copy = try File.readContents(at: path, limit: 8 << 20)
                try AtomicFile.writeBytes(copy, to: path)
                let finding = try #require(try await agent.checkConsistency().findings.first)
                #expect(finding.code == "ledger_unsound")
                #expect(finding.message.contains("replaced"))
            }
        }
    }

    @Test("Two owners, a lost VM, an unresolved handover: each has its code, and age")
    func betweenHosts() async throws {
        try await TestCluster.with(hosts: 2) { cluster in
            let (web, away) = try await cluster.agent { agent in
                (try await agent.createPulse("web"), try await agent.createPulse("away"))
            }
            try cluster.kill("host-a")
            try cluster.kill("host-b")
            let (b, id) = (try HostName("host-b"), MigrationID.random())
            try cluster.write(
                [.released(vm: away.id, epoch: Epoch(2), to: b, migration: id)], to: "host-a")
            try cluster.remember(id, of: away, to: "host-b")
            // Not a ledger that took part: it can give no answer about `away`.
            try cluster.write(
                [.owned(vm: web.id, epoch: Epoch(7), migration: nil)], to: "host-b")
            for host in cluster.file.hosts { try await cluster.start(host.name) }
            try await cluster.client { client in
                var checks: [HostCheck] = []
                for agent in client.agents { checks.append(try await agent.checkConsistency()) }
                let unresolved = try #require(checks[0].findings.first)
                #expect(checks[0].findings.map(\.code) == ["unsettled"])
                #expect((unresolved.ageSeconds ?? 0) > 1e9)
                #expect(checks[1].findings.map(\.code) == ["vm_lost"])
                let between = ClusterCheck.findInconsistencies(in: checks, isComplete: true)
                #expect(between.map(\.code) == ["two_owners"])
                #expect(between.first?.vmID == web.id)
            }
        }
    }
}

@Suite("Consistency check of a cluster")
struct ClusterCheckTests {
    private let vm = VMID.random()

    private func codes(
        _ standings: [LedgerStanding?], isComplete: Bool = true, isBusy: Bool = false
    ) throws -> [String] {
        let checks = try standings.enumerated().map { index, standing in
            HostCheck(
                host: try HostName("host-\(index)"),
                vms: standing.map {
                    [CheckedVM(id: vm, name: nil, ledger: $0, state: nil, isBusy: isBusy)]
                } ?? [], findings: [])
        }
        return ClusterCheck.findInconsistencies(in: checks, isComplete: isComplete).map(\.code)
    }

    @Test("One owner is as it should be, whatever the others remember")
    func one() throws {
        #expect(try codes([.init(.owned, epoch: 3), .init(.handedOver, epoch: 3), nil]).isEmpty)
        #expect(try codes([.init(.owned, epoch: 1), .init(.neverRan, epoch: 2)]).isEmpty)
        #expect(try codes([.init(.owned, epoch: 1), .init(.incoming, epoch: 2)]).isEmpty)
    }

    @Test("Two owners are found in any epochs, unless the VM is on its way")
    func two() throws {
        let both: [LedgerStanding?] = [.init(.takenOver, epoch: 3), .init(.owned, epoch: 2)]
        #expect(try codes(both) == ["two_owners"])
        #expect(try codes(both, isComplete: false) == ["two_owners"])
        #expect(try codes(both, isBusy: true).isEmpty)
    }

    @Test("Nobody owns it: only when every host has said so, and nothing explains it")
    func none() throws {
        let gone: [LedgerStanding?] = [.init(.handedOver, epoch: 2), .init(.neverRan, epoch: 2)]
        #expect(try codes(gone) == ["no_owner"])
        #expect(try codes(gone, isComplete: false).isEmpty)
        #expect(try codes([.init(.handedOver, epoch: 2), nil]) == ["no_owner"])
        #expect(try codes([.init(.handedOver, epoch: 2), .init(.deleted, epoch: 2)]).isEmpty)
        #expect(try codes([.init(.released, epoch: 2), .init(.incoming, epoch: 2)]).isEmpty)
    }
}
