// The serial port's registers as bytes of a saved state, section "device/serial" version 1.

package import Wire

extension SerialPort {
    package var encoded: [UInt8] {
        var writer = ByteWriter()
        for register in [interruptEnable, fifoControl, lineControl, modemControl, scratch] {
            writer.writeInteger(register)
        }
        writer.writeInteger(divisor)
        writer.writeBool(transmitterEmptyPending)
        writer.writeBool(overrun)
        writer.writeBytes(counted: input)
        return writer.bytes
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        self.init(
            interruptEnable: try reader.readInteger(field: "IER"),
            fifoControl: try reader.readInteger(field: "FCR"),
            lineControl: try reader.readInteger(field: "LCR"),
            modemControl: try reader.readInteger(field: "MCR"),
            scratch: try reader.readInteger(field: "SCR"),
            divisor: try reader.readInteger(field: "divisor"),
            transmitterEmptyPending: try reader.readBool(field: "transmitter"),
            overrun: try reader.readBool(field: "overrun"),
            input: try reader.readCountedBytes(limit: Limits.serialInputBytesMax, field: "input"))
    }
}
