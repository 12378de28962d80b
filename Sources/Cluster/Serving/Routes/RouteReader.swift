// Reads what a route takes from a request: its path parameter, its query, its headers. Values are read strictly: what
// is malformed, given twice or not UTF-8 is refused.

package import API
import HTTPTypes
import Hummingbird

struct RouteReader {
    let request: Request
    let context: APIContext
    /// Query parameters that the route does not have are refused, not ignored.
    let refusesUnknown: Bool

    func readPathParameter<Path: PathParameter>(of route: RouteDescription) throws(Problem) -> Path
    {
        if let absent = NoPath() as? Path { return absent }
        return try context.pathParameter(
            named: RouteDescription.parameterName(inPath: route.path) ?? "")
    }

    func readQuery<Query: RouteQuery>() throws(Problem) -> Query {
        let fields = Query.fields
        let texts = try readQueryTexts(
            named: fields.filter { $0.description.place == .query }.map(\.name))
        var query = Query()
        for field in fields {
            guard let text = readFieldText(of: field, in: texts) else { continue }
            guard field.read(text, &query) else {
                throw Problem(
                    .badRequest,
                    detail: "\(field.name) is '\(text.prefix(40))': use \(field.expected)")
            }
        }
        return query
    }

    private func readFieldText<Query>(of field: QueryField<Query>, in texts: [String: String])
        -> String?
    {
        field.description.place == .header
            ? HTTPField.Name(field.name).flatMap { request.headers[$0] } : texts[field.name]
    }

    /// The query's values by name.
    private func readQueryTexts(named known: [String]) throws(Problem) -> [String: String] {
        var texts: [String: String] = [:]
        for pair in (request.uri.query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = percentDecodedText(from: parts[0], plusIsSpace: true),
                let text = percentDecodedText(
                    from: parts.count > 1 ? parts[1] : "", plusIsSpace: true)
            else {
                throw Problem(
                    .badRequest, detail: "the query cannot be read: it is not UTF-8 with %XX")
            }
            guard known.contains(name) else {
                if refusesUnknown {
                    throw Self.unknownQueryProblem(name: name, known: known)
                } else {
                    continue
                }
            }
            guard text.unicodeScalars.count <= APILimits.queryCharactersMax else {
                throw Problem(
                    .badRequest,
                    detail: "\(name) has more than \(APILimits.queryCharactersMax) characters")
            }
            guard texts.updateValue(text, forKey: name) == nil else {
                throw Problem(.badRequest, detail: "\(name) is given twice")
            }
        }
        return texts
    }

    private static func unknownQueryProblem(name: String, known: [String]) -> Problem {
        Problem(
            .badRequest,
            detail: known.isEmpty
                ? "this path takes no query"
                : "'\(name.prefix(40))' is not known here: use \(known.joined(separator: ", "))")
    }
}

extension APIContext {
    /// The part of the path that the route's path names in braces.
    package func pathParameter<Value: PathParameter>(
        named name: String
    ) throws(Problem) -> Value {
        guard let text = parameters.get(name), let word = percentDecodedText(from: text[...]) else {
            throw Problem(.badRequest, detail: "the path cannot be read: it is not UTF-8 with %XX")
        }
        guard let value = Value(parameter: word) else {
            throw Problem(
                .badRequest,
                detail: "\(name) in the path is '\(word.prefix(40))': use \(Value.expected)")
        }
        return value
    }
}

extension QueryField {
    fileprivate var name: String { description.name }
}

/// Decodes %XX; nil for what is malformed, or not UTF-8.
private func percentDecodedText(from text: Substring, plusIsSpace: Bool = false) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
        switch byte {
        case UInt8(ascii: "%"):
            guard rest.count >= 2, let value = UInt8(String(rest.prefix(2)) ?? "", radix: 16),
                rest.prefix(2).allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") })
            else { return nil }
            rest = rest.dropFirst(2)
            bytes.append(value)
        case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
        default: bytes.append(byte)
        }
    }
    return String(validating: bytes, as: UTF8.self)
}
