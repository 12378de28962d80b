// The balancer: what it is set to, how uneven the load is, what it last thought of.

package import API
import Model

extension BalanceInfo {
    package var text: String {
        var lines = [
            "mode        \(modeText)",
            "imbalance   \(figureText(imbalance)) (starts above \(figureText(settings.startAbove)), settles at \(figureText(settings.settleAt)))",
            "looks       every \(secondsText(settings.intervalSeconds)); load is trusted for \(secondsText(settings.horizonSeconds))",
            "a VM rests  \(secondsText(settings.coolDownSeconds)) after a move; no return within \(secondsText(settings.returnBarSeconds))",
            "at once     \(settings.perHost) a host, \(settings.perLink) a link, \(settings.perCluster) in all; \(counted(settings.movesMax, "move")) a plan",
        ]
        if let operation { lines.append("under way   operation \(operation)") }
        if let lastPlan, let lastPlanAtMs {
            lines.append("\nlast plan, \(dateText(ms: lastPlanAtMs)):")
            lines.append(lastPlan.text(nothing: "nothing to move"))
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
