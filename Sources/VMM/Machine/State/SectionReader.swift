// Hands out a saved state's sections, each once, and at the end says which nobody asked for.

import Host
import Wire

struct SectionReader {
    private var sections: [String: StateSection] = [:]

    init(_ list: [StateSection]) throws(StateError) {
        for section in list {
            guard sections.updateValue(section, forKey: section.name) == nil else {
                throw StateError(part: section.name, reason: .mismatch("it is there twice"))
            }
        }
    }

    /// The bytes of a section, of the only version there is so far.
    mutating func readSection(named name: String) throws(StateError) -> [UInt8] {
        guard let section = sections.removeValue(forKey: name) else {
            throw StateError(part: name, reason: .missing)
        }
        guard section.version == 1 else {
            throw StateError(
                part: name, reason: .wrongVersion(found: Int(section.version), known: 1))
        }
        return section.bytes
    }

    /// The bytes of a section that has exactly so many.
    mutating func readSection(named name: String, count: Int) throws(StateError) -> [UInt8] {
        let bytes = try readSection(named: name)
        guard bytes.count == count else {
            throw StateError(part: name, reason: .wrongSize(found: bytes.count, expected: count))
        }
        return bytes
    }

    /// A section that is not made of fixed bytes.
    mutating func decodeSection<Value>(
        named name: String, body: (inout ByteReader) throws(WireError) -> Value
    ) throws(StateError) -> Value {
        var reader = ByteReader(try readSection(named: name))
        do {
            let value = try body(&reader)
            try reader.requireFullyRead()
            return value
        } catch { throw StateError(part: name, reason: .malformed(error)) }
    }

    func rejectUnreadSections() throws(StateError) {
        if let name = sections.keys.min() { throw StateError(part: name, reason: .unknown) }
    }
}

/// Runs a call for a part and names the part if it fails.
func withStatePart<Value>(
    named name: String, body: () throws(SystemError) -> Value
) throws(StateError) -> Value {
    do { return try body() } catch { throw StateError(part: name, reason: .system(error)) }
}
