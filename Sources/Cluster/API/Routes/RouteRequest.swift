// A call of a route, as a client sends it.

import Model

package struct RouteRequest<Answer: Codable & Sendable>: Sendable {
    package let method: RouteMethod
    /// With its query.
    package let path: String
    /// Headers by name.
    package let headers: [(name: String, value: String)]
    package let body: (any Encodable & Sendable)?
}

extension Route {
    package func makeRequest(
        at path: Path, query: Query = Query(), body: Body
    ) -> RouteRequest<Answer> {
        assembleRequest(at: path, query: query, body: body)
    }

    /// The path with its parameter and query.
    package func requestPath(at path: Path, query: Query = Query()) -> String {
        let given = Query.fields.compactMap { field in
            field.description.place == .query
                ? field.write(query).map { "\(field.description.name)=\(percentEncode($0))" } : nil
        }
        let parts = description.path.split(separator: "/").map { part in
            part.hasPrefix("{") ? percentEncode(path.parameterText) : String(part)
        }
        return "/" + parts.joined(separator: "/")
            + (given.isEmpty ? "" : "?" + given.joined(separator: "&"))
    }

    private func assembleRequest(at path: Path, query: Query, body: Body?) -> RouteRequest<Answer> {
        let headers = Query.fields.compactMap { field in
            field.description.place == .header
                ? field.write(query).map { (field.description.name, $0) } : nil
        }
        return RouteRequest(
            method: description.method, path: self.requestPath(at: path, query: query),
            headers: headers, body: body)
    }
}

extension Route where Body == NoContent {
    package func makeRequest(at path: Path, query: Query = Query()) -> RouteRequest<Answer> {
        assembleRequest(at: path, query: query, body: nil)
    }
}

extension Route where Path == NoPath {
    package func makeRequest(query: Query = Query(), body: Body) -> RouteRequest<Answer> {
        assembleRequest(at: NoPath(), query: query, body: body)
    }
    package func requestPath(query: Query = Query()) -> String {
        requestPath(at: NoPath(), query: query)
    }
}

extension Route where Path == NoPath, Body == NoContent {
    package func makeRequest(query: Query = Query()) -> RouteRequest<Answer> {
        assembleRequest(at: NoPath(), query: query, body: nil)
    }
}

/// For one part of a path or one value of a query (RFC 3986: all but its unreserved characters are encoded).
private func percentEncode(_ text: String) -> String {
    func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "_"), UInt8(ascii: "~"):
            true
        default: false
        }
    }
    return text.utf8.map { byte in
        isUnreserved(byte)
            ? String(UnicodeScalar(byte))
            : "%" + byte.hexadecimal(digits: 2).uppercased()
    }.joined()
}
