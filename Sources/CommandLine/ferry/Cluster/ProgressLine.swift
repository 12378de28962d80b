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

    func displayProgress(of info: MigrationInfo) {
        guard !info.isOver, let progress = info.progress else { return }
        displayText(progressText(for: progress), part: progress.phase.rawValue)
    }

    /// - Parameter part: of the work; the first line of each is always shown.
    func displayText(_ text: String, part: String) {
        guard !isQuiet else { return }
        if isTerminal {
            writeToStderr("\r\u{1b}[2K" + text)
        } else if isUpdateDue(for: part) {
            writeToStderr(text + "\n")
        }
    }

    func clearLine() {
        if !isQuiet, isTerminal { writeToStderr("\r\u{1b}[2K") }
    }

    /// A new part, or a second since the last line.
    private func isUpdateDue(for part: String) -> Bool {
        let now = Instant.now
        if part == lastPart, let lastShown, now - lastShown < Self.plainInterval { return false }
        lastPart = part
        lastShown = now
        return true
    }

    private func writeToStderr(_ text: String) {
        // Progress that cannot be shown is no reason to fail.
        try? StandardStreams.writeBytes(Array(text.utf8), toDescriptor: 2)
    }
}

func progressText(for progress: ProgressInfo) -> String {
    var parts = [progress.phase.rawValue]
    if let attempt = progress.reconnectAttempt { parts.append("reconnecting (attempt \(attempt))") }
    if progress.round > 0 { parts.append("round \(progress.round)") }
    parts.append("\(byteCountText(for: progress.remainingBytes)) left")
    parts.append("\(byteCountText(for: progress.wireBytesPerSecond))/s")
    if let dirty = progress.dirtyPagesPerSecond {
        parts.append("\(Int(dirty)) pages/s written")
    }
    if let downtime = progress.predictedDowntimeMs {
        parts.append("downtime about \(durationText(milliseconds: downtime))")
    }
    if progress.throttlePercent > 0 { parts.append("slowed by \(progress.throttlePercent)%") }
    parts.append(durationText(milliseconds: progress.elapsedMs))
    return parts.joined(separator: "  ")
}

func reportText(for report: ReportInfo, migration info: MigrationInfo) -> String {
    if let rehearsal = report.rehearsal {
        return rehearsalText(for: rehearsal, report: report, migration: info)
    }
    let downtime = report.phases.filter(\.isDowntime)
        .map { "\($0.phase.rawValue) \(durationText(milliseconds: $0.durationMs))" }
        .joined(separator: ", ")
    let verified = report.verifiedPages * UInt64(pageBytes)
    return """
        \(info.vm) runs on \(info.destination)
          total       \(durationText(milliseconds: report.totalMs)) in \(report.rounds) rounds
          downtime    \(durationText(milliseconds: report.downtimeMs)) (predicted \(durationText(milliseconds: report.predictedDowntimeMs)))
                      \(downtime)
          on the wire \(byteCountText(for: report.wireBytes)) on \(report.streams) streams, \(report.compression.rawValue), ratio \(String(format: "%.1f", report.compressionRatio))
          pages       \(report.pagesSent) sent, \(report.zeroPages) zero, \(report.unchangedPages) unchanged\(reconnectText(for: report))
          verified    \(byteCountText(for: verified)), memory digest \(report.memoryRoot)
          audit       \(verificationText(for: report.audit, migration: info))
        """
}

private func verificationText(for verification: VerificationInfo, migration info: MigrationInfo)
    -> String
{
    let seen =
        "\(byteCountText(for: verification.pages * UInt64(pageBytes))) in \(durationText(milliseconds: verification.durationMs))"
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

private func reconnectText(for report: ReportInfo) -> String {
    guard report.reconnects > 0 else { return "" }
    return """

          reconnected \(report.reconnects) times, \(byteCountText(for: report.bytesSentAgain)) sent again
        """
}

private func rehearsalText(
    for rehearsal: RehearsalInfo, report: ReportInfo, migration info: MigrationInfo
) -> String {
    let limit = durationText(milliseconds: rehearsal.downtimeLimit.milliseconds)
    let verdict =
        if rehearsal.wouldThrottle {
            "it writes too fast for its limit of \(limit), so that a migration would slow it down"
        } else {
            "within its limit of \(limit)"
        }
    return """
        \(info.vm) could move to \(info.destination); it stays on \(info.source)
          downtime    about \(durationText(milliseconds: rehearsal.downtimeMs)), \(durationText(milliseconds: rehearsal.downtimeLowerMs)) to \(durationText(milliseconds: rehearsal.downtimeUpperMs))
                      \(verdict)
          paused      \(durationText(milliseconds: rehearsal.pauseMs)), once, to save \(byteCountText(for: UInt64(rehearsal.stateBytes))) of state; loaded there in \(durationText(milliseconds: rehearsal.loadMs))
          written     \(Int(rehearsal.dirtyPagesPerSecond)) pages/s
          sent        \(byteCountText(for: rehearsal.wireBytesPerSecond))/s, \(byteCountText(for: report.wireBytes)) in \(report.rounds) rounds, \(durationText(milliseconds: report.totalMs)) in all
        """
}
