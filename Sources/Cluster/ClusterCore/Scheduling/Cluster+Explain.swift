// Why a VM would go to one host and not to another. Nothing is changed: the scheduler's picture is copied for a VM that
// does not exist.

package import API
import Model
import Placement

extension Cluster {
    /// Where a VM would go now, host by host.
    package func explainPlacement(for request: ExplainPlacement) throws(Problem) -> PlacementAnswer
    {
        let name = request.policy ?? settings.policy
        guard let policy = NamedPolicies.placementPolicy(named: name, seed: settings.seed) else {
            let known = NamedPolicies.names.joined(separator: ", ")
            throw Problem(.invalid, detail: "there is no policy '\(name.prefix(40))': use \(known)")
        }
        var picture = scheduling.state
        let (vm, row) = try placementSubject(of: request, in: &picture)
        let explanation = picture.explainPlacement(of: row, using: policy)
        return PlacementAnswer(
            vm: vm, policy: name, chosen: explanation.chosen.map { scheduling.hostName(at: $0) },
            verdicts: explanation.verdicts.enumerated().map {
                describeVerdict($1, on: scheduling.hostName(at: $0))
            }
            .sorted { $0.host < $1.host })
    }

    private func placementSubject(
        of request: ExplainPlacement, in picture: inout ClusterState
    ) throws(Problem) -> (VMName, VMIndex) {
        switch (request.vm, request.new) {
        case (let name?, nil):
            guard let row = picture.indexOfVM(withID: try vmRecord(named: name).id) else {
                throw Problem(.internalError, detail: "the scheduler does not know VM \(name)")
            }
            return (name, row)
        case (nil, let new?):
            try checkCreation(for: new)
            try checkGroups(requested: new.policy.groups)
            do {
                for group in new.policy.groups where picture.affinityGroup(named: group.name) == nil
                {
                    try picture.registerGroup(AffinityGroup(group))
                }
                let record = ClusterVMRecord(request: new, id: VMID(high: 0, low: 0))
                return (new.spec.name, try picture.registerVM(PlacementVM(record)))
            } catch {
                throw Problem(.invalid, detail: "the scheduler cannot take this VM: \(error)")
            }
        default: throw Problem(.invalid, detail: "give either vm or new")
        }
    }

    private func describeVerdict(_ verdict: HostVerdict, on host: HostName)
        -> PlacementAnswer.Verdict
    {
        switch verdict {
        case .refused(let refusal):
            PlacementAnswer.Verdict(host: host, filter: refusal.filter, refusal: "\(refusal)")
        case .notDrawn: PlacementAnswer.Verdict(host: host)
        case .scored(let terms):
            PlacementAnswer.Verdict(
                host: host, terms: terms.map { .init(name: $0.name, value: $0.value) },
                score: verdict.score)
        }
    }
}
