// What the handlers of the controller read from a call.

import API
import Hummingbird
import Model
import Serving

extension RouteCall {
    /// The caller, as operations record it.
    var callerName: String { context.caller.map { "\($0)" } ?? "nobody" }
}

extension PageQuery {
    var pageLimit: Int { limit ?? APILimits.pageDefault }
}

extension VMListQuery {
    var pageLimit: Int { limit ?? APILimits.pageDefault }
}

extension OperationListQuery {
    var pageLimit: Int { limit ?? APILimits.pageDefault }
}

extension APIContext {
    /// The host that the path names.
    func pathHostName() throws(Problem) -> HostName { try pathParameter(named: "name") }
}

extension Response {
    static func plainTextResponse(body text: String) -> Response {
        .rawResponse(bytes: Array(text.utf8), mediaType: "text/plain; charset=utf-8")
    }
}
