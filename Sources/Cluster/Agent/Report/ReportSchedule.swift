// When the agent reports what to which controller. A value; the time is a parameter of each call.
//
//   register ──answered──▶ heartbeat ──answered──▶ heartbeat, an interval later, or sooner when there is news
//      ▲                       │
//      └── the controller asks ┘
//   a failure: the next controller at once; when none of them answered, a pause that doubles

package import API
package import Host
import Model

package struct ReportSchedule: Hashable, Sendable {
    package enum Report: Hashable, Sendable {
        case registration, heartbeat
    }

    /// The controller to report to, by its place in the cluster file.
    package private(set) var controller = 0
    package private(set) var report = Report.registration
    package private(set) var due: Instant
    private let controllers: Int
    private var interval: Duration
    /// In a row.
    private var failures = 0
    private var sent: Instant?
    private var registered: Instant?

    package init(controllers: Int, interval: Duration, now: Instant) {
        precondition(controllers > 0, "there is a controller to report to")
        self.controllers = controllers
        self.interval = interval
        due = now
    }

    /// The last report was answered.
    package var isConnected: Bool { sent != nil && failures == 0 }

    /// The report that is due is sent now.
    package mutating func recordSending(at now: Instant) { sent = now }

    package mutating func recordAnswer(_ answer: HeartbeatAnswer, at now: Instant) {
        failures = 0
        let milliseconds = min(
            max(answer.intervalMs, Limits.reportIntervalsMs.lowerBound),
            Limits.reportIntervalsMs.upperBound)
        interval = .milliseconds(milliseconds)
        switch report {
        case .registration:
            registered = now
            (report, due) = (.heartbeat, now)
        case .heartbeat where answer.wantsRegistration:
            report = .registration
            // A controller that asks for it with every answer gets it once an interval.
            due = registered.map { max(now, $0 + interval) } ?? now
        case .heartbeat: due = (sent ?? now) + interval
        }
    }

    /// - Parameter spread: 0 to 1, random: agents that lost one controller must not all ask the next at the same moment.
    package mutating func recordFailure(at now: Instant, spread: Double) {
        failures += 1
        controller = (controller + 1) % controllers
        guard failures % controllers == 0 else {
            due = now
            return
        }
        let pause = Timing.reportRetry.pauseDuration(afterFailures: failures / controllers)
        due = now + pause * (0.75 + spread / 2)
    }

    /// A controller should know of a change. A controller that does not answer gets no additional reports.
    package mutating func recordNews(at now: Instant) {
        guard let sent, isConnected, report == .heartbeat else { return }
        due = min(due, max(now, sent + Timing.newsPause))
    }
}
