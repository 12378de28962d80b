// The files of an agent and of ferry-vmm, and the arguments that ferry-vmm is started with.

import Agent
import ClusterFile
import Foundation
import Host
import Logging
import Machine
import Migration
import MigrationProtocol
import Model
import Ownership
import Testing
import VMControl
import Wire

@Suite("Golden files of an agent")
struct GoldenFileTests {
    private static let kernels: [(name: String, KernelSource)] = [
        ("shipped", .shipped), ("unknown", .unknown),
        ("kernel", .files(kernel: "/boot/vmlinux", initrd: nil)),
        ("initrd", .files(kernel: "/boot/vmlinux", initrd: "/boot/initrd")),
    ]

    private static func records() throws -> [(file: String, record: VMRecord)] {
        try kernels.map { name, kernel in
            let spec = try Sample.spec(kernel, isLeased: kernel == .shipped)
            var record = VMRecord(id: Sample.vm, spec: spec)
            if kernel == .unknown { record.restoredFrom = "/save/web-1.ferry" }
            return ("vm-json-\(name).json", record)
        }
    }

    @Test func `vm.json is what it was`() async throws {
        for (file, record) in try Self.records() {
            try await withTemporaryFolder { folder in
                let files = try StateFolder(path: folder).filesOfVM(named: VMName("web-1"))
                try Folder.createFolder(at: files.folder, mode: 0o700)
                try record.writeRecord(to: files)
                let written = try File.readContents(at: "\(files.folder)/vm.json", limit: 4096)
                try GoldenFile.check(file, hasText: String(decoding: written, as: UTF8.self))
                // The files "-1" are from before a VM had one spec: its fields stood flat.
                for stored in [file, file.replacing(".json", with: "-1.json")] {
                    try AtomicFile.writeBytes(
                        GoldenFile.bytes(stored), to: "\(files.folder)/vm.json")
                    #expect(try VMRecord(loading: files) == record, "\(stored)")
                }
            }
        }
    }

    @Test func `vm.json from before there were leases is read`() async throws {
        let record = try VMRecord(loadingFrom: GoldenFile.path("vm-json-before-leases.json"))
        #expect(record.spec == (try Sample.spec(.shipped)))
    }

    @Test func `exit.json is read`() throws {
        let bytes = try GoldenFile.bytes("exit.json")
        #expect(
            try JSONDecoder().decode(VMExit.self, from: Data(bytes))
                == VMExit(reason: .emulationFailure, detail: "at \"0x10\"\n\u{1}"))
    }

    @Test func `The term is what it was`() async throws {
        try await withTemporaryFolder { folder in
            let fence = try TermFence(path: "\(folder)/term")
            try fence.acceptTerm(4711)
            let written = try File.readContents(at: "\(folder)/term", limit: 64)
            try GoldenFile.check("term.txt", hasText: String(decoding: written, as: UTF8.self))
            #expect(try TermFence(path: GoldenFile.path("term.txt")).term == 4711)
        }
    }

    @Test func `peers.json is what it was`() async throws {
        try await withTemporaryFolder { folder in
            let yaml = """
                cluster: test
                state-folder: state
                keys-folder: keys
                hosts:
                  - name: host-a
                    api: 127.0.0.1:7101
                    peer: 127.0.0.1:7201
                """
            try AtomicFile.writeBytes(Array(yaml.utf8), to: "\(folder)/cluster.yaml")
            let cluster = try ClusterFile(loading: "\(folder)/cluster.yaml", relativeTo: folder)
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let host = try HostName("host-b")
            let address = SocketAddress(ip: "10.0.0.2", port: 7201)
            let written = PeerDirectory(
                cluster: cluster, path: "\(folder)/peers.json", logger: logger)
            try written.recordPeer(named: host, at: address)
            let bytes = try File.readContents(at: "\(folder)/peers.json", limit: 4096)
            let sorted = try JSONSerialization.data(
                withJSONObject: JSONSerialization.jsonObject(with: Data(bytes)),
                options: [.sortedKeys, .withoutEscapingSlashes])
            try GoldenFile.check("peers.json", hasText: String(decoding: sorted, as: UTF8.self))
            let read = PeerDirectory(
                cluster: cluster, path: GoldenFile.path("peers.json"), logger: logger)
            #expect(read.addresses(of: host) == [address])
        }
    }

    /// Every kind of record, one VM each.
    private static func ledgerHistory() throws -> [LedgerRecord] {
        let (host, migration) = (try HostName("host-b"), Sample.migration)
        func vm(_ number: UInt64) -> VMID { VMID(high: 0x0123_4567, low: number) }
        let (first, second, third) = (Epoch(1), Epoch(2), Epoch(3))
        return [
            .owned(vm: vm(1), epoch: first, migration: nil),
            .owned(vm: vm(2), epoch: first, migration: nil),
            .released(vm: vm(2), epoch: second, to: host, migration: migration),
            .owned(vm: vm(3), epoch: first, migration: nil),
            .released(vm: vm(3), epoch: second, to: host, migration: migration),
            .handedOver(vm: vm(3), epoch: second, to: host, migration: migration),
            .owned(vm: vm(4), epoch: first, migration: nil),
            .released(vm: vm(4), epoch: second, to: host, migration: migration),
            .takenOver(vm: vm(4), epoch: third, against: host, migration: migration),
            .incoming(vm: vm(5), epoch: second, from: host, migration: migration),
            .incoming(vm: vm(6), epoch: second, from: host, migration: migration),
            .superseded(vm: vm(6), epoch: third, by: host),
            .neverRan(vm: vm(7), epoch: second, migration: migration),
            .incoming(vm: vm(8), epoch: second, from: host, migration: migration),
            .owned(vm: vm(8), epoch: second, migration: migration),
            .owned(vm: vm(9), epoch: first, migration: nil),
            .deleted(vm: vm(9), epoch: first),
        ]
    }

    @Test func `The ledger's slots are what they were`() async throws {
        let (slotBytes, slots) = (128, 4096)
        try await withTemporaryFolder { folder in
            let history = try Self.ledgerHistory()
            let ledger = try LedgerFile(path: "\(folder)/ledger")
            for record in history { try ledger.appendRecord(record) }
            let written = try File.readContents(at: "\(folder)/ledger", limit: slots * slotBytes)
            #expect(written.count == slots * slotBytes)
            let used = (0...history.count).map { slot in
                written[slot * slotBytes..<(slot + 1) * slotBytes].hexadecimal()
            }
            try GoldenFile.check("ledger.hex", hasLines: used)

            let stored = try GoldenFile.lines("ledger.hex").flatMap {
                try #require([UInt8](hexadecimal: $0))
            }
            let zeros = [UInt8](repeating: 0, count: slots * slotBytes - stored.count)
            try AtomicFile.writeBytes(stored + zeros, to: "\(folder)/stored")
            #expect(try LedgerFile(path: "\(folder)/stored").ownerships == ledger.ownerships)
        }
    }

    @Test func `A saved VM's file is what it was`() throws {
        var spec = try Sample.spec()
        spec.memory = .mebibytes(16)
        spec.hugePages = false
        let header = SavedFileHeader(id: Sample.vm, spec: spec)
        let layout = try #require(GuestMemoryLayout(memory: spec.memory))
        let memory = try GuestMemory(layout, hugePages: false)
        let file = try MemoryFile.createGrowing(name: "golden")
        let state = StateBlob.encodeSections([
            StateSection(name: "machine", bytes: [1, 2, 3]),
            StateSection(name: "device/serial", version: 2, bytes: []),
        ])
        try SavedFileWriter(file: file).writeMachine(header: header, state: state, memory: memory)
        let written = try file.readBytes(at: 0, count: file.sizeInBytes())
        try GoldenFile.check("saved-vm.hex", hasLines: [written.hexadecimal()])

        let copy = try MemoryFile.createGrowing(name: "golden-copy")
        let line = try #require(try GoldenFile.lines("saved-vm.hex").first)
        try copy.writeAllBytes(try #require([UInt8](hexadecimal: line)))
        let reader = try SavedFileReader(
            Descriptor.openFile(at: "/proc/self/fd/\(copy.number)", flags: O_RDONLY))
        #expect(reader.header == header)
        try reader.readMemory(
            into: GuestMemory(layout, hugePages: false).mapping, layout: layout)
    }

    @Test func `The serial port's state is what it was`() throws {
        let line = try #require(try GoldenFile.lines("serial-port.hex").first)
        var reader = ByteReader(try #require([UInt8](hexadecimal: line)))
        let port = try SerialPort(from: &reader)
        try reader.requireFullyRead()
        #expect(port.encoded.hexadecimal() == line)
    }
}

@Suite("Golden start of ferry-vmm")
struct GoldenStartTests {
    /// In place of ferry-vmm: writes its arguments down and ends.
    private static let program = """
        #!/bin/sh
        printf '%s\\n' "$@" > "${0%/*}/arguments"
        """

    private func arguments(
        in folder: String, _ record: VMRecord, _ start: VMStart, paused: Bool
    ) throws -> String {
        let program = "\(folder)/ferry-vmm"
        try AtomicFile.writeBytes(Array(Self.program.utf8), to: program, mode: 0o700)
        let files = try StateFolder(path: folder).filesOfVM(named: VMName("web-1"))
        try Folder.createFolder(at: files.folder, mode: 0o700)
        for name in ["kernel", "initrd"] {
            try AtomicFile.writeBytes([], to: "\(folder)/\(name)", mode: 0o600)
        }
        let launcher = VMLauncher(program: program, shippedKernel: "/shipped/pulse.elf")
        #expect(throws: LaunchError.self) {
            try launcher.launchProcess(for: record, files: files, start: start, paused: paused)
        }
        let written = try File.readContents(at: "\(folder)/arguments", limit: 4096)
        return String(decoding: written, as: UTF8.self).replacing(folder, with: "FOLDER")
            .split(separator: "\n").joined(separator: " ")
    }

    @Test func `ferry-vmm is started with these arguments`() async throws {
        var lines: [String] = []
        try await withTemporaryFolder { folder in
            let files = KernelSource.files(
                kernel: "\(folder)/kernel", initrd: "\(folder)/initrd")
            let full = VMRecord(id: Sample.vm, spec: try Sample.spec(files, isLeased: true))
            let plain = VMRecord(
                id: Sample.vm, spec: VMSpec(name: try VMName("web-1"), memory: .mebibytes(64)))
            let starts: [(VMRecord, VMStart, paused: Bool)] = [
                (full, .boot(files), true), (full, .incoming(files), false),
                (plain, .boot(.shipped), false), (plain, .incoming(.unknown), false),
                (plain, .restore(path: "/save/web-1.ferry"), true),
            ]
            for (record, start, paused) in starts {
                lines.append(try arguments(in: folder, record, start, paused: paused))
            }
        }
        try GoldenFile.check("vmm-arguments.txt", hasLines: lines)
    }
}
