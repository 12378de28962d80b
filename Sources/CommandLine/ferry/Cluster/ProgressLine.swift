// Work under way: one line that changes on a terminal, a line now and then elsewhere.

import API
import ClusterText
import Foundation
import Host
import Model

actor ProgressLine {
    private static let plainInterval = Duration.seconds(1)

    private let isQuiet: Bool
    private let isTerminal = StandardStreams.errorIsTerminal
    private var lastPart: String?
    private var lastShown: Instant?

    init(isQuiet: Bool) { self.isQuiet = isQuiet }

    func show(_ info: MigrationInfo) {
        guard !info.isOver, let progress = info.progress else { return }
        show(progressText(progress), part: progress.phase.rawValue)
    }

    /// - Parameter part: of the work; the first line of each is always shown.
    func show(_ text: String, part: String) {
        guard !isQuiet else { return }
        if isTerminal {
            write("\r\u{1b}[2K" + text)
        } else if isDue(part) {
            write(text + "\n")
        }
    }

    func clear() {
        if !isQuiet, isTerminal { write("\r\u{1b}[2K") }
    }

    /// A new part, or a second since the last line.
    private func isDue(_ part: String) -> Bool {
        let now = Instant.now
        if part == lastPart, let lastShown, now - lastShown < Self.plainInterval { return false }
        lastPart = part
        lastShown = now
        return true
    }

    private func write(_ text: String) {
        // Progress that cannot be shown is no reason to fail.
        try? StandardStreams.write(Array(text.utf8), to: 2)
    }
}

func progressText(_ progress: ProgressInfo) -> String {
    var parts = [progress.phase.rawValue]
    if let attempt = progress.reconnectAttempt { parts.append("reconnecting (attempt \(attempt))") }
    if progress.round > 0 { parts.append("round \(progress.round)") }
    parts.append("\(bytesText(progress.remainingBytes)) left")
    parts.append("\(bytesText(progress.wireBytesPerSecond))/s")
    if let dirty = progress.dirtyPagesPerSecond {
        parts.append("\(Int(dirty)) pages/s written")
    }
    if let downtime = progress.predictedDowntimeMs {
        parts.append("downtime about \(timeText(ms: downtime))")
    }
    if progress.throttlePercent > 0 { parts.append("slowed by \(progress.throttlePercent)%") }
    parts.append(timeText(ms: progress.elapsedMs))
    return parts.joined(separator: "  ")
}

func reportText(_ report: ReportInfo, of info: MigrationInfo) -> String {
    if let rehearsal = report.rehearsal { return rehearsalText(rehearsal, report, info) }
    let downtime = report.phases.filter(\.isDowntime)
        .map { "\($0.phase.rawValue) \(timeText(ms: $0.durationMs))" }
        .joined(separator: ", ")
    let verified = report.verifiedPages * UInt64(pageBytes)
    return """
        \(info.vm) runs on \(info.destination)
          total       \(timeText(ms: report.totalMs)) in \(report.rounds) rounds
          downtime    \(timeText(ms: report.downtimeMs)) (predicted \(timeText(ms: report.predictedDowntimeMs)))
                      \(downtime)
          on the wire \(bytesText(report.wireBytes)) on \(report.streams) streams, \(report.compression.rawValue), ratio \(String(format: "%.1f", report.compressionRatio))
          pages       \(report.pagesSent) sent, \(report.zeroPages) zero, \(report.unchangedPages) unchanged\(lossText(report))
          verified    \(bytesText(verified)), memory digest \(report.memoryRoot)
          audit       \(verificationText(report.audit, of: info))
        """
}

private func verificationText(_ verification: VerificationInfo, of info: MigrationInfo) -> String {
    let seen =
        "\(bytesText(verification.pages * UInt64(pageBytes))) in \(timeText(ms: verification.durationMs))"
    return switch verification.state {
    case .off: "none"
    case .running: "goes on in the background: ferry migration show \(info.id)"
    case .clean: "clean, \(seen)"
    case .unfinished: "ended early, \(seen)"
    case .differs:
        """
        \(verification.differing) PAGES DIFFER (\(seen)): \(info.destination) runs \(info.vm) with old copies of them
                      pages \(verification.differingPages.map(String.init).joined(separator: " "))\(verification.differing > UInt64(verification.differingPages.count) ? " ..." : "")
        """
    }
}

private func lossText(_ report: ReportInfo) -> String {
    guard report.reconnects > 0 else { return "" }
    return """

          reconnected \(report.reconnects) times, \(bytesText(report.bytesSentAgain)) sent again
        """
}

private func rehearsalText(
    _ rehearsal: RehearsalInfo, _ report: ReportInfo, _ info: MigrationInfo
) -> String {
    let limit = timeText(ms: rehearsal.downtimeLimit.milliseconds)
    let verdict =
        if rehearsal.wouldThrottle {
            "it writes too fast for its limit of \(limit), so that a migration would slow it down"
        } else {
            "within its limit of \(limit)"
        }
    return """
        \(info.vm) could move to \(info.destination); it stays on \(info.source)
          downtime    about \(timeText(ms: rehearsal.downtimeMs)), \(timeText(ms: rehearsal.downtimeLowerMs)) to \(timeText(ms: rehearsal.downtimeUpperMs))
                      \(verdict)
          paused      \(timeText(ms: rehearsal.pauseMs)), once, to save \(bytesText(UInt64(rehearsal.stateBytes))) of state; loaded there in \(timeText(ms: rehearsal.loadMs))
          written     \(Int(rehearsal.dirtyPagesPerSecond)) pages/s
          sent        \(bytesText(rehearsal.wireBytesPerSecond))/s, \(bytesText(report.wireBytes)) in \(report.rounds) rounds, \(timeText(ms: report.totalMs)) in all
        """
}
