// The types that messages are made of, with their schemas.

import Model

extension Bool: SampleValue {
    static var schema: Schema { .boolean }
    static var sample: Bool { true }
}

extension String: SampleValue {
    static var schema: Schema { .string }
    static var sample: String { "a" }
}

extension Double: SampleValue {
    static var schema: Schema { .number }
    static var sample: Double { 1 }
}

extension FixedWidthInteger where Self: SampleValue {
    static var schema: Schema { .integer(isUnsigned: !isSigned) }
    static var sample: Self { 1 }
}

extension Int: SampleValue {}
extension Int32: SampleValue {}
extension Int64: SampleValue {}
extension UInt64: SampleValue {}

extension VMName: SchemaLeaf { static var schema: Schema { .name } }
extension HostName: SchemaLeaf { static var schema: Schema { .name } }
extension ClusterName: SchemaLeaf { static var schema: Schema { .name } }
extension Identifier128: SchemaLeaf { static var schema: Schema { .identifier } }

extension Dictionary: SchemaLeaf where Key == String, Value: SchemaLeaf {
    static var schema: Schema { .map(Value.schema) }
}

extension Dictionary: SampleValue where Key == String, Value: SchemaLeaf {
    static var sample: [Key: Value] { [:] }
}
