// The byte encoding of identifiers, epochs and host names, in ledger records and in peer messages.

package import Model
package import Wire

extension ByteWriter {
    package mutating func writeIdentifier(_ identifier: Identifier128) {
        writeInteger(identifier.high)
        writeInteger(identifier.low)
    }
}

extension ByteReader {
    package mutating func readIdentifier() throws(WireError) -> Identifier128 {
        Identifier128(
            high: try readInteger(field: "identifier"), low: try readInteger(field: "identifier"))
    }

    /// The last epoch is not valid: there must be a next one.
    package mutating func readEpoch() throws(WireError) -> Epoch {
        let number: UInt64 = try readInteger(field: "epoch")
        guard number <= Epoch.valid.upperBound.number else {
            throw .invalid(field: "epoch", value: number)
        }
        return Epoch(number)
    }

    package mutating func readHostName() throws(WireError) -> HostName {
        let text = try readText(limit: 63, field: "host name")
        do { return try HostName(text) } catch { throw .invalidText(field: "host name") }
    }
}
