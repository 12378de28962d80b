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
    /// A heartbeat of a host with as many VMs as a host may have.
    package static let heartbeatBytesMax = 8 << 20
    /// Items on a page of a list.
    package static let pageMax = 1000
    package static let pageDefault = 100
    /// A value in a query.
    package static let queryCharactersMax = 100
    /// How long a token may be valid.
    package static let tokenSeconds = 1...(10 * 366 * 86_400)
    package static let streamsMax = 16
    /// How often a followed migration reports.
    package static let followInterval = Duration.milliseconds(200)
}
