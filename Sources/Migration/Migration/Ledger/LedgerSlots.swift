// The slots of a ledger file: open, replay, write.

import Glibc
import Host
import Model
import Ownership
import Wire

enum LedgerSlots {
    static let slotBytes = 128
    static let slotsMin = 4096
    /// A larger file is not a ledger.
    static let slotsMax = 1 << 22
    private static let magic = Array("FERRYLDG".utf8)
    private static let version: UInt32 = 1

    /// The file, created if it is missing, and locked.
    static func openLedgerFile(path: String) throws(LedgerError) -> Descriptor {
        do {
            let file = try Descriptor.openFile(at: path, flags: O_RDWR)
            try lockFile(file, path: path)
            return file
        } catch {
            guard error.code == ENOENT else { throw .failed(error) }
        }
        // Created under a temporary name and renamed, so that a crash leaves no incomplete ledger.
        let file = try createLedgerFile(path: path + ".new", slots: slotsMin)
        do {
            try checkedSystemCall(named: "rename(\(path).new)") {
                unsafe rename(path + ".new", path)
            }
            try syncFolder(containing: path)
        } catch { throw .failed(error) }
        return file
    }

    /// A new, empty ledger with space for `slots`, locked and durable.
    static func createLedgerFile(
        path: String, slots: Int, compacted: Int = 0
    ) throws(LedgerError) -> Descriptor {
        do throws(SystemError) {
            let file = try Descriptor.openFile(at: path, flags: O_RDWR | O_CREAT | O_TRUNC)
            try lockFile(file, path: path)
            let code = posix_fallocate(file.number, 0, slots * slotBytes)
            guard code == 0 else { throw SystemError(call: "fallocate(\(path))", code: code) }
            // Written once, so that the file system has no unwritten extents to convert during an append.
            for _ in 0..<slots { try file.writeAllBytes([UInt8](repeating: 0, count: slotBytes)) }
            var head = ByteWriter()
            head.writeBytes(raw: magic)
            head.writeInteger(version)
            head.writeInteger(UInt32(compacted))
            try writeBytes(head.bytes, at: 0, to: file)
            try checkedSystemCall(named: "fsync(\(path))") { fsync(file.number) }
            return file
        } catch {
            // An incomplete file uses space that may be needed elsewhere.
            _ = unsafe unlink(path)
            throw ledgerError(for: error)
        }
    }

    /// Every record in order; stops at the first slot that was not written completely.
    static func replayRecords(
        of file: Descriptor, path: String
    ) throws(LedgerError) -> (LedgerTable, next: Int, slots: Int) {
        let slots: Int
        let head: [UInt8]
        do {
            slots = try file.sizeInBytes() / slotBytes
            head = try readSlot(number: 0, from: file)
        } catch { throw .failed(error) }
        guard slots > 0, slots <= slotsMax else { throw .damaged(path: path, offset: 0, nil) }
        let compacted = try compactedRecordCount(header: head, path: path)
        var book = LedgerTable()
        for slot in 1..<slots {
            let bytes: [UInt8]
            do { bytes = try readSlot(number: slot, from: file) } catch { throw .failed(error) }
            guard let record = try decodeRecord(from: bytes, slot: slot, path: path) else {
                try checkNothingFollows(slot: slot, slotCount: slots, file: file, path: path)
                return (book, slot, slots)
            }
            if slot <= compacted {
                book.restoreOwnership(from: record)
                continue
            }
            do { try book.applyRecord(record) } catch {
                throw .damaged(path: path, offset: slot * slotBytes, nil)
            }
        }
        return (book, slots, slots)
    }

    private static func compactedRecordCount(
        header head: [UInt8], path: String
    ) throws(LedgerError) -> Int {
        do throws(WireError) {
            var reader = ByteReader(head)
            guard Array(try reader.readBytes(count: magic.count, field: "magic")) == magic else {
                throw .invalidText(field: "magic")
            }
            let found: UInt32 = try reader.readInteger(field: "version")
            guard found == version else { throw .invalid(field: "version", value: UInt64(found)) }
            return try reader.readCount(limit: slotsMax, field: "compacted records")
        } catch {
            throw .damaged(path: path, offset: 0, error)
        }
    }

    /// An incomplete slot is the torn end of the file only if no complete slot follows it.
    private static func checkNothingFollows(
        slot: Int, slotCount slots: Int, file: Descriptor, path: String
    ) throws(LedgerError) {
        for later in (slot + 1)..<max(slot + 1, min(slots, slot + 8)) {
            let bytes: [UInt8]
            do { bytes = try readSlot(number: later, from: file) } catch { throw .failed(error) }
            if try decodeRecord(from: bytes, slot: later, path: path) != nil {
                throw .damaged(path: path, offset: slot * slotBytes, nil)
            }
        }
    }

    /// The record of a slot; nil if the slot was not written completely.
    private static func decodeRecord(
        from bytes: [UInt8], slot: Int, path: String
    ) throws(LedgerError) -> LedgerRecord? {
        do {
            var reader = ByteReader(bytes)
            let checksum: UInt32 = try reader.readInteger(field: "checksum")
            guard checksum == CRC32C.checksum(of: bytes.dropFirst(4)) else { return nil }
            let number: UInt32 = try reader.readInteger(field: "slot")
            guard number == slot else {
                throw WireError.invalid(field: "slot", value: UInt64(number))
            }
            let count: UInt16 = try reader.readInteger(field: "record")
            var body = ByteReader(try reader.readBytes(count: Int(count), field: "record"))
            let record = try LedgerRecord(from: &body)
            try body.requireFullyRead()
            return record
        } catch {
            throw typedError(error) { (error: WireError) in
                LedgerError.damaged(path: path, offset: slot * slotBytes, error)
            }
        }
    }

    /// The record is durable when this returns. If it throws, the slot contains nothing that a replay would accept, or
    /// a repeated append overwrites it.
    static func writeRecord(
        _ record: LedgerRecord, at slot: Int, to file: Descriptor, isDurable: Bool = true
    ) throws(LedgerError) {
        var body = ByteWriter()
        record.writeBytes(to: &body)
        var rest = ByteWriter()
        rest.writeInteger(UInt32(slot))
        rest.writeInteger(UInt16(body.bytes.count))
        rest.writeBytes(raw: body.bytes)
        let padding = slotBytes - 4 - rest.bytes.count
        rest.writeBytes(raw: [UInt8](repeating: 0, count: padding))
        var whole = ByteWriter()
        whole.writeInteger(CRC32C.checksum(of: rest.bytes))
        whole.writeBytes(raw: rest.bytes)
        do {
            try writeBytes(whole.bytes, at: slot * slotBytes, to: file)
            if isDurable {
                try checkedSystemCall(named: "fdatasync(ledger)") { fdatasync(file.number) }
            }
        } catch {
            // Best effort: a later start should not find a record that was refused.
            try? writeBytes([UInt8](repeating: 0, count: slotBytes), at: slot * slotBytes, to: file)
            throw ledgerError(for: error)
        }
    }

    /// Measures the cost of a record without writing one: the slot is empty before and after.
    static func writeEmptySlot(at slot: Int, to file: Descriptor) throws(LedgerError) {
        do {
            try writeBytes(
                [UInt8](repeating: 0, count: slotBytes), at: slot * slotBytes, to: file)
            try checkedSystemCall(named: "fdatasync(ledger)") { fdatasync(file.number) }
        } catch { throw ledgerError(for: error) }
    }

    /// Checks that the open file is still the file at the path.
    static func isStillLinked(path: String, to file: Descriptor) -> Bool {
        var (named, open) = (stat(), stat())
        guard unsafe stat(path, &named) == 0, unsafe fstat(file.number, &open) == 0 else {
            return false
        }
        return named.st_ino == open.st_ino && named.st_dev == open.st_dev
    }

    static func syncFolder(containing path: String) throws(SystemError) {
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = try Descriptor.openFile(at: folder, flags: O_DIRECTORY)
        try checkedSystemCall(named: "fsync(\(folder))") { fsync(descriptor.number) }
    }

    private static func lockFile(_ file: Descriptor, path: String) throws(SystemError) {
        try checkedSystemCall(named: "flock(\(path))") { flock(file.number, LOCK_EX | LOCK_NB) }
    }

    private static func readSlot(number slot: Int, from file: Descriptor) throws(SystemError)
        -> [UInt8]
    {
        var bytes = [UInt8](repeating: 0, count: slotBytes)
        let count = try checkedSystemCall(named: "pread(ledger)") {
            unsafe bytes.withUnsafeMutableBytes {
                unsafe pread(file.number, $0.baseAddress, $0.count, slot * slotBytes)
            }
        }
        if count < slotBytes { bytes = [UInt8](repeating: 0, count: slotBytes) }
        return bytes
    }

    private static func writeBytes(
        _ bytes: [UInt8], at offset: Int, to file: Descriptor
    ) throws(SystemError) {
        let count = try checkedSystemCall(named: "pwrite(ledger)") {
            unsafe bytes.withUnsafeBytes {
                unsafe pwrite(file.number, $0.baseAddress, $0.count, offset)
            }
        }
        // A short write of a slot means that the disk is full.
        guard count == bytes.count else { throw SystemError(call: "pwrite(ledger)", code: ENOSPC) }
    }

    private static func ledgerError(for error: SystemError) -> LedgerError {
        [ENOSPC, EDQUOT, EFBIG].contains(error.code) ? .full(error) : .failed(error)
    }
}
