// What a request says beside its path and body: query parameters and headers.

import Model

package protocol RouteQuery: Sendable {
    init()
    static var fields: [QueryField<Self>] { get }
}

package struct NoQuery: RouteQuery {
    package init() {}
    package static var fields: [QueryField<NoQuery>] { [] }
}

/// A parameter as the document shows it.
package struct ParameterDescription: Sendable {
    package enum Place: String, Hashable, Sendable {
        case path, query, header
    }

    package let name: String
    package let place: Place
    let schema: JSONValue
    let description: String?
    var example: String?

    var json: JSONValue {
        .compactObject([
            "name": .string(name), "in": .string(place.rawValue),
            "required": .bool(place == .path), "schema": schema,
            "description": description.map { .string($0) },
            "example": example.map { .string($0) },
        ])
    }
}

/// One property of a query value: how it is read from text and written as text.
package struct QueryField<Query>: Sendable {
    package let description: ParameterDescription
    /// What a text must be: "use …".
    package let expected: String
    /// False: the text is not such a value.
    package let read: @Sendable (_ text: String, _ query: inout Query) -> Bool
    package let write: @Sendable (Query) -> String?

    private init<Value: ParameterValue>(
        description: ParameterDescription, expected: String = Value.expected,
        property: any WritableKeyPath<Query, Value?> & Sendable,
        accepting isValid: @escaping @Sendable (Value) -> Bool = { _ in true }
    ) {
        self.description = description
        self.expected = expected
        read = { text, query in
            guard let value = Value(parameter: text), isValid(value) else { return false }
            query[keyPath: property] = value
            return true
        }
        write = { $0[keyPath: property]?.parameterText }
    }

    static func integerParameter(
        name: String, property: any WritableKeyPath<Query, Int?> & Sendable,
        range: ClosedRange<Int>, defaultValue usual: Int, description text: String
    ) -> QueryField {
        QueryField(
            description: ParameterDescription(
                name: name, place: .query,
                schema: [
                    "type": "integer", "minimum": .integer(Int64(range.lowerBound)),
                    "maximum": .integer(Int64(range.upperBound)),
                    "default": .integer(Int64(usual)),
                ], description: text),
            expected: "\(range.lowerBound) to \(range.upperBound)", property: property,
            accepting: { range.contains($0) })
    }

    static func revisionParameter(
        name: String, property: any WritableKeyPath<Query, UInt64?> & Sendable,
        description text: String
    ) -> QueryField {
        QueryField(
            description: ParameterDescription(
                name: name, place: .query,
                schema: Schema.integer(isUnsigned: true).jsonSchema(), description: text),
            expected: "a revision: the id of an event", property: property)
    }

    static func nameParameter<Value: Name & ParameterValue>(
        name: String, property: any WritableKeyPath<Query, Value?> & Sendable,
        description text: String
    ) -> QueryField {
        QueryField(
            description: ParameterDescription(
                name: name, place: .query, schema: Schema.name.jsonSchema(), description: text),
            property: property)
    }

    static func identifierParameter(
        name: String, property: any WritableKeyPath<Query, Identifier128?> & Sendable,
        description text: String
    ) -> QueryField {
        QueryField(
            description: ParameterDescription(
                name: name, place: .query, schema: Schema.identifier.jsonSchema(), description: text
            ),
            property: property)
    }

    static func choiceParameter<Value: ParameterChoice>(
        name: String, property: any WritableKeyPath<Query, Value?> & Sendable,
        description text: String
    ) -> QueryField {
        QueryField(
            description: ParameterDescription(
                name: name, place: .query,
                schema: Schema.enumeration(Value.allCases.map(\.rawValue)).jsonSchema(),
                description: text), property: property)
    }

    static func textParameter(
        name: String, property: any WritableKeyPath<Query, String?> & Sendable,
        description text: String
    ) -> QueryField {
        QueryField(
            description: ParameterDescription(
                name: name, place: .query,
                schema: [
                    "type": "string", "maxLength": .integer(Int64(Limits.queryCharactersMax)),
                ],
                description: text), property: property)
    }

    /// A header; its handler reads the text.
    static func headerParameter(
        name: String, property: any WritableKeyPath<Query, String?> & Sendable,
        pattern: String, description text: String
    ) -> QueryField {
        QueryField(
            description: ParameterDescription(
                name: name, place: .header,
                schema: ["type": "string", "pattern": .string(pattern)], description: text),
            property: property)
    }
}

/// An enumeration that stands in a query by its raw value.
package protocol ParameterChoice: ParameterValue, CaseIterable, RawRepresentable
where RawValue == String {}

extension ParameterChoice {
    package init?(parameter text: String) { self.init(rawValue: text) }
    package var parameterText: String { rawValue }
    package static var expected: String { allCases.map(\.rawValue).joined(separator: ", ") }
}

extension ClusterVMState: ParameterChoice {}
extension OperationInfo.State: ParameterChoice {}

extension String: ParameterValue {
    package init?(parameter text: String) { self = text }
    package var parameterText: String { self }
    package static var expected: String { "a text" }
}

extension Int: ParameterValue {
    /// Digits only: no sign.
    package init?(parameter text: String) {
        guard text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        self.init(text)
    }
    package var parameterText: String { "\(self)" }
    package static var expected: String { "an integer" }
}

extension UInt64: ParameterValue {
    package init?(parameter text: String) { self.init(text) }
    package var parameterText: String { "\(self)" }
    package static var expected: String { "an integer" }
}
