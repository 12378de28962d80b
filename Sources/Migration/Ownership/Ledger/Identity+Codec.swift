// Identifiers, epochs and host names as bytes, in ledger records and in peer messages.

package import Model
package import Wire

extension ByteWriter {
    package mutating func write(_ identifier: Identifier128) {
        write(identifier.high)
        write(identifier.low)
    }
}

extension ByteReader {
    package mutating func identifier() throws(WireError) -> Identifier128 {
        Identifier128(
            high: try integer(field: "identifier"), low: try integer(field: "identifier"))
    }

    /// The last epoch is not valid: there must be a next one.
    package mutating func epoch() throws(WireError) -> Epoch {
        let number: UInt64 = try integer(field: "epoch")
        guard number <= Epoch.valid.upperBound.number else {
            throw .invalid(field: "epoch", value: number)
        }
        return Epoch(number)
    }

    package mutating func hostName() throws(WireError) -> HostName {
        let text = try text(limit: 63, field: "host name")
        do { return try HostName(text) } catch { throw .invalidText(field: "host name") }
    }
}
