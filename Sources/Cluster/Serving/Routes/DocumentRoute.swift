// The route that serves the description of the API.

package import API
import Hummingbird

extension Route where Path == NoPath, Query == NoQuery, Body == NoContent, Answer == NoContent {
    package func serve(_ document: OpenAPIDocument) throws -> ServedRoute {
        let bytes = try JSONText.bytes(document.json)
        return serveRaw { _ in .bytes(bytes, mediaType: "application/json") }
    }
}
