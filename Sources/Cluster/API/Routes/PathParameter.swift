// The part of a path that names a thing.

package import Model

/// A value that stands in a path or a query as text.
package protocol ParameterValue: Sendable {
    init?(parameter text: String)
    var parameterText: String { get }
    /// What a text must be: "use …".
    static var expected: String { get }
}

package protocol PathParameter: ParameterValue {
    static func parameterDescriptions(forPath path: String) -> [ParameterDescription]
}

/// A path without a parameter.
package struct NoPath: PathParameter {
    package init() {}
    package init?(parameter text: String) { self.init() }
    package var parameterText: String { "" }
    package static var expected: String { "nothing" }
    package static func parameterDescriptions(forPath path: String) -> [ParameterDescription] { [] }
}

extension PathParameter {
    fileprivate static func describeParameter(
        inPath path: String, valueSchema schema: Schema, description: String,
        example: String? = nil,
        lengths: ClosedRange<Int>? = nil
    ) -> [ParameterDescription] {
        [
            ParameterDescription(
                name: RouteDescription.parameterName(inPath: path) ?? "", place: .path,
                schema: schema.jsonSchema(
                    describing: lengths.map { .boundedText(description: description, lengths: $0) }
                        ?? FieldDescription(stringLiteral: description)),
                description: nil, example: example)
        ]
    }
}

extension ParameterValue where Self: Name {
    package init?(parameter text: String) {
        do { try self.init(text) } catch { return nil }
    }
    package var parameterText: String { text }
    package static var expected: String {
        "a name of 1 to 63 lower-case letters, digits or '-', beginning and ending with a letter or digit"
    }
}

extension HostName: PathParameter {
    package static func parameterDescriptions(forPath path: String) -> [ParameterDescription] {
        describeParameter(
            inPath: path, valueSchema: .name, description: "The name of the host.",
            example: "host-a")
    }
}

extension VMName: PathParameter {
    package static func parameterDescriptions(forPath path: String) -> [ParameterDescription] {
        describeParameter(
            inPath: path, valueSchema: .name, description: "The name of the VM.", example: "web-1")
    }
}

extension Identifier128: PathParameter {
    package init?(parameter text: String) { self.init(text) }
    package var parameterText: String { description }
    package static var expected: String { "32 hexadecimal digits" }
    package static func parameterDescriptions(forPath path: String) -> [ParameterDescription] {
        describeParameter(inPath: path, valueSchema: .identifier, description: "The identifier.")
    }
}

/// A VM by its name or, where its name is not known, by its identifier.
package struct VMReference: PathParameter {
    package let parameterText: String
    package init(parameter text: String) { parameterText = text }
    package init(_ name: VMName) { parameterText = name.text }
    package init(_ id: VMID) { parameterText = "\(id)" }
    package static var expected: String { "a VM's name, or its id of 32 hexadecimal digits" }
    package static func parameterDescriptions(forPath path: String) -> [ParameterDescription] {
        describeParameter(
            inPath: path, valueSchema: .string,
            description: "The name of the VM, or its identifier.", example: "web-1",
            lengths: 1...63)
    }
}

package struct GroupName: PathParameter {
    package let parameterText: String
    package init(parameter text: String) { parameterText = text }
    package static var expected: String { "the name of a group" }
    package static func parameterDescriptions(forPath path: String) -> [ParameterDescription] {
        describeParameter(
            inPath: path, valueSchema: .string, description: "The name of the group.",
            example: "web", lengths: 1...100)
    }
}

package struct TokenName: PathParameter {
    package let parameterText: String
    package init(parameter text: String) { parameterText = text }
    package static var expected: String { "the name of a token" }
    package static func parameterDescriptions(forPath path: String) -> [ParameterDescription] {
        describeParameter(inPath: path, valueSchema: .name, description: "The name of the token.")
    }
}

extension RouteDescription {
    /// "name" in "/v1/hosts/{name}/drain".
    package static func parameterName(inPath path: String) -> String? {
        path.split(separator: "/").first { $0.hasPrefix("{") && $0.hasSuffix("}") }
            .map { String($0.dropFirst().dropLast()) }
    }
}
