// The ledger on disk: replay, torn ends, full disks, damage, compaction.

import Foundation
import Glibc
import Host
import Migration
import MigrationTestSupport
import Model
import Ownership
import Testing

@Suite("Ledger file")
final class LedgerFileTests {
    private let folder: String
    private var path: String { folder + "/ledger" }
    private let vm = VMID.random()
    private let slotBytes = 128

    init() throws {
        folder = NSTemporaryDirectory() + "ferry-ledger-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit {
        // A folder that stays behind in /tmp is no failure of a test.
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func overwrite(at offset: Int, _ bytes: [UInt8]) throws {
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        try handle.seek(toOffset: UInt64(offset))
        try handle.write(contentsOf: Data(bytes))
        try handle.close()
    }

    private func moves(_ count: Int) -> [LedgerRecord] {
        var records: [LedgerRecord] = [.owned(vm: vm, epoch: .first, migration: nil)]
        var epoch = Epoch.first
        while records.count < count {
            let migration = MigrationID.random()
            do {
                records.append(
                    .released(
                        vm: vm, epoch: epoch.next, to: try HostName("b"), migration: migration))
            } catch { fatalError("\(error)") }
            epoch = epoch.next.next
            records.append(.owned(vm: vm, epoch: epoch, migration: nil))
        }
        return Array(records.prefix(count))
    }

    @Test func `What was appended is there after a restart`() throws {
        var ledger: LedgerFile? = try LedgerFile(path: path)
        let records = moves(6)
        for record in records { try ledger?.appendRecord(record) }
        #expect(ledger?.ownership(of: vm) == Ownership(records[5]))
        ledger = nil
        let again = try LedgerFile(path: path)
        #expect(again.ownerships == [vm: Ownership(records[5])])
        try again.appendRecord(.owned(vm: .random(), epoch: .first, migration: nil))
        #expect(again.ownerships.count == 2)
    }

    @Test func `Appending needs no new space`() throws {
        let ledger = try LedgerFile(path: path)
        var before = stat()
        #expect(unsafe stat(path, &before) == 0)
        for record in moves(200) { try ledger.appendRecord(record) }
        var after = stat()
        #expect(unsafe stat(path, &after) == 0)
        #expect(before.st_size == after.st_size && before.st_blocks == after.st_blocks)
    }

    @Test func `A torn last record is forgotten, whole ones stay, and appending goes on`() throws {
        let records = moves(4)
        for torn in stride(from: 1, to: slotBytes, by: 9) {
            try? FileManager.default.removeItem(atPath: path)
            var ledger: LedgerFile? = try LedgerFile(path: path)
            for record in records { try ledger?.appendRecord(record) }
            ledger = nil
            try overwrite(
                at: 4 * slotBytes + torn, [UInt8](repeating: 0xEE, count: slotBytes - torn))
            let again = try LedgerFile(path: path)
            #expect(again.ownership(of: vm) == Ownership(records[2]))
            try again.appendRecord(records[3])
            #expect(again.ownership(of: vm) == Ownership(records[3]))
        }
    }

    @Test func `Damage before the end is an error, not a shorter history`() throws {
        var ledger: LedgerFile? = try LedgerFile(path: path)
        for record in moves(5) { try ledger?.appendRecord(record) }
        ledger = nil
        try overwrite(at: 2 * slotBytes + 30, [0xFF])
        #expect(throws: LedgerError.damaged(path: path, offset: 2 * slotBytes, nil)) {
            try LedgerFile(path: path)
        }
    }

    @Test func `A file that is no ledger is an error`() throws {
        try Data(repeating: 7, count: 4096).write(to: URL(fileURLWithPath: path))
        #expect(throws: LedgerError.self) { try LedgerFile(path: path) }
    }

    @Test func `A second process cannot open it`() throws {
        let ledger = try LedgerFile(path: path)
        #expect(throws: LedgerError.self) { try LedgerFile(path: path) }
        withExtendedLifetime(ledger) {}
    }

    @Test func `A contradiction is refused and leaves no trace`() throws {
        var ledger: LedgerFile? = try LedgerFile(path: path)
        try ledger?.appendRecord(.owned(vm: vm, epoch: .first, migration: nil))
        #expect(throws: LedgerError.self) {
            try ledger?.appendRecord(.owned(vm: vm, epoch: Epoch(2), migration: nil))
        }
        ledger = nil
        #expect(try LedgerFile(path: path).ownership(of: vm) == .owned(.first, migration: nil))
    }

    @Test func `A ledger full of history is written anew with what counts`() throws {
        var ledger: LedgerFile? = try LedgerFile(path: path)
        let records = moves(5001)
        for record in records { try ledger?.appendRecord(record) }
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
        #expect(size == 4096 * slotBytes)
        ledger = nil
        let again = try LedgerFile(path: path)
        #expect(again.ownerships == [vm: Ownership(records[5000])])
    }

    @Test(.enabled(if: getuid() == 0, "mounts a tiny file system"))
    func `A full disk is told apart, and a ledger that is there goes on`() throws {
        let disk = folder + "/disk"
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
        guard unsafe mount("tmpfs", disk, "tmpfs", 0, "size=600k") == 0 else { return }
        defer { _ = unsafe umount(disk) }
        let ledger = try LedgerFile(path: disk + "/ledger")
        #expect(throws: LedgerError.self) { try LedgerFile(path: disk + "/second") }
        do throws(LedgerError) { _ = try LedgerFile(path: disk + "/third") } catch {
            guard case .full = error else {
                Issue.record("\(error)")
                return
            }
        }
        // Its space is its own.
        for record in moves(100) { try ledger.appendRecord(record) }
    }

    @Test func `A folder that is not there is an error`() {
        #expect(throws: LedgerError.self) { try LedgerFile(path: folder + "/nowhere/ledger") }
    }
}
