// Ctrl-C and SIGTERM, for commands that end in good order.

import Dispatch
import Glibc

enum Interrupt {
    /// Returns when one of them comes, or the task is cancelled. From the first call on they end nothing by themselves.
    static func waitForSignal() async {
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        let sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { continuation.yield() }
            source.resume()
            return source
        }
        defer { for source in sources { source.cancel() } }
        for await _ in stream { return }
    }
}
