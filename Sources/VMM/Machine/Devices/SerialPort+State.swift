// The serial port's registers as bytes of a saved state, section "device/serial" version 1.

package import Wire

extension SerialPort {
    package var encoded: [UInt8] {
        var writer = ByteWriter()
        for register in [interruptEnable, fifoControl, lineControl, modemControl, scratch] {
            writer.write(register)
        }
        writer.write(divisor)
        writer.write(transmitterEmptyPending)
        writer.write(overrun)
        writer.write(counted: input)
        return writer.bytes
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        self.init(
            interruptEnable: try reader.integer(field: "IER"),
            fifoControl: try reader.integer(field: "FCR"),
            lineControl: try reader.integer(field: "LCR"),
            modemControl: try reader.integer(field: "MCR"),
            scratch: try reader.integer(field: "SCR"),
            divisor: try reader.integer(field: "divisor"),
            transmitterEmptyPending: try reader.bool(field: "transmitter"),
            overrun: try reader.bool(field: "overrun"),
            input: try reader.counted(limit: Limits.serialInputBytesMax, field: "input"))
    }
}
