// Numbers as people read them, the same on every machine.

import Foundation

/// So many digits after the point; never "-0".
package func fixedPointText(for value: Double, decimals: Int) -> String {
    guard value.isFinite else { return "–" }
    let text = String(format: "%.\(decimals)f", value)
    return text.contains { ("1"..."9").contains($0) } || !text.hasPrefix("-")
        ? text : String(text.dropFirst())
}

/// "90 s", "45 min", "6 h", "7 d 4 h": how long a run is.
package func durationText(seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e12 else { return "unknown" }
    let minutes = Int((seconds / 60).rounded())
    if seconds < 120 { return "\(fixedPointText(for: seconds, decimals: 0)) s" }
    if minutes < 120 { return "\(minutes) min" }
    let (hours, rest) = (minutes / 60, minutes % 60)
    if hours < 48 { return "\(hours) h" + (rest == 0 ? "" : " \(rest) min") }
    return "\(hours / 24) d" + (hours % 24 == 0 ? "" : " \(hours % 24) h")
}
