// The names that people give to VMs, hosts and clusters. A name is safe as a file name, in a URI and in DNS.

/// Why a text is not a name.
public struct NameError: Error, Hashable, Sendable, CustomStringConvertible {
    public let text: String
    public var description: String {
        "'\(text.prefix(80))' is not a name: use 1 to 63 lower-case letters, digits or '-', beginning and ending with a letter or digit"
    }
}

private func checkedName(from text: String) throws(NameError) -> String {
    func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
    let bytes = text.utf8
    guard let first = bytes.first, let last = bytes.last, bytes.count <= 63,
        isLetterOrDigit(first), isLetterOrDigit(last),
        bytes.allSatisfy({ isLetterOrDigit($0) || $0 == UInt8(ascii: "-") })
    else { throw NameError(text: text) }
    return text
}

/// What every name can do: it is made from text that is checked once, and is that text everywhere else.
public protocol Name: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    var text: String { get }
    init(_ text: String) throws(NameError)
}

extension Name {
    public var description: String { text }
    public static func < (left: Self, right: Self) -> Bool { left.text < right.text }

    public init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

public struct VMName: Name {
    public let text: String
    public init(_ text: String) throws(NameError) { self.text = try checkedName(from: text) }
}

public struct HostName: Name {
    public let text: String
    public init(_ text: String) throws(NameError) { self.text = try checkedName(from: text) }
}

public struct ClusterName: Name {
    public let text: String
    public init(_ text: String) throws(NameError) { self.text = try checkedName(from: text) }
}
