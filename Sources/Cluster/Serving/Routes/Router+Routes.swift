// Registers routes with Hummingbird.

package import API
import HTTPTypes
package import Hummingbird

extension Router<APIContext> {
    package func addRoute(
        _ route: API.RouteDescription,
        handler: @escaping @Sendable (Request, APIContext) async throws -> Response
    ) {
        // The raw values are names of methods.
        guard let method = HTTPRequest.Method(rawValue: route.method.rawValue) else {
            preconditionFailure("\(route.method) is no method")
        }
        on(RouterPath(route.path), method: method, use: handler)
    }
}
