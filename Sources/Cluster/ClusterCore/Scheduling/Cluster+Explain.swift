// Why a VM would go to one host and not to another. Nothing is changed: the scheduler's picture is copied for a VM that
// does not exist.

package import API
import Model
import Placement

extension Cluster {
    /// Where a VM would go now, host by host.
    package func explainPlacement(_ request: ExplainPlacement) throws(Problem) -> PlacementAnswer {
        let name = request.policy ?? settings.policy
        guard let policy = NamedPolicies.policy(named: name, seed: settings.seed) else {
            let known = NamedPolicies.names.joined(separator: ", ")
            throw Problem(.invalid, "there is no policy '\(name.prefix(40))': use \(known)")
        }
        var picture = scheduling.state
        let (vm, row) = try subject(of: request, in: &picture)
        let explanation = picture.explain(row, by: policy)
        return PlacementAnswer(
            vm: vm, policy: name, chosen: explanation.chosen.map { scheduling.hostName($0) },
            verdicts: explanation.verdicts.enumerated().map {
                verdict($1, on: scheduling.hostName($0))
            }
            .sorted { $0.host < $1.host })
    }

    private func subject(
        of request: ExplainPlacement, in picture: inout ClusterState
    ) throws(Problem) -> (VMName, VMIndex) {
        switch (request.vm, request.new) {
        case (let name?, nil):
            guard let row = picture.vm(try vmRecord(named: name).id) else {
                throw Problem(.internalError, "the scheduler does not know VM \(name)")
            }
            return (name, row)
        case (nil, let new?):
            try check(new)
            try checkGroups(new.policy.groups)
            do {
                for group in new.policy.groups where picture.group(named: group.name) == nil {
                    try picture.add(AffinityGroup(group))
                }
                let record = ClusterVMRecord(new, id: VMID(high: 0, low: 0))
                return (new.spec.name, try picture.add(PlacementVM(record)))
            } catch {
                throw Problem(.invalid, "the scheduler cannot take this VM: \(error)")
            }
        default: throw Problem(.invalid, "give either vm or new")
        }
    }

    private func verdict(_ verdict: HostVerdict, on host: HostName) -> PlacementAnswer.Verdict {
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
