// What lies between the two hosts' peer addresses, and can be cut.

/// Which packets no longer arrive.
package enum CutDirection: String, Hashable, Sendable {
    case both
    case toDestination
    case toSource
}

/// The way between two hosts, both ways. Cutting is silent: nobody is told, nothing is closed.
protocol Link: Sendable {
    /// - Parameter source: the name of the host that the migration leaves.
    func cutTraffic(direction: CutDirection, source: String) async throws
    func restoreTraffic() async throws
    /// Ends every connection at both ends at once; new ones can be made.
    func resetConnections() async throws
    func tearDown() async
}
