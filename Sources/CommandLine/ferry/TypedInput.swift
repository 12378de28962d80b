// What is typed, as it comes.

import Host

enum TypedInput {
    private static let bytesMax = 1024

    /// Standard input, read on a thread of its own: it blocks until there is something.
    static func makeByteStream() -> AsyncStream<[UInt8]> {
        let (stream, continuation) = AsyncStream<[UInt8]>.makeStream()
        let read: @Sendable () -> Void = {
            // The end and an error are the same here: nothing more comes.
            while let bytes = try? StandardStreams.readInput(upTo: bytesMax), !bytes.isEmpty {
                continuation.yield(bytes)
            }
            continuation.finish()
        }
        do { try NamedThread(name: "keyboard", body: read).detachThread() } catch {
            continuation.finish()
        }
        return stream
    }
}
