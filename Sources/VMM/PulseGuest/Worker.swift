import Synchronization

/// The work of one CPU on its share of the pages, those with number mod CPUs = its index: fill
/// them, write the working set at the pace that was asked for, check what is there. No page has two
/// writers, so there are no locks.
struct Worker {
    private let machine: UnsafeMutablePointer<Machine>
    private let share: UnsafeMutablePointer<Share>
    private let index: UInt64
    private let cpuCount: UInt64
    private let period: UInt64
    private let scratch: Content.Page

    private let ownFillPages: UInt64
    private let ownWorkingSetPages: UInt64
    private var filled: UInt64 = 0
    private var verified: UInt64 = 0
    private var verifiedErrors: UInt64 = 0

    private var random: UInt64
    private var writes = Pacer()
    private var checks = Pacer()

    /// Pages between two looks at the clock while there is much to do.
    private static let batch: UInt64 = 16

    init(_ machine: UnsafeMutablePointer<Machine>, index: Int, scratch: Content.Page) {
        self.machine = machine
        self.index = UInt64(index)
        self.scratch = scratch
        share = machine.pointee.shares + index
        cpuCount = machine.pointee.cpuCount
        period = machine.pointee.clock.tickCount(
            microseconds: machine.pointee.options.periodMicroseconds)
        random = Content.scrambleBits(machine.pointee.options.seed ^ UInt64(index) << 56)
        ownFillPages = Worker.ownShare(
            total: machine.pointee.fillPages, index: self.index, cpuCount: cpuCount)
        ownWorkingSetPages = Worker.ownShare(
            total: machine.pointee.workingSetPages, index: self.index, cpuCount: cpuCount)
    }

    private static func ownShare(total pages: UInt64, index: UInt64, cpuCount: UInt64) -> UInt64 {
        (pages + cpuCount - 1 - index) / cpuCount
    }

    /// Does what is due, but no more than some tens of microseconds of it. Returns whether there is
    /// more.
    mutating func advanceWork(now: UInt64) -> Bool {
        if filled < ownFillPages {
            fillNextPages()
            return true
        }
        let isWriting = writeDuePages(now: now)
        let isChecking = checkDuePages(now: now)
        let isVerifying = verifyNextPages()
        return isWriting || isChecking || isVerifying
    }

    private mutating func fillNextPages() {
        let end = min(filled + Worker.batch, ownFillPages)
        while filled < end {
            let page = filled * cpuCount + index
            machine.pointee.versions[Int(page)] = 1
            machine.pointee.content.renderPage(number: page, version: 1, to: scratch)
            Content.copyPage(from: scratch, to: machine.pointee.memory.pageAddress(number: page))
            filled += 1
        }
        if filled == ownFillPages { share.pointee.hasFilled.store(true, ordering: .releasing) }
    }

    private mutating func writeDuePages(now: UInt64) -> Bool {
        let rate = machine.pointee.rate.load(ordering: .relaxed)
        guard machine.pointee.isWriting.load(ordering: .relaxed), ownWorkingSetPages > 0 else {
            writes.changeRate(to: 0, now: now, kilohertz: 0)
            return false
        }
        if rate == Options.flatOut {
            for _ in 0..<Worker.batch { rewriteRandomPage() }
            return true
        }
        writes.changeRate(
            to: ownRate(from: rate), now: now, kilohertz: machine.pointee.clock.kilohertz)
        for _ in 0..<Worker.batch {
            guard writes.claimDueItem(now: now, period: period) else { return false }
            rewriteRandomPage()
        }
        return true
    }

    private mutating func checkDuePages(now: UInt64) -> Bool {
        let rate = ownRate(from: machine.pointee.options.checksPerSecond)
        guard ownFillPages > 0 else { return false }
        checks.changeRate(to: rate, now: now, kilohertz: machine.pointee.clock.kilohertz)
        for _ in 0..<Worker.batch {
            guard checks.claimDueItem(now: now, period: period) else { return false }
            _ = hasExpectedContent(page: drawRandom(below: ownFillPages) * cpuCount + index)
        }
        return true
    }

    /// This CPU's part of a rate; the first CPUs take what does not divide.
    private func ownRate(from rate: UInt64) -> UInt64 {
        Worker.ownShare(total: rate, index: index, cpuCount: cpuCount)
    }

    /// Takes a random page of the working set one version on.
    private mutating func rewriteRandomPage() {
        let page = drawRandom(below: ownWorkingSetPages) * cpuCount + index
        _ = hasExpectedContent(page: page)
        let version =
            machine.pointee.versions[Int(page)] & ~Machine.wrongBit &+ 1 & ~Machine.wrongBit
        machine.pointee.content.renderPage(number: page, version: version, to: scratch)
        Content.copyPage(from: scratch, to: machine.pointee.memory.pageAddress(number: page))
        machine.pointee.versions[Int(page)] = version
        share.pointee.written.incrementCounter()
    }

    /// Checks the next few pages of a verification, if one was asked for.
    private mutating func verifyNextPages() -> Bool {
        let done = share.pointee.verifications.load(ordering: .relaxed)
        guard machine.pointee.verifications.load(ordering: .acquiring) > done else { return false }
        let end = min(verified + Worker.batch, ownFillPages)
        while verified < end {
            if !hasExpectedContent(page: verified * cpuCount + index) { verifiedErrors += 1 }
            verified += 1
        }
        guard verified == ownFillPages else { return true }
        share.pointee.verifiedErrors.store(verifiedErrors, ordering: .relaxed)
        share.pointee.verifications.store(done + 1, ordering: .releasing)
        (verified, verifiedErrors) = (0, 0)
        return false
    }

    /// Compares the whole page with what it must hold, and counts it the first time it is wrong.
    private mutating func hasExpectedContent(page: UInt64) -> Bool {
        let entry = machine.pointee.versions[Int(page)]
        let version = entry & ~Machine.wrongBit
        machine.pointee.content.renderPage(number: page, version: version, to: scratch)
        share.pointee.checked.incrementCounter()
        let address = machine.pointee.memory.pageAddress(number: page)
        guard let offset = Content.firstDifference(in: address, expected: scratch) else {
            return true
        }
        if entry & Machine.wrongBit == 0 {
            machine.pointee.versions[Int(page)] = entry | Machine.wrongBit
            recordWrongPage(WrongPage(page: page, version: version, offset: offset))
        }
        return false
    }

    private func recordWrongPage(_ wrong: WrongPage) {
        let count = Int(share.pointee.errors.load(ordering: .relaxed))
        if count < WrongPage.detailsMax { share.pointee.details[count] = wrong }
        share.pointee.errors.incrementCounter()
    }

    private mutating func drawRandom(below limit: UInt64) -> UInt64 {
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Content.scrambleBits(random).multipliedFullWidth(by: limit).high
    }
}
