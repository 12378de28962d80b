// The parts of a request that are words: of its path, its query, its headers. Read strictly: what is not known, or there
// twice, or not text, is refused.

import API
import HTTPTypes
import Hummingbird
import Model
import Serving

/// Decodes %XX; nil for what is malformed, or not UTF-8.
func percentDecoded(_ text: Substring, plusIsSpace: Bool = false) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
        switch byte {
        case UInt8(ascii: "%"):
            guard rest.count >= 2, let value = UInt8(String(rest.prefix(2)) ?? "", radix: 16),
                rest.prefix(2).allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") })
            else { return nil }
            rest = rest.dropFirst(2)
            bytes.append(value)
        case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
        default: bytes.append(byte)
        }
    }
    return String(validating: bytes, as: UTF8.self)
}

/// A request's query.
struct Query {
    private var values: [String: String] = [:]

    init(_ request: Request, _ known: String...) throws(Problem) {
        for pair in (request.uri.query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = percentDecoded(parts[0], plusIsSpace: true),
                let value = percentDecoded(parts.count > 1 ? parts[1] : "", plusIsSpace: true)
            else {
                throw Problem(.badRequest, "the query cannot be read: it is not UTF-8 with %XX")
            }
            guard known.contains(name) else {
                throw Problem(
                    .badRequest,
                    known.isEmpty
                        ? "this path takes no query"
                        : "'\(name.prefix(40))' is not known here: use \(known.joined(separator: ", "))"
                )
            }
            guard value.unicodeScalars.count <= Limits.queryCharactersMax else {
                throw Problem(
                    .badRequest, "\(name) has more than \(Limits.queryCharactersMax) characters")
            }
            guard values.updateValue(value, forKey: name) == nil else {
                throw Problem(.badRequest, "\(name) is there twice")
            }
        }
    }

    func text(_ name: String) -> String? { values[name] }

    /// Nil when it is not there.
    func value<Value>(
        _ name: String, wanted: String, _ parse: (String) -> Value?
    ) throws(Problem) -> Value? {
        guard let text = values[name] else { return nil }
        guard let value = parse(text) else {
            throw Problem(.badRequest, "\(name) is '\(text.prefix(40))': use \(wanted)")
        }
        return value
    }

    var limit: Int {
        get throws(Problem) {
            try value("limit", wanted: "1 to \(Limits.pageMax)") { text in
                text.utf8.allSatisfy { (48...57).contains($0) }
                    ? Int(text).flatMap { (1...Limits.pageMax).contains($0) ? $0 : nil } : nil
            } ?? Limits.pageDefault
        }
    }

    func name<Value: Name>(_ field: String, as type: Value.Type = Value.self)
        throws(Problem) -> Value?
    {
        try value(field, wanted: "a name of lower-case letters, digits and '-'") { try? Value($0) }
    }

    func choice<Value: RawRepresentable & CaseIterable>(
        _ field: String, as type: Value.Type = Value.self
    ) throws(Problem) -> Value? where Value.RawValue == String {
        try value(field, wanted: Value.allCases.map(\.rawValue).joined(separator: ", ")) {
            Value(rawValue: $0)
        }
    }

    func identifier(_ field: String) throws(Problem) -> Identifier128? {
        try value(field, wanted: "32 hexadecimal digits") { Identifier128($0) }
    }
}

extension APIContext {
    /// A part of the path, decoded.
    func word(_ parameter: String) throws(Problem) -> String {
        guard let text = parameters.get(parameter), let word = percentDecoded(text[...]) else {
            throw Problem(.badRequest, "the path cannot be read: it is not UTF-8 with %XX")
        }
        return word
    }

    func hostName() throws -> HostName { try HostName(word("name")) }
    func vmName() throws -> VMName { try VMName(word("name")) }

    func operationID() throws(Problem) -> OperationID {
        let text = try word("id")
        guard let id = OperationID(text) else {
            throw Problem(
                .badRequest, "'\(text.prefix(40))' is no operation's id: 32 hexadecimal digits")
        }
        return id
    }

    /// Who asks, as operations remember it.
    var who: String { caller.map { "\($0)" } ?? "nobody" }
}

extension Request {
    /// The revision that `If-Match` names; nil without one, or for any ("*").
    func revisionMatched() throws(Problem) -> UInt64? {
        guard let text = headers[.ifMatch], text != "*" else { return nil }
        let isQuoted = text.count > 2 && text.hasPrefix("\"") && text.hasSuffix("\"")
        // Without its quotes it can mean nothing else.
        guard let number = UInt64(isQuoted ? text.dropFirst().dropLast() : text[...]) else {
            throw Problem(
                .badRequest,
                "If-Match is '\(text.prefix(40))': use the ETag of a GET, such as \"7\", or *")
        }
        return number
    }
}

extension HTTPFields {
    static func etag(_ revision: UInt64) -> HTTPFields { [.eTag: "\"\(revision)\""] }
}
