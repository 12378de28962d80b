// A decoder that records instead of decoding: which keys a type asks for, of which types, and which it can do without.
//
// The synthesised `init(from:)` asks for an optional property by `decodeIfPresent`, whose default implementation asks
// `decodeNil` first: that marks the property as optional. Each value that the type gets is a sample.

final class SchemaRecorder: Decoder {
    /// What was recorded, shared by all containers of this decoder.
    final class Record {
        private(set) var properties: [ObjectSchema.Property] = []
        private var optionalNames: Set<String> = []
        /// Of a type that is not an object.
        var value: Schema?

        func markOptional(named name: String) { optionalNames.insert(name) }

        func addProperty(named name: String, valueSchema schema: Schema) {
            guard !properties.contains(where: { $0.name == name }) else { return }
            properties.append(
                ObjectSchema.Property(
                    name: name, schema: schema, isOptional: optionalNames.contains(name)))
        }
    }

    let library: SchemaLibrary
    let record = Record()
    /// What a text is here.
    let text: String
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    init(library: SchemaLibrary, text: String) {
        self.library = library
        self.text = text
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(KeyedRecorder(recorder: self))
    }
    func unkeyedContainer() -> any UnkeyedDecodingContainer { ListRecorder(recorder: self) }
    func singleValueContainer() -> any SingleValueDecodingContainer {
        SingleRecorder(recorder: self)
    }
}

private struct KeyedRecorder<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let recorder: SchemaRecorder
    var codingPath: [any CodingKey] { [] }
    var allKeys: [Key] { Key(stringValue: "key").map { [$0] } ?? [] }

    func contains(_ key: Key) -> Bool { true }

    func decodeNil(forKey key: Key) -> Bool {
        recorder.record.markOptional(named: key.stringValue)
        return false
    }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        let (schema, sample) = try recorder.library.schemaAndSample(of: type)
        recorder.record.addProperty(named: key.stringValue, valueSchema: schema)
        return sample
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> { throw nestingError(for: key) }
    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        throw nestingError(for: key)
    }
    func superDecoder() throws -> any Decoder { recorder }
    func superDecoder(forKey key: Key) throws -> any Decoder { throw nestingError(for: key) }

    private func nestingError(for key: Key) -> SchemaError {
        .notDecodable(type: "\(Key.self)", reason: "'\(key.stringValue)' has no type of its own")
    }
}

/// A list of one element.
private struct ListRecorder: UnkeyedDecodingContainer {
    let recorder: SchemaRecorder
    var codingPath: [any CodingKey] { [] }
    var count: Int? { 1 }
    var isAtEnd: Bool { currentIndex > 0 }
    private(set) var currentIndex = 0

    init(recorder: SchemaRecorder) { self.recorder = recorder }

    mutating func decodeNil() -> Bool { false }

    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        currentIndex += 1
        let (schema, sample) = try recorder.library.schemaAndSample(of: type)
        recorder.record.value = .list(schema)
        return sample
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> { throw refusal }
    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { throw refusal }
    mutating func superDecoder() throws -> any Decoder { throw refusal }

    private var refusal: SchemaError {
        .notDecodable(type: "a list", reason: "its elements have no type of their own")
    }
}

private struct SingleRecorder: SingleValueDecodingContainer {
    let recorder: SchemaRecorder
    var codingPath: [any CodingKey] { [] }

    func decodeNil() -> Bool { false }

    func decode(_ type: String.Type) throws -> String {
        recorder.record.value = .string
        return recorder.text
    }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let (schema, sample) = try recorder.library.schemaAndSample(of: type)
        recorder.record.value = schema
        return sample
    }
}
