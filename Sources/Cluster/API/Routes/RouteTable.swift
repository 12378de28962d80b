// All routes of a server, and what every one of them may answer.

package struct RouteTable: Sendable {
    package enum Server: Hashable, Sendable {
        case agent, controller
    }

    let title: String
    let text: String
    let tags: [String]
    let server: Server
    package let routes: [RouteDescription]

    /// The codes of errors that a route may answer, with those of its server.
    func errorCodes(of route: RouteDescription) -> [Problem.Code] {
        var codes = route.errors + [.badRequest]
        if case .absent = route.body {} else { codes += [.bodyTooLarge, .invalid] }
        switch server {
        case .agent: codes += [.forbidden, .staleTerm, .internalError]
        case .controller where route.access == .unauthenticated: break
        case .controller:
            codes += [.unauthorized, .forbidden, .tooMany, .notLeader, .storeUnavailable]
        }
        return Set(codes).sorted { ($0.status, $0.rawValue) < ($1.status, $1.rawValue) }
    }
}
