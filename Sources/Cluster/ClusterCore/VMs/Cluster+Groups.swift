// The groups of VMs that seek or shun each other.

package import API
import Model
import Placement

extension Cluster {
    func checkGroups(requested wanted: [GroupSpec]) throws(Problem) {
        try checkWords(wanted.map(\.name), field: "groups", max: Limits.groupsOfVMMax)
        var seen: [String: GroupSpec] = [:]
        for group in wanted {
            if let other = seen[group.name] ?? records.groups[group.name]?.group, other != group {
                throw Problem(
                    .groupDiffers,
                    detail:
                        "group \(group.name) is described as \(group), but is \(other): use another name, or describe it the same"
                )
            }
            seen[group.name] = group
            if let weight = group.softWeight, !(0.001...1000).contains(weight) {
                throw Problem(
                    .invalid,
                    detail: "softWeight of group \(group.name) is \(weight): use 0.001 to 1000")
            }
            if let most = group.perDomainMax,
                group.kind == .affinity || !(1...100_000).contains(most)
            {
                throw Problem(
                    .invalid,
                    detail:
                        "perDomainMax of group \(group.name) is \(most): use 1 to 100000, and only for anti-affinity"
                )
            }
        }
        let new = seen.keys.count { records.groups[$0] == nil }
        guard records.groups.count + new <= Limits.groupsMax else {
            throw Problem(
                .tooMany, detail: "the cluster has \(records.groups.count) groups, near its limit")
        }
    }

    mutating func createGroup(from group: GroupSpec, in context: inout Context) {
        guard records.groups[group.name] == nil else { return }
        _ = records.groups.storeRecord(GroupRecord(group: group), in: &context)
        scheduling.addAffinityGroup(group)
    }

    package func listGroups(after name: String?, limit: Int) -> Page<GroupInfo> {
        let members = Dictionary(
            grouping: records.vms.all.flatMap { vm in
                vm.policy.groups.map { ($0.name, vm.name) }
            }, by: \.0
        ).mapValues { $0.map(\.1).sorted() }
        let names = records.groups.recordNames(after: name)
        let items = names.prefix(limit).compactMap { name in
            records.groups[name].map {
                GroupInfo(
                    group: $0.group, members: members[name, default: []], revision: $0.version)
            }
        }
        return Page(items: items, next: names.count > limit ? items.last?.group.name : nil)
    }

    package mutating func deleteGroup(
        named name: String, in context: inout Context
    ) throws(Problem) {
        guard records.groups[name] != nil else {
            throw Problem(.groupNotFound, detail: "the cluster has no group '\(name.prefix(100))'")
        }
        let members = records.vms.all.filter { vm in
            vm.policy.groups.contains { $0.name == name }
        }.map(\.name).sorted()
        guard members.isEmpty else {
            throw Problem(
                .inUse,
                detail:
                    "group \(name) has members: \(members.prefix(10).map(\.text).joined(separator: ", "))"
            )
        }
        records.groups.removeRecord(named: name, in: &context)
        do {
            try scheduling.rebuildState(from: records, observed: observations, at: context.now)
        } catch {
            fatalError("a cluster with fewer groups is refused by the scheduler: \(error)")
        }
    }
}
