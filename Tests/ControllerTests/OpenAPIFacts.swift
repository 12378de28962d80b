// The description of the API as it is served, read for tests: which operations it has, and whether an answer is as
// described.

import API
import Controller
import Foundation
import Serving
import Testing

struct OpenAPIFacts {
    struct Operation: Hashable {
        var method: String
        var path: String
        var takesBody: Bool
        var needs: String
        /// Schemas of answers by status, as JSON pointers into the document; nil for an answer without a body.
        var statuses: Set<Int>
    }

    let document: JSONValue
    let operations: [Operation]

    static func load() throws -> OpenAPIFacts {
        try OpenAPIFacts(
            JSONDecoder().decode(JSONValue.self, from: Data(bytes())))
    }

    /// The document's text.
    static func bytes() throws -> [UInt8] {
        try JSONText.encodedBytes(of: OpenAPIDocument(ControllerRoutes.table).json)
    }

    init(_ document: JSONValue) throws {
        self.document = document
        guard case .object(let paths)? = document["paths"] else {
            throw TestFailure("no paths")
        }
        operations = paths.flatMap { path, methods -> [Operation] in
            guard case .object(let methods) = methods else { return [] }
            return methods.map { method, operation in
                var statuses: Set<Int> = []
                if case .object(let responses)? = operation["responses"] {
                    statuses = Set(responses.keys.compactMap { Int($0) })
                }
                return Operation(
                    method: method.uppercased(), path: path,
                    takesBody: operation["requestBody"] != nil,
                    needs: operation["x-ferry-needs"]?.text ?? "", statuses: statuses)
            }
        }
    }

    func at(_ pointer: String...) -> JSONValue? {
        pointer.reduce(document as JSONValue?) { value, key in value?[key] }
    }

    /// Where an answer is not as described; empty when it is.
    func faults(of answer: CurlAnswer, to method: String, _ path: String) throws -> [String] {
        let responses = at("paths", path, method.lowercased(), "responses")
        guard let response = responses?["\(answer.status)"].map(resolved) else {
            return ["status \(answer.status) is not described"]
        }
        guard case .object(let content)? = response["content"] else {
            return answer.body.isEmpty ? [] : ["a body that is not described"]
        }
        let mediaType = answer.headers["content-type"]?.split(separator: ";").first.map(String.init)
        guard let described = content[mediaType ?? ""] else {
            return ["media type \(mediaType ?? "none")"]
        }
        guard mediaType?.hasSuffix("json") == true else { return [] }
        let value = try JSONDecoder().decode(JSONValue.self, from: answer.body)
        return faults(of: value, described["schema"] ?? .null, at: "$")
    }

    func resolved(_ value: JSONValue) -> JSONValue {
        guard let reference = value["$ref"]?.text else { return value }
        return reference.split(separator: "/").dropFirst()
            .reduce(document as JSONValue?) { $0?[String($1)] }.map(resolved) ?? .null
    }

    /// The part of JSON Schema that the document uses.
    func faults(of value: JSONValue, _ schema: JSONValue, at path: String) -> [String] {
        let schema = resolved(schema)
        if case .array(let choices)? = schema["anyOf"] {
            let all = choices.map { faults(of: value, $0, at: path) }
            return all.contains([]) ? [] : all.flatMap { $0 }
        }
        var types: [String] = []
        if let type = schema["type"]?.text { types = [type] }
        if case .array(let several)? = schema["type"] { types = several.compactMap(\.text) }
        guard types.contains(where: { value.isA($0) }) else { return ["\(path) is no \(types)"] }
        if case .array(let allowed)? = schema["enum"], !allowed.contains(value) {
            return ["\(path) is none of the words"]
        }
        switch value {
        case .object(let fields): return faults(of: fields, schema, at: path)
        case .array(let items):
            return items.enumerated().flatMap {
                faults(of: $1, schema["items"] ?? .null, at: "\(path)[\($0)]")
            }
        case .number, .integer:
            guard let number = value.number else { return [] }
            if let least = schema["minimum"]?.number, number < least {
                return ["\(path) < \(least)"]
            }
            if let most = schema["maximum"]?.number, number > most { return ["\(path) > \(most)"] }
            return []
        case .string(let text):
            guard let pattern = schema["pattern"]?.text, let regex = try? Regex(pattern) else {
                return []
            }
            return text.wholeMatch(of: regex) == nil ? ["\(path) is not \(pattern)"] : []
        case .bool, .null: return []
        }
    }

    private func faults(
        of fields: [String: JSONValue], _ schema: JSONValue, at path: String
    ) -> [String] {
        var faults: [String] = []
        if case .array(let required)? = schema["required"] {
            faults += required.compactMap(\.text).filter { fields[$0] == nil }
                .map { "\(path).\($0) is missing" }
        }
        guard case .object(let known)? = schema["properties"] else { return faults }
        for (name, field) in fields {
            if let described = known[name] {
                faults += self.faults(of: field, described, at: "\(path).\(name)")
            } else {
                faults.append("\(path).\(name) is not described")
            }
        }
        return faults
    }
}

extension JSONValue {
    var text: String? { if case .string(let text) = self { text } else { nil } }
    var number: Double? {
        switch self {
        case .number(let number): number
        case .integer(let number): Double(number)
        default: nil
        }
    }

    fileprivate func isA(_ type: String) -> Bool {
        switch (self, type) {
        case (.object, "object"), (.array, "array"), (.string, "string"), (.bool, "boolean"),
            (.null, "null"), (.number, "number"), (.integer, "number"), (.integer, "integer"):
            true
        case (.number(let number), "integer"): number == number.rounded()
        default: false
        }
    }
}
