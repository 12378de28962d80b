// Schemas of values and objects (JSON Schema 2020-12, as OpenAPI 3.1 uses it).

/// The type of a value.
indirect enum Schema: Hashable, Sendable {
    case boolean
    /// Not negative where `isUnsigned`.
    case integer(isUnsigned: Bool)
    case number
    case string
    /// A text of a fixed form.
    case pattern(String, lengthMax: Int?)
    case enumeration([String])
    case list(Schema)
    case map(Schema)
    /// An object of that name among the document's components.
    case component(String)

    static let name = Schema.pattern(
        "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", lengthMax: 63)
    static let identifier = Schema.pattern("^[0-9a-fA-F]{32}$", lengthMax: nil)

    func jsonSchema(describing field: FieldDescription? = nil, isNullable: Bool = false)
        -> JSONValue
    {
        if self == .string, let field, field.isName {
            var plain = field
            plain.isName = false
            return Schema.name.jsonSchema(describing: plain, isNullable: isNullable)
        }
        let text = field.map { JSONValue.string($0.text) }
        switch self {
        case .component(let name):
            let reference: JSONValue = ["$ref": .string("#/components/schemas/\(name)")]
            if isNullable {
                return .compactObject([
                    "anyOf": [reference, ["type": "null"]], "description": text,
                ])
            }
            return .compactObject(["$ref": reference["$ref"], "description": text])
        case .enumeration(let texts):
            let all = texts.map { JSONValue.string($0) } + (isNullable ? [.null] : [])
            return .compactObject([
                "type": typeKeyword(isNullable: isNullable), "enum": .array(all),
                "description": text,
            ])
        default:
            var fields = constraintKeywords(from: field)
            fields["type"] = typeKeyword(isNullable: isNullable)
            fields["description"] = text
            return .compactObject(fields)
        }
    }

    private func typeKeyword(isNullable: Bool) -> JSONValue {
        let name: JSONValue =
            switch self {
            case .boolean: "boolean"
            case .integer: "integer"
            case .number: "number"
            case .string, .pattern, .enumeration: "string"
            case .list: "array"
            case .map, .component: "object"
            }
        return isNullable ? [name, "null"] : name
    }

    private func constraintKeywords(from field: FieldDescription?) -> [String: JSONValue?] {
        switch self {
        case .boolean, .enumeration, .component: return [:]
        case .integer(let isUnsigned):
            return [
                "minimum": field?.minimum ?? (isUnsigned ? 0 : nil),
                "maximum": field?.maximum ?? (isUnsigned ? .integer(.max) : nil),
            ]
        case .number: return ["minimum": field?.minimum, "maximum": field?.maximum]
        case .string:
            guard let lengths = field?.lengths else { return [:] }
            return [
                "minLength": lengths.lowerBound > 0 ? .integer(Int64(lengths.lowerBound)) : nil,
                "maxLength": .integer(Int64(lengths.upperBound)),
            ]
        case .pattern(let pattern, let lengthMax):
            return [
                "pattern": .string(pattern), "maxLength": lengthMax.map { .integer(Int64($0)) },
            ]
        case .list(let element):
            return [
                "items": element.jsonSchema(describing: field?.ofElement),
                "maxItems": field?.itemsMax.map { .integer(Int64($0)) },
            ]
        case .map(let element):
            return ["additionalProperties": element.jsonSchema(describing: field?.ofElement)]
        }
    }
}

extension FieldDescription {
    fileprivate var ofElement: FieldDescription? {
        element.map { text in
            var field = FieldDescription(stringLiteral: text)
            field.lengths = lengths
            field.minimum = minimum
            return field
        }
    }
}

/// An object of the document.
struct ObjectSchema: Sendable {
    struct Property: Sendable {
        var name: String
        var schema: Schema
        var isOptional: Bool
    }

    let properties: [Property]
    let description: ObjectDescription

    func findProperty(named name: String) -> Property? { properties.first { $0.name == name } }

    var json: JSONValue {
        let required = properties.filter { !$0.isOptional }.map { JSONValue.string($0.name) }
        let all = properties.map { property in
            (
                property.name,
                property.schema.jsonSchema(
                    describing: description.fields[property.name],
                    isNullable: property.isOptional && description.isStrict)
            )
        }
        return .compactObject([
            "type": "object", "description": .string(description.text),
            "properties": .object(Dictionary(all, uniquingKeysWith: { first, _ in first })),
            "required": required.isEmpty ? nil : .array(required),
            "additionalProperties": description.isStrict ? false : nil,
            "examples": description.examples.isEmpty ? nil : .array(description.examples),
        ])
    }
}
