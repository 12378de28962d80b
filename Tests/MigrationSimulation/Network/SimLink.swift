// A Link over one end of a simulated connection: the waits and errors of a real one.

import Glibc
import Host
import Migration
import Model
import PeerLink

/// `@unchecked`: whoever holds the baton may touch it.
final class SimLink: Link, @unchecked Sendable {
    private static let pieceBytes = 64 << 10

    let peer: Identity
    var silenceMax: Duration
    private var flag: SimFlag
    private let end: Endpoint
    private let connection: Connection
    private let scheduler: Scheduler
    /// Set after the handshake, when the run is recorded.
    private var observer: MessageObserver?

    init(
        _ end: Endpoint, of connection: Connection, peer: Identity, silenceMax: Duration,
        flag: SimFlag, scheduler: Scheduler
    ) {
        self.end = end
        self.connection = connection
        self.peer = peer
        self.silenceMax = silenceMax
        self.flag = flag
        self.scheduler = scheduler
    }

    deinit { end.release() }

    func sendBytes(_ bytes: RawSpan) throws(LinkError) {
        scheduler.step("send", bytes.byteCount)
        var sent = 0
        while sent < bytes.byteCount {
            var count = 0
            try attempt("room to send") { () throws(LinkError) in
                if let failure = end.failure { throw failure }
                count = min(end.space, bytes.byteCount - sent, Self.pieceBytes)
                if count > 0 {
                    end.push(
                        unsafe bytes.withUnsafeBytes { unsafe Array($0[sent..<(sent + count)]) })
                }
                return count > 0
            }
            sent += count
        }
        observer?.sent(unsafe bytes.withUnsafeBytes { unsafe Array($0) }, by: end, on: connection)
    }

    func receiveBytes(into buffer: inout MutableRawSpan) throws(LinkError) {
        scheduler.step("receive", buffer.byteCount)
        var received = 0
        while received < buffer.byteCount {
            while !end.hasInput { try waitForBytes() }
            received += end.take(into: &buffer, from: received)
        }
        guard let observer else { return }
        observer.received(
            unsafe buffer.withUnsafeBytes { unsafe Array($0) }, by: end, on: connection)
    }

    private func waitForBytes() throws(LinkError) {
        try attempt("bytes") { () throws(LinkError) in
            // Like a socket: what has arrived can be read after a reset too.
            if end.hasInput { return true }
            if let failure = end.failure { throw failure }
            switch end.end {
            case .closed: throw .closed
            case .cut: throw .broken(nil)
            case nil: return false
            }
        }
    }

    /// Repeats until it is true, as long as the peer may be silent.
    private func attempt(
        _ what: StaticString, _ body: () throws(LinkError) -> Bool
    ) throws(LinkError) {
        let limit = scheduler.now + UInt64(silenceMax.wholeNanoseconds)
        while true {
            try checkAlive()
            if try body() { return }
            if flag.isSet { throw .interrupted }
            if scheduler.now >= limit { throw .timedOut(after: silenceMax) }
            scheduler.block(on: [end.point, flag.point], until: limit, for: what)
        }
    }

    private func checkAlive() throws(LinkError) {
        guard end.process.isDead else { return }
        scheduler.block(on: [], until: nil, for: "its end")
        throw .interrupted
    }

    func setInterruptFlag(_ flag: any WakeFlag) { self.flag = flag.simulated }

    func waitForInput(
        wakingOn news: any WakeFlag, until limit: Instant
    ) throws(LinkError) -> WaitResult {
        scheduler.step("wait for input")
        let news = news.simulated
        while true {
            try checkAlive()
            if news.isSet { return .wokenUp }
            if end.isReadable { return .ready }
            if scheduler.now >= limit.nanoseconds { return .timedOut }
            scheduler.block(
                on: [end.point, news.point], until: limit.nanoseconds, for: "input or a flag")
        }
    }

    func setCorking(enabled isCorked: Bool) {}

    func waitForDelivery() throws(LinkError) {
        scheduler.step("drain")
        try attempt("the peer's host to take all") { () throws(LinkError) in
            if let failure = end.failure { throw failure }
            return end.underWay == 0 && !end.back.isBlocked
        }
    }

    func close() { end.close(.closed) }

    func closeGently() {
        close()
        let limit = scheduler.now + 500_000_000
        while scheduler.now < limit, end.end == nil, end.failure == nil, !end.process.isDead {
            end.dropInput()
            scheduler.block(on: [end.point], until: limit, for: "the peer's end")
        }
        end.dropInput()
    }

    // MARK: The way to a first word

    /// Waits for the peer's kernel, then shakes hands.
    func connect(within limit: Duration) throws(LinkError) {
        let time = scheduler.now + UInt64(limit.wholeNanoseconds)
        while !end.isConnected {
            try checkAlive()
            if let failure = end.failure { throw failure }
            if flag.isSet { throw .interrupted }
            if scheduler.now >= time {
                throw .unreachable(SystemError(call: "connect", code: ETIMEDOUT))
            }
            scheduler.block(on: [end.point, flag.point], until: time, for: "a connection")
        }
        try shakingHands { () throws(LinkError) in
            try sendBytes([UInt8](repeating: 1, count: 300))
            _ = try receiveBytes(count: 900)
            try sendBytes([UInt8](repeating: 2, count: 100))
        }
    }

    /// The server's part of it.
    func accept() throws(LinkError) {
        try shakingHands { () throws(LinkError) in
            _ = try receiveBytes(count: 300)
            try sendBytes([UInt8](repeating: 3, count: 900))
            _ = try receiveBytes(count: 100)
        }
    }

    private func shakingHands(_ body: () throws(LinkError) -> Void) throws(LinkError) {
        let usual = silenceMax
        silenceMax = PeerLink.Limits.handshakeTimeout
        defer { silenceMax = usual }
        try body()
        observer = end.network.recorder.map { MessageObserver($0) }
    }
}
