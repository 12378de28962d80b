// A headless Chromium that opens a file, and the page as it is after its scripts have run.

import Foundation
import Testing

enum Browser {
    /// Where Debian and others put it; nil: there is none.
    static let path = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    /// The document as HTML, scripts done. No name is resolved: a page that asked the network would miss something.
    static func dump(_ page: String) async throws -> String {
        let folder = FileManager.default.temporaryDirectory.path + "/ferry-page-\(UUID())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try page.write(toFile: "\(folder)/page.html", atomically: true, encoding: .utf8)
        try "".write(toFile: "\(folder)/out", atomically: false, encoding: .utf8)
        let output = try #require(FileHandle(forWritingAtPath: "\(folder)/out"))
        let process = Process()
        process.executableURL = URL(filePath: try #require(path))
        // As root there is no sandbox to be had, and the page is our own.
        process.arguments =
            (getuid() == 0 ? ["--no-sandbox"] : []) + [
                "--headless", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                "--user-data-dir=\(folder)/profile", "--host-resolver-rules=MAP * ~NOTFOUND",
                "--virtual-time-budget=10000", "--timeout=30000", "--dump-dom",
                "file://\(folder)/page.html",
            ]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try await withCheckedThrowingContinuation {
            (continuation: CheckedContinuation<Void, any Error>) in
            process.terminationHandler = { _ in continuation.resume() }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        try output.close()
        return try String(contentsOfFile: "\(folder)/out", encoding: .utf8)
    }
}
