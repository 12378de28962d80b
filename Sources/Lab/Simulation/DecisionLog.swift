// Decisions of a run with their grounds: why a VM went where it went, as `ferry place --explain` tells it.

package import Placement
import Synchronization

/// What was decided for one VM, and when.
package struct ExplainedDecision: Hashable, Sendable {
    package var at: SimTime
    package var explanation: PlacementExplanation
}

/// The decisions that a run was asked to explain, in the order in which they were made.
package final class DecisionLog: Sendable {
    /// What comes after them is not kept: an explanation has a line for every host.
    static let decisionsMax = 1000

    private let entries = Mutex<[ExplainedDecision]>([])

    package init() {}

    package var decisions: [ExplainedDecision] { entries.withLock { $0 } }

    fileprivate func recordDecision(_ decision: ExplainedDecision) {
        entries.withLock { $0.append(decision) }
    }
}

extension Strategy {
    /// The same strategy; it writes down why each VM of these names is placed where it is placed, every time that it is
    /// asked for.
    package func explainingPlacement(of vms: Set<String>, in log: DecisionLog) -> Strategy {
        var strategy = self
        strategy.observer = DecisionRecorder(vms: vms, policy: placement, inner: observer, log: log)
        return strategy
    }
}

private struct DecisionRecorder: RunObserver {
    let vms: Set<String>
    let policy: any PlacementPolicy
    var inner: (any RunObserver)?
    let log: DecisionLog

    var knowsDepartures: Bool { inner?.knowsDepartures ?? false }

    mutating func observeEvent(
        _ event: VMEvent, of vm: VMIndex, in cluster: inout ClusterState, at now: SimTime
    ) {
        inner?.observeEvent(event, of: vm, in: &cluster, at: now)
        guard case .arrived = event, vms.contains(cluster.description(of: vm).name),
            log.decisions.count < DecisionLog.decisionsMax
        else { return }
        log.recordDecision(
            ExplainedDecision(at: now, explanation: cluster.explainPlacement(of: vm, using: policy))
        )
    }
}
