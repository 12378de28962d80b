// What /proc says of a process.

import Foundation

/// A process as it was when it was looked at.
package struct ProcessFacts: Sendable {
    package let id: Int32
    /// As in /proc: "R" runs, "S" sleeps, "T" was stopped by a signal, "Z" has ended and was not reaped.
    package let state: Character
    package let parent: Int32
    /// User and system time in seconds, all threads.
    package let cpuSeconds: Double

    /// Nil when there is no such process.
    package init?(_ id: Int32) {
        guard let text = try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8),
            // The command's name may hold spaces: fields are counted from its closing parenthesis.
            let end = text.lastIndex(of: ")")
        else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 12, let state = fields[0].first, let parent = Int32(fields[1]),
            let user = Double(fields[11]), let system = Double(fields[12])
        else { return nil }
        self.id = id
        self.state = state
        self.parent = parent
        cpuSeconds = (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// Every process there is.
    package static var all: [ProcessFacts] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { Int32($0) }.compactMap { ProcessFacts($0) }
    }

    /// The most memory that it ever had; 0 when it has ended.
    package var peakMemoryBytes: UInt64 {
        guard let text = try? String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") })
        else { return 0 }
        return line.split(separator: " ").compactMap { UInt64($0) }.first.map { $0 << 10 } ?? 0
    }

    /// The words that it was started with.
    package var arguments: [String] {
        guard let bytes = FileManager.default.contents(atPath: "/proc/\(id)/cmdline") else {
            return []
        }
        return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }
}
