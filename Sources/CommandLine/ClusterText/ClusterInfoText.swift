// The cluster in one glance.

package import API

extension ClusterInfo {
    /// "cluster prod: controller-1 leads (term 4), policy worst-fit, imbalance 0.031"
    package var text: String {
        let leading =
            leader.map { "\($0) leads (term \(term))" } ?? "no controller leads (term \(term))"
        return
            "cluster \(cluster): \(leading), policy \(policy), imbalance \(decimalText(for: imbalance))"
    }

    /// "hosts: 3 active, 1 draining; VMs: 20 running; 2 migrations"
    package var countsText: String {
        "hosts: \(Self.stateCountsText(for: hosts)); VMs: \(Self.stateCountsText(for: vms)); \(quantityText(count: migrations, noun: "migration"))"
    }

    private static func stateCountsText(for counts: [String: Int]) -> String {
        let parts = counts.filter { $0.value > 0 }
            .sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            .map { "\($0.value) \($0.key)" }
        return parts.isEmpty ? "none" : parts.joined(separator: ", ")
    }
}
