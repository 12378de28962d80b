// Who leads: this controller stands for it, leads while its lease is renewed, and stands again when it lost it.
//
//   campaign ──▶ read everything ──▶ serve, renew, tick ──deposed, lease over, store of no use──▶ step down ──▶ campaign
//
// A lease counts from the moment at which its renewal was asked for, by a clock that goes on through a suspension: this
// side believes in it for shorter than the store does.

import API
package import ClusterCore
import Host
package import Logging
import Model
import ServiceLifecycle

package struct Leadership: Service, CustomStringConvertible {
    private let store: any StateStore
    private let candidate: Candidate
    private let lease: Duration
    private let driver: ClusterDriver
    private let logger: Logger

    package init(
        store: any StateStore, candidate: Candidate, lease: Duration, driver: ClusterDriver,
        logger: Logger
    ) {
        self.store = store
        self.candidate = candidate
        self.lease = lease
        self.driver = driver
        self.logger = logger
    }

    package var description: String { "leadership" }

    /// Until it is shut down; then somebody else may lead at once.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do throws(StoreError) { try await campaignAndLead() } catch {
                    guard !Task.isCancelled else { return }
                    logger.error("cannot lead", metadata: ["error": "\(error)"])
                    // Cancelled: the loop ends.
                    try? await Task.sleep(for: Limits.storePauses.last)
                }
            }
        }
        await store.close()
    }

    private func campaignAndLead() async throws(StoreError) {
        logger.info("stands for leader", metadata: ["lease": "\(lease)"])
        let leader = try await store.acquireLeadership(for: candidate, lease: lease)
        let end = BootClock.now + lease
        try await store.renewLeadership(of: leader)
        logger.info("leads", metadata: ["term": "\(leader.term)"])
        let result: Result<Void, StoreError> = await leadCluster(as: leader, leaseEnd: end)
        await driver.stepDown(reason: "it stepped down")
        logger.info("leads no longer", metadata: ["term": "\(leader.term)"])
        await resignLeadership(of: leader)
        try result.get()
    }

    /// Also when this task is cancelled: that is when it is worth most.
    private func resignLeadership(of leader: Leader) async {
        await Task {
            do throws(StoreError) { try await store.resignLeadership(of: leader) } catch {
                logger.debug("not resigned", metadata: ["error": "\(error)"])
            }
        }.value
    }

    /// Until one of them ends: then all do.
    private func leadCluster(as leader: Leader, leaseEnd: Duration) async -> Result<
        Void, StoreError
    > {
        await withTaskGroup(of: Result<Void, StoreError>.self) { group in
            group.addTask { await renewLease(of: leader, until: leaseEnd) }
            group.addTask { await serveRequests(as: leader, until: leaseEnd) }
            let first = await group.next() ?? .success(())
            await driver.stepDown(reason: "it stepped down")
            group.cancelAll()
            return first
        }
    }

    /// Ends when the lease is lost: because somebody else leads, or because the store did not answer in time.
    private func renewLease(
        of leader: Leader, until firstEnd: Duration
    ) async -> Result<Void, StoreError> {
        var end = firstEnd
        var pause = lease / Limits.renewalsPerLease
        while BootClock.now < end {
            guard (try? await Task.sleep(for: min(pause, max(.zero, end - BootClock.now)))) != nil
            else { return .success(()) }
            let asked = BootClock.now
            do throws(StoreError) {
                try await runWithDeadline(within: end - asked) { () throws(StoreError) in
                    try await store.renewLeadership(of: leader)
                }
                end = asked + lease
                await driver.extendLease(inTerm: leader.term, until: end)
                pause = lease / Limits.renewalsPerLease
            } catch {
                if case .deposed = error { return .failure(error) }
                logger.warning("the lease was not renewed", metadata: ["error": "\(error)"])
                pause = Limits.storePauses.first
            }
        }
        return .failure(.unavailable(reason: "the lease ended before the store renewed it"))
    }

    private func serveRequests(as leader: Leader, until end: Duration) async -> Result<
        Void, StoreError
    > {
        do throws(StoreError) {
            try await driver.beginLeading(inTerm: leader.term, leaseEnd: end)
        } catch {
            return .failure(error)
        }
        var keep = CompactionSchedule()
        while (try? await Task.sleep(for: Limits.tick)) != nil {
            do throws(Problem) {
                try await driver.runOnCluster(isOwn: true) { cluster, context in
                    cluster.advanceTime(in: &context)
                }
            } catch  where error.knownCode == .notLeader {
                return .failure(.deposed(leader.term))
            } catch {
                // Told in the log already; the next tick makes up for it.
            }
            if let revision = keep.dueRevision(after: await driver.revision, at: BootClock.now) {
                do throws(StoreError) { try await store.compactChanges(before: revision) } catch {
                    logger.warning("not compacted", metadata: ["error": "\(error)"])
                }
            }
        }
        return .success(())
    }
}

/// Which changes the store may forget: those that were the newest `Limits.changesKept` ago.
struct CompactionSchedule {
    private var history: [(revision: Revision, at: Duration)] = []

    /// What to compact before; nil when there is nothing to do now.
    mutating func dueRevision(after revision: Revision, at now: Duration) -> Revision? {
        if let last = history.last, now - last.at < Limits.compactionInterval { return nil }
        history.append((revision, now))
        var old: Revision?
        while let first = history.first, now - first.at > Limits.changesKept {
            old = first.revision
            history.removeFirst()
        }
        return old
    }
}

/// Ends the wait, not what was begun, when the time is over.
private func runWithDeadline(
    within limit: Duration, body: @escaping @Sendable () async throws(StoreError) -> Void
) async throws(StoreError) {
    let result: Result<Void, StoreError> = await withTaskGroup(of: Result<Void, StoreError>?.self) {
        group in
        group.addTask {
            do throws(StoreError) { return .success(try await body()) } catch {
                return .failure(error)
            }
        }
        group.addTask {
            try? await Task.sleep(for: limit)
            return nil
        }
        let first = await group.next() ?? nil
        group.cancelAll()
        return first ?? .failure(.unavailable(reason: "no answer in \(limit)"))
    }
    try result.get()
}
