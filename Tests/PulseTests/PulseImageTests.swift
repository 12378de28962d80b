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

    @Test("is what its sources build, byte for byte")
    func isWhatItsSourcesBuild() throws {
        let check = Process()
        check.executableURL = URL(
            filePath: FileManager.default.currentDirectoryPath + "/Scripts/build-pulse")
        check.arguments = ["--check"]
        try check.run()
        check.waitUntilExit()
        #expect(check.terminationStatus == 0)
    }
}
