import Foundation
import Testing

@testable import Pulse

@Suite struct PulseImageTests {
    @Test func `the guest is there, an ELF file for x86-64`() throws {
        let path = try #require(PulseImage.path)
        let bytes = try #require(FileManager.default.contents(atPath: path))
        #expect(Array(bytes.prefix(5)) == [0x7f, 0x45, 0x4c, 0x46, 2])
        #expect(Array(bytes[18..<20]) == [62, 0])
    }
}
