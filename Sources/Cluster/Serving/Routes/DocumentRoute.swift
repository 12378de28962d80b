// The route that serves the description of the API.

package import API
import Hummingbird

extension Route where Path == NoPath, Query == NoQuery, Body == NoContent, Answer == NoContent {
    package func serveDocument(_ document: OpenAPIDocument) throws -> ServedRoute {
        let bytes = try JSONText.encodedBytes(of: document.json)
        return serveRawResponse { _ in .rawResponse(bytes: bytes, mediaType: "application/json") }
    }
}
