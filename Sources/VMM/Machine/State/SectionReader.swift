// Hands out a saved state's sections, each once, and at the end says which nobody asked for.

import Host
import Wire

struct SectionReader {
    private var sections: [String: StateSection] = [:]

    init(_ list: [StateSection]) throws(StateError) {
        for section in list {
            guard sections.updateValue(section, forKey: section.name) == nil else {
                throw StateError(part: section.name, .mismatch("it is there twice"))
            }
        }
    }

    /// The bytes of a section, of the only version there is so far.
    mutating func take(_ name: String) throws(StateError) -> [UInt8] {
        guard let section = sections.removeValue(forKey: name) else {
            throw StateError(part: name, .missing)
        }
        guard section.version == 1 else {
            throw StateError(part: name, .wrongVersion(found: Int(section.version), known: 1))
        }
        return section.bytes
    }

    /// The bytes of a section that has exactly so many.
    mutating func take(_ name: String, count: Int) throws(StateError) -> [UInt8] {
        let bytes = try take(name)
        guard bytes.count == count else {
            throw StateError(part: name, .wrongSize(found: bytes.count, expected: count))
        }
        return bytes
    }

    /// A section that is not made of fixed bytes.
    mutating func decode<Value>(
        _ name: String, _ body: (inout ByteReader) throws(WireError) -> Value
    ) throws(StateError) -> Value {
        var reader = ByteReader(try take(name))
        do {
            let value = try body(&reader)
            try reader.finish()
            return value
        } catch { throw StateError(part: name, .malformed(error)) }
    }

    func finish() throws(StateError) {
        if let name = sections.keys.min() { throw StateError(part: name, .unknown) }
    }
}

/// Runs a call for a part and names the part if it fails.
func part<Value>(
    _ name: String, _ body: () throws(SystemError) -> Value
) throws(StateError) -> Value {
    do { return try body() } catch { throw StateError(part: name, .system(error)) }
}
