// The schemas of all messages that a document uses, made from their types.

/// Why a document cannot be made: a type and its description disagree.
package enum SchemaError: Error, Hashable, Sendable, CustomStringConvertible {
    case noDescription(type: String)
    case propertyNotDescribed(type: String, property: String)
    case descriptionWithoutProperty(type: String, property: String)
    case nameTaken(String)
    case notDecodable(type: String, reason: String)

    package var description: String {
        switch self {
        case .noDescription(let type): "\(type) has no API description"
        case .propertyNotDescribed(let type, let property):
            "the API description of \(type) lacks '\(property)'"
        case .descriptionWithoutProperty(let type, let property):
            "the API description of \(type) has '\(property)', and the type has not"
        case .nameTaken(let name): "two types have the schema name \(name)"
        case .notDecodable(let type, let reason): "\(type) has no schema: \(reason)"
        }
    }
}

/// Collects the objects that it meets.
final class SchemaLibrary {
    private(set) var objects: [String: ObjectSchema] = [:]
    private var types: [String: ObjectIdentifier] = [:]

    func resolveSchema(of type: any Decodable.Type) throws(SchemaError) -> Schema {
        do { return try schemaAndSample(of: type).schema } catch let error as SchemaError {
            throw error
        } catch { throw .notDecodable(type: "\(type)", reason: "\(error)") }
    }

    /// The schema of a type, and a value of it.
    func schemaAndSample<Value: Decodable>(
        of type: Value.Type
    ) throws -> (schema: Schema, sample: Value) {
        if let leaf = type as? any SampleValue.Type, let sample = leaf.sample as? Value {
            return (leaf.schema, sample)
        }
        let texts = (type as? any CaseIterable.Type).map { Self.caseRawValues(of: $0) } ?? []
        let leaf = (type as? any SchemaLeaf.Type)?.schema
        let recorder = SchemaRecorder(library: self, text: texts.first ?? leaf?.sampleText ?? "a")
        let sample = try Value(from: recorder)
        if !texts.isEmpty { return (.enumeration(texts), sample) }
        if let leaf { return (leaf, sample) }
        if let schema = recorder.record.value { return (schema, sample) }
        return (try component(of: type, properties: recorder.record.properties), sample)
    }

    private func component(
        of type: any Decodable.Type, properties: [ObjectSchema.Property]
    ) throws(SchemaError) -> Schema {
        guard let described = type as? any DescribedObject.Type else {
            throw .noDescription(type: "\(type)")
        }
        let description = described.apiDescription
        let name = described.schemaName
        if let known = types[name] {
            guard known == ObjectIdentifier(type) else { throw .nameTaken(name) }
            return .component(name)
        }
        let names = Set(properties.map(\.name))
        if let missing = names.first(where: { description.fields[$0] == nil }) {
            throw .propertyNotDescribed(type: name, property: missing)
        }
        if let extra = description.fields.keys.first(where: { !names.contains($0) }) {
            throw .descriptionWithoutProperty(type: name, property: extra)
        }
        types[name] = ObjectIdentifier(type)
        objects[name] = ObjectSchema(properties: properties, description: description)
        return .component(name)
    }

    private static func caseRawValues<Cases: CaseIterable>(of type: Cases.Type) -> [String] {
        type.allCases.compactMap { ($0 as? any RawRepresentable)?.rawValue as? String }
    }
}

extension DescribedObject {
    static var schemaName: String { apiDescription.name ?? "\(Self.self)" }
}

/// A type whose schema is known without a look at how it is decoded.
protocol SchemaLeaf: Decodable {
    static var schema: Schema { get }
}

/// A leaf that is made without a decoder.
protocol SampleValue: SchemaLeaf {
    static var sample: Self { get }
}

extension Schema {
    fileprivate var sampleText: String? {
        self == .identifier ? String(repeating: "0", count: 32) : nil
    }
}
