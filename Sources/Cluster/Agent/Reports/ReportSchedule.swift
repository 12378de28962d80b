// When which controller is told what. A value: time comes in with each call.
//
//   register ──answered──▶ heartbeat ──answered──▶ heartbeat, an interval later, or sooner when there is news
//      ▲                       │
//      └── the controller asks ┘
//   a failure: the next controller at once; when none of them answered, a pause that doubles

package import API
package import Host

package struct ReportSchedule: Hashable, Sendable {
    package enum Report: Hashable, Sendable {
        case registration, heartbeat
    }

    /// Whom to tell, by its place in the cluster file.
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
        precondition(controllers > 0, "nobody to report to")
        self.controllers = controllers
        self.interval = interval
        due = now
    }

    package var isHeard: Bool { sent != nil && failures == 0 }

    /// What is due is sent now.
    package mutating func sends(at now: Instant) { sent = now }

    package mutating func answered(_ answer: HeartbeatAnswer, at now: Instant) {
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
            // A controller that always asks for it does not get it all the time.
            due = registered.map { max(now, $0 + interval) } ?? now
        case .heartbeat: due = (sent ?? now) + interval
        }
    }

    /// - Parameter spread: 0 to 1, random: agents that lost one controller shall not all ask the next at once.
    package mutating func failed(at now: Instant, spread: Double) {
        failures += 1
        controller = (controller + 1) % controllers
        guard failures % controllers == 0 else {
            due = now
            return
        }
        let rounds = min(failures / controllers, 16)
        let pause = min(Limits.reportPauses.first * (1 << (rounds - 1)), Limits.reportPauses.last)
        due = now + pause * (0.75 + spread / 2)
    }

    /// Something happened that a controller should know of. Nobody is disturbed who does not answer.
    package mutating func hasNews(at now: Instant) {
        guard let sent, isHeard, report == .heartbeat else { return }
        due = min(due, max(now, sent + Limits.newsPause))
    }
}
