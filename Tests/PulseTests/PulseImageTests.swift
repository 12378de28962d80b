import Foundation
import Pulse
import Testing

@Suite("The shipped guest")
struct PulseImageTests {
    @Test("lies beside the programs")
    func isThere() throws {
        let path = try #require(PulseImage.path)
        #expect(FileManager.default.fileExists(atPath: path))
    }
}
