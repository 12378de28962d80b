// What the API description says about a message beyond what its type says: sentences, bounds, examples.
//
// Names, types, optional properties and enumerations come from the `Codable` type itself (`SchemaRecorder`). A property
// without a description, and a description without a property, are errors when the document is made.

/// A message that is a JSON object.
package protocol DescribedObject: Decodable {
    static var apiDescription: ObjectDescription { get }
}

package struct ObjectDescription: Sendable {
    /// The name of the schema; nil for the name of the type.
    var name: String?
    let text: String
    /// A request: properties that are not described are refused, and `null` means the same as a missing property.
    let isStrict: Bool
    let fields: [String: FieldDescription]
    let examples: [JSONValue]

    package init(
        _ text: String, name: String? = nil, isStrict: Bool = false,
        fields: [String: FieldDescription], examples: [JSONValue] = []
    ) {
        self.name = name
        self.text = text
        self.isStrict = isStrict
        self.fields = fields
        self.examples = examples
    }
}

/// One property: a sentence and the bounds of its values.
package struct FieldDescription: Sendable, ExpressibleByStringLiteral {
    let text: String
    var minimum: JSONValue?
    var maximum: JSONValue?
    /// Of a text, or of the texts in a list.
    var lengths: ClosedRange<Int>?
    var itemsMax: Int?
    /// Of the elements of a list or a map.
    var element: String?
    /// A text that must be a name, though its type is not one.
    var isName = false

    private init(text: String) { self.text = text }

    package init(stringLiteral text: String) { self.init(text: text) }

    /// An integer of at least 0.
    package static func unsignedInteger(description text: String) -> FieldDescription {
        var field = FieldDescription(text: text)
        field.minimum = 0
        return field
    }

    package static func boundedInteger(
        description text: String, range: ClosedRange<Int64>
    ) -> FieldDescription {
        var field = FieldDescription(text: text)
        (field.minimum, field.maximum) = (.integer(range.lowerBound), .integer(range.upperBound))
        return field
    }

    package static func boundedInteger(description text: String, atLeast minimum: Int64)
        -> FieldDescription
    {
        var field = FieldDescription(text: text)
        field.minimum = .integer(minimum)
        return field
    }

    package static func boundedNumber(
        description text: String, range: ClosedRange<Double>
    ) -> FieldDescription {
        var field = FieldDescription(text: text)
        (field.minimum, field.maximum) = (.number(range.lowerBound), .number(range.upperBound))
        return field
    }

    package static func boundedNumber(description text: String, atLeast minimum: Int64)
        -> FieldDescription
    {
        .boundedInteger(description: text, atLeast: minimum)
    }

    package static func boundedText(description text: String, lengths: ClosedRange<Int>)
        -> FieldDescription
    {
        var field = FieldDescription(text: text)
        field.lengths = lengths
        return field
    }

    /// A text that is a name of letters, digits and '-'.
    package static func resourceName(description text: String) -> FieldDescription {
        var field = FieldDescription(text: text)
        field.isName = true
        return field
    }

    /// Counts by name, none of them negative.
    package static func countsByName(description text: String, element: String) -> FieldDescription
    {
        var field = FieldDescription(text: text)
        field.element = element
        field.minimum = 0
        return field
    }

    /// - Parameters:
    ///   - element: what one element is.
    ///   - lengths: of its elements, when they are texts.
    package static func uniformList(
        description text: String, element: String, itemsMax: Int? = nil,
        lengths: ClosedRange<Int>? = nil
    ) -> FieldDescription {
        var field = FieldDescription(text: text)
        field.element = element
        field.itemsMax = itemsMax
        field.lengths = lengths
        return field
    }
}
