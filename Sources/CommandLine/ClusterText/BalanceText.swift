// The balancer: what it is set to, how uneven the load is, what it last thought of.

package import API
import Model

extension BalanceInfo {
    package var text: String {
        var lines = [
            "mode        \(modeText)",
            "imbalance   \(decimalText(for: imbalance)) (starts above \(decimalText(for: settings.startAbove)), settles at \(decimalText(for: settings.settleAt)))",
            "looks       every \(timeSpanText(seconds: settings.intervalSeconds)); load is trusted for \(timeSpanText(seconds: settings.horizonSeconds))",
            "a VM rests  \(timeSpanText(seconds: settings.coolDownSeconds)) after a move; no return within \(timeSpanText(seconds: settings.returnBarSeconds))",
            "at once     \(settings.perHost) a host, \(settings.perLink) a link, \(settings.perCluster) in all; \(quantityText(count: settings.movesMax, noun: "move")) a plan",
        ]
        if let operation { lines.append("under way   operation \(operation)") }
        if let lastPlan, let lastPlanAtMs {
            lines.append("\nlast plan, \(timestampText(ms: lastPlanAtMs)):")
            lines.append(lastPlan.summaryText(ifEmpty: "nothing to move"))
        } else {
            lines.append("last plan   none yet")
        }
        return lines.joined(separator: "\n")
    }

    private var modeText: String {
        switch settings.mode {
        case .off: "off"
        case .advise: "advise: plans are made and shown, nothing is moved"
        case .auto: "auto: plans are carried out"
        }
    }
}
