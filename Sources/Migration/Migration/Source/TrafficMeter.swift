// The amount that a source has sent, over all its connections, and its rate.

import Host
import Model
import PageCodec
import Synchronization

/// Counts over all connections of one migration. For the driver's thread.
struct TrafficMeter {
    /// Bytes of the device state, which the streams do not count.
    var stateBytes = 0
    /// The counts of lost connections.
    private var pastCounts = EncoderCounts()
    private var last: (at: Instant, bytes: UInt64)?
    private var perSecond = 0.0

    /// The bytes of pages sent in total, including those that the streams of this coordinator have sent so far.
    func wireBytes(adding board: RoundCoordinator) -> UInt64 {
        pastCounts.wireBytes + UInt64(board.wireBytes.load(ordering: .relaxed))
    }

    /// - Parameter counts: the counts of the open streams.
    func wireBytes(adding counts: EncoderCounts?) -> UInt64 {
        pastCounts.wireBytes + (counts?.wireBytes ?? 0)
    }

    /// Adds the counts of streams that have ended, and writes the sums into the report.
    mutating func addCounts(_ counts: EncoderCounts, to report: inout MigrationReport) {
        let counts = pastCounts + counts
        pastCounts = counts
        report.wireBytes = counts.wireBytes + UInt64(stateBytes)
        report.pagesSent = counts.contentPages + counts.zeroPages
        report.pageBytesSent = report.pagesSent * UInt64(pageBytes)
        report.zeroPages = counts.zeroPages
        report.unchangedPages = counts.unchangedPages
        report.bytesSentAgain = counts.repeatedPages * UInt64(pageBytes)
    }

    /// Bytes per second over the last interval.
    mutating func measureRate(bytes: UInt64, at now: Instant) -> Double {
        guard let last else {
            self.last = (now, bytes)
            return 0
        }
        let seconds = (now - last.at).seconds
        guard seconds >= 0.05 else { return perSecond }
        perSecond = Double(bytes - min(bytes, last.bytes)) / seconds
        self.last = (now, bytes)
        return perSecond
    }
}
