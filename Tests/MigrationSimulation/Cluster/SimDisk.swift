// The disk of a simulated host, and the ledger on it: what is durable, what may be, and how long a write takes.

import Glibc
import Host
import Migration
import Model
import Ownership

/// What a crash leaves. It outlives agents and power.
final class SimDisk {
    enum Condition: Equatable {
        case works
        /// Writes end with an error, and nobody knows what reached the disk.
        case fails
        case full
    }

    /// Records that are on the disk for sure.
    private var records: [LedgerRecord] = []
    /// Records that their writer was told are on the disk, and are not: a planted bug.
    private var cached: [LedgerRecord] = []
    /// A record whose write has not ended, or failed: a crash keeps it or loses it.
    private var torn: LedgerRecord?
    private var isTornByFailure = false
    /// What an agent that starts now would read, if no crash came in between.
    private(set) var book = LedgerTable()
    var condition = Condition.works
    let usualWrite: Duration
    var write: Duration
    private var random: SeededRandom

    init(write: Duration, random: SeededRandom) {
        usualWrite = write
        self.write = write
        self.random = random
    }

    func begin(_ record: LedgerRecord) {
        torn = record
        isTornByFailure = false
    }

    func breakOff() { isTornByFailure = true }

    /// The write has ended well.
    func commit(_ record: LedgerRecord, isDurable: Bool = true) {
        torn = nil
        isDurable ? records.append(record) : cached.append(record)
        apply(record)
    }

    /// The agent was killed. What it had given to the kernel stays; after a failed write it had zeroed the place.
    /// Returns the record of a write that had not ended, if it is there now.
    func agentCrashed() -> LedgerRecord? {
        records += cached
        cached = []
        if isTornByFailure { torn = nil }
        return keepOrLoseTorn()
    }

    /// The power went: what was not flushed is there or not.
    /// Returns the record of a write that had not ended, if it is there now.
    func powerLost() -> LedgerRecord? {
        cached = []
        return keepOrLoseTorn()
    }

    private func keepOrLoseTorn() -> LedgerRecord? {
        var kept: LedgerRecord?
        if let torn, random.chance(0.5) {
            records.append(torn)
            kept = isTornByFailure ? nil : torn
        }
        torn = nil
        book = LedgerTable()
        for record in records { apply(record) }
        return kept
    }

    private func apply(_ record: LedgerRecord) {
        do throws(LedgerContradiction) { try book.applyRecord(record) } catch {
            fatalError("a ledger that contradicts itself: \(error)")
        }
    }
}

/// An agent's ledger: rebuilt from the disk alone. `@unchecked`: whoever holds the baton may touch it.
final class SimLedger: OwnershipLedger, @unchecked Sendable {
    private let disk: SimDisk
    private let runtime: SimRuntime
    private let world: World
    private var book: LedgerTable
    private var isBusy = false
    private let idle = WaitPoint()

    init(_ disk: SimDisk, runtime: SimRuntime, world: World) {
        self.disk = disk
        self.runtime = runtime
        self.world = world
        book = disk.book
    }

    func appendRecord(_ record: LedgerRecord) throws(LedgerError) {
        world.moment("append \(record.kind)")
        try occupy()
        defer { free() }
        var next = book
        do throws(LedgerContradiction) { try next.applyRecord(record) } catch {
            throw .contradicts(record, current: error.current)
        }
        if next == book { return }
        disk.begin(record)
        do { try runtime.sleep(disk.write, "write to the ledger") } catch { throw .failed(error) }
        switch disk.condition {
        case .works: break
        case .fails:
            disk.breakOff()
            world.recorder?.writeFailed(by: runtime.process)
            throw .failed(SystemError(call: "fdatasync(ledger)", code: EIO))
        case .full:
            disk.breakOff()
            world.recorder?.writeFailed(by: runtime.process)
            throw .full(SystemError(call: "pwrite(ledger)", code: ENOSPC))
        }
        disk.commit(record, isDurable: world.plant != .forgetsDurability)
        book = next
        world.recorder?.wrote(record, by: runtime.process)
        world.recordWritten(record)
        // A crash may come when it is durable and its writer does not know.
        do { try runtime.sleep(.microseconds(1), "return from the ledger") } catch {
            throw .failed(error)
        }
    }

    func measureWrite() throws(LedgerError) -> Duration {
        try occupy()
        defer { free() }
        do { try runtime.sleep(disk.write, "measure the ledger") } catch { throw .failed(error) }
        guard disk.condition == .works else {
            throw .failed(SystemError(call: "fdatasync(ledger)", code: EIO))
        }
        return disk.write
    }

    func ownership(of vm: VMID) -> Ownership? {
        ownerships[vm]
    }

    var ownerships: [VMID: Ownership] {
        while isBusy, !runtime.process.isDead {
            runtime.scheduler.block(on: [idle], until: nil, for: "the ledger")
        }
        return book.ownerships
    }

    private func occupy() throws(LedgerError) {
        while isBusy, !runtime.process.isDead {
            runtime.scheduler.block(on: [idle], until: nil, for: "the ledger")
        }
        guard !runtime.process.isDead else { throw .failed(.deadProcess) }
        isBusy = true
    }

    private func free() {
        isBusy = false
        idle.wakeAll()
    }
}

extension LedgerRecord {
    /// "released", "owned" and so on.
    var kind: Substring { "\(self)".prefix { $0 != "(" } }
}
