// "3@2h+30m": what happens to hosts, as a command line says it.

import Model
import Placement

struct HostEventText: Hashable, Sendable {
    private static let durationUsual = Duration.seconds(3600)

    /// As it was written, for reports.
    let text: String
    /// A number from 0, a range of them, or a name.
    private let hosts: String
    let time: Duration
    let duration: Duration

    /// Nil when it is not that.
    init?(_ text: String) {
        guard let at = text.lastIndex(of: "@"), at != text.startIndex else { return nil }
        let times = text[text.index(after: at)...]
            .split(separator: "+", omittingEmptySubsequences: false).map(String.init)
        guard times.count <= 2, let time = Duration(text: times[0]) else { return nil }
        var duration = Self.durationUsual
        if times.count == 2 {
            guard let given = Duration(text: times[1]) else { return nil }
            duration = given
        }
        self.text = text
        hosts = String(text[..<at])
        self.time = time
        self.duration = duration
    }

    func hostIndices(in known: [PlacementHost]) throws -> [HostIndex] {
        if let named = known.firstIndex(where: { $0.name == hosts }) { return [named] }
        let ends = hosts.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
            first >= 0, first <= last, last - first < SimulationLimits.eventHostsMax
        else { throw unknownHostFailure(message: "there is no host '\(hosts.prefix(40))'") }
        guard last < known.count else {
            throw unknownHostFailure(
                message: "there is no host \(last): they are 0 to \(known.count - 1)")
        }
        return Array(first...last)
    }

    private func unknownHostFailure(message words: String) -> CommandFailure {
        CommandFailure(.notFound, code: "host_unknown", message: "\(text): \(words)")
    }
}
