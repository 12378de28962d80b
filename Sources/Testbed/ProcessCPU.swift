// CPU seconds of a process, from /proc.

import Foundation

/// User and system time of a living process in seconds, all threads; nil when there is no such process.
package func cpuSeconds(ofProcess id: Int32) -> Double? {
    guard let text = try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8),
        // The command's name may hold spaces: fields are counted from its closing parenthesis.
        let end = text.lastIndex(of: ")")
    else { return nil }
    let fields = text[text.index(after: end)...].split(separator: " ")
    guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12])
    else { return nil }
    return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
}
