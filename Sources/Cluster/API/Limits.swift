// Every bound of the API.

/// Bounds of requests and answers.
package enum Limits {
    /// A request's body, where it is JSON.
    package static let bodyBytesMax = 64 << 10
    /// Console input in one request.
    package static let consoleInputBytesMax = 4096
    /// An answer that a client collects whole.
    package static let answerBytesMax = 8 << 20
    package static let logTailBytesDefault = 64 << 10
    package static let logTailBytesMax = 2 << 20
    package static let pathBytesMax = 4096
    package static let streamsMax = 16
    /// How often a followed migration reports.
    package static let followInterval = Duration.milliseconds(200)
}
