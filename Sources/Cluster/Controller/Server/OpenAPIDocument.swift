// The description of the API, in OpenAPI 3.1: the program's file as it is, and the check of requests that follows from
// it: a body with a property that the description does not have is refused, because it was meant to do something.

import API
internal import Foundation
import Hummingbird
import Model
import Serving

package struct OpenAPIDocument: Sendable {
    /// JSON.
    package let bytes: [UInt8]
    private let schemas: [String: JSONValue]

    /// The one that lies beside the program.
    package static func load() throws(ControllerError) -> OpenAPIDocument {
        guard let path = Bundle.module.path(forResource: "openapi", ofType: "json"),
            let data = FileManager.default.contents(atPath: path),
            let document = try? JSONDecoder().decode(JSONValue.self, from: data),
            case .object(let schemas) = document["components"]?["schemas"]
        else { throw .resourceMissing("openapi.json") }
        return OpenAPIDocument(bytes: Array(data), schemas: schemas)
    }

    /// The path of the first property that the schema of that name does not describe.
    func unknownProperty(in body: JSONValue, of schema: String) -> String? {
        unknown(in: body, .object(["$ref": .string("#/components/schemas/\(schema)")]), at: "")
    }

    private func unknown(in value: JSONValue, _ schema: JSONValue, at path: String) -> String? {
        let schema = resolved(schema)
        switch value {
        case .object(let fields):
            guard var known = schema["properties"]?.fields else { return nil }
            if fields["spec"] == nil { known.merge(flatProperties(of: known)) { own, _ in own } }
            for (name, field) in fields.sorted(by: { $0.key < $1.key }) {
                let place = path.isEmpty ? name : "\(path).\(name)"
                guard let described = known[name] else { return place }
                if let found = unknown(in: field, described, at: place) { return found }
            }
            return nil
        case .array(let items):
            guard let described = schema["items"] else { return nil }
            for item in items {
                if let found = unknown(in: item, described, at: path) { return found }
            }
            return nil
        case .string, .number, .bool, .null: return nil
        }
    }

    /// A body of the shape of the version before has the properties of `spec` and `policy` in itself.
    private func flatProperties(of known: [String: JSONValue]) -> [String: JSONValue] {
        guard let spec = known["spec"] else { return [:] }
        let nested = [spec, known["policy"] ?? .null].map {
            resolved($0)["properties"]?.fields ?? [:]
        }
        let flat = Dictionary(
            VMSpec.flatNames.map { ($0, JSONValue.null) }, uniquingKeysWith: { first, _ in first })
        return nested.reduce(into: flat) { $0.merge($1) { first, _ in first } }
    }

    /// Follows references, and of "this or null" takes this.
    private func resolved(_ schema: JSONValue) -> JSONValue {
        if case .string(let reference) = schema["$ref"],
            let name = reference.split(separator: "/").last, let other = schemas[String(name)]
        {
            return resolved(other)
        }
        if case .array(let choices) = schema["anyOf"],
            let first = choices.first(where: { $0["type"] != .string("null") })
        {
            return resolved(first)
        }
        return schema
    }
}

extension Request {
    /// The body as JSON, with nothing in it that the description of its type does not have. A body that is absent counts
    /// as `{}` where `optional` is set.
    func decode<Value: Decodable>(
        _ type: Value.Type, optional: Bool = false, unknownKeys document: OpenAPIDocument
    ) async throws -> Value {
        let bytes = try await bytes(limit: APILimits.bodyBytesMax)
        let value: Value = try decoded(bytes, optional: optional)
        guard !bytes.isEmpty else { return value }
        let body = try JSONDecoder().decode(JSONValue.self, from: Data(bytes))
        if let property = document.unknownProperty(in: body, of: "\(type)") {
            throw Problem(
                .badRequest,
                "the body is not what this path takes: '\(property.prefix(100))' is not known here")
        }
        return value
    }
}
