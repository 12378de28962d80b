/// One line of output, built by string interpolation without an allocator: `Message("pulse
/// seq=\(sequence)")`. What does not fit is cut off.
struct Message: ExpressibleByStringInterpolation {
    struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var bytes = InlineArray<256, UInt8>(repeating: 0)
        fileprivate var count = 0

        init(literalCapacity: Int, interpolationCount: Int) {}

        mutating func appendLiteral(_ literal: StaticString) {
            appendText(Text(literal))
        }

        mutating func appendInterpolation(_ literal: StaticString) {
            appendText(Text(literal))
        }

        mutating func appendInterpolation(_ text: Text) {
            appendText(text)
        }

        @inline(never)
        mutating func appendInterpolation(_ number: UInt64) {
            var divisor: UInt64 = 1
            while number / divisor >= 10 { divisor *= 10 }
            while divisor > 0 {
                appendByte(UInt8(ascii: "0") + UInt8(number / divisor % 10))
                divisor /= 10
            }
        }

        mutating func appendInterpolation(_ number: UInt64, orWord word: StaticString?) {
            if let word { appendText(Text(word)) } else { appendInterpolation(number) }
        }

        mutating func appendInterpolation(hex number: UInt64) {
            for shift in stride(from: 60, through: 0, by: -4) {
                let digit = UInt8(number >> UInt64(shift) & 15)
                appendByte(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            }
        }

        @inline(never)
        private mutating func appendText(_ text: Text) {
            for index in 0..<text.count { appendByte(text[index]) }
        }

        private mutating func appendByte(_ byte: UInt8) {
            guard count < Message.bytesMax else { return }
            bytes[count] = byte
            count += 1
        }
    }

    /// Room for the line end is kept back.
    fileprivate static let bytesMax = 254

    private var bytes: InlineArray<256, UInt8>
    private var count: Int

    init(stringLiteral literal: StaticString) {
        var interpolation = StringInterpolation(literalCapacity: 0, interpolationCount: 0)
        interpolation.appendLiteral(literal)
        self.init(stringInterpolation: interpolation)
    }

    init(stringInterpolation interpolation: StringInterpolation) {
        bytes = interpolation.bytes
        count = interpolation.count
        bytes[count] = UInt8(ascii: "\r")
        bytes[count + 1] = UInt8(ascii: "\n")
        count += 2
    }

    /// Prints the line, waiting for the port as long as it takes: a lost heartbeat would look like
    /// a lost guest.
    @inline(never)
    func sendToConsole() {
        let span = bytes.span
        span.withUnsafeBufferPointer { buffer in
            var remaining = count
            while remaining > 0 {
                remaining = Ring0.sendBytes(
                    buffer.baseAddress! + (count - remaining), count: remaining)
                if remaining > 0 { relax() }
            }
        }
    }
}
